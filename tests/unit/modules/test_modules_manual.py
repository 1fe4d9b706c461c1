"""Manual mode: who has the lease then, what a panel may move, and when it stops."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import pytest

from cellctl.journal import LeaseTaken
from cellctl.messages import (
    Command,
    Head,
    Inquire,
    Jog,
    JogEnded,
    LeaseDenied,
    LeaseGranted,
    LeaseRequest,
    LeaseReturned,
    Message,
    Refusal,
    View,
)
from cellctl.modules.compaction import says_the_same
from cellctl.modules.ledger import Book
from cellctl.packml import Mode, State, StateCommand

SPEED = 0.075  # [m/s]


class Panel:
    """A panel for one module, told by the test what to send."""

    def __init__(self, module: str, name: str = "ann's panel") -> None:
        self.module, self.name = module, name
        self.heard: list[Message] = []
        self.epoch, self.granted = 0, 0.0

    async def run(self, runtime) -> None:
        async with runtime.connect("cell") as peer:
            self.peer, self.now = peer, runtime.now
            while True:
                message = (await peer.inbox.receive()).message
                if message is not None:
                    self.heard.append(message)
                if isinstance(message, LeaseGranted):
                    self.epoch, self.granted = message.epoch, runtime.now()

    def ask(self) -> None:
        self.peer.send(LeaseRequest(self.module, self.name, by_hand=True))

    def jog(self, device: str = "drive", motion: str = "run", speed: float = SPEED, **more: object) -> None:
        fields = {"epoch": self.epoch, "press": 1, "at": self.now() - self.granted} | more
        self.peer.send(Jog(self.module, "ann", device, motion, speed, **fields))

    def last(self, kind: type[Message]) -> Message:
        return [message for message in self.heard if isinstance(message, kind)][-1]


@contextmanager
def in_manual_mode(bench: ModuleType, built, command: Command, state: str = "stopped") -> Iterator:
    """A run in which the runner has put its module into manual mode, with a panel beside it."""
    client, panel = bench.Client([command]), Panel(command.module)
    with bench.Run(built, client) as run:
        run.universe.start("panel", panel.run)
        run.until_done()
        client.press_on = lambda: None  # it leaves the module alone from here
        client.instruct(StateCommand.STOP)
        run.until_state(State.STOPPED)
        if state == "idle":
            client.instruct(StateCommand.RESET)
            run.until_state(State.IDLE)
        client.instruct(mode=Mode.MANUAL)
        run.until(lambda: client.view.mode is Mode.MANUAL)
        yield run, client, panel


@pytest.fixture
def belt(bench: ModuleType) -> Iterator:
    with in_manual_mode(bench, bench.a_belt(), bench.ADVANCE) as made:
        yield made


def has_lease(run, panel: Panel) -> Panel:
    panel.ask()
    run.until(lambda: panel.epoch > 0)
    return panel


def pressed(run, panel: Panel, times: int = 4) -> None:
    for _ in range(times):
        panel.jog()
        run.pause(0.05)


# --- moving -------------------------------------------------------------------------------------------------------


def test_a_belt_runs_while_jog_messages_come_and_stops_200_ms_after_the_last_was_sent(belt) -> None:
    run, _, panel = belt
    has_lease(run, panel)
    pressed(run, panel)
    panel.jog()
    run.pause(0.195)
    assert run.bench.world.speed == pytest.approx(SPEED)
    run.pause(0.01)
    assert run.bench.world.speed == 0.0
    assert panel.last(JogEnded).why == "its jog messages ceased for 200 ms"


def test_a_press_that_has_ended_never_goes_on_and_the_next_one_does(belt) -> None:
    run, _, panel = belt
    has_lease(run, panel)
    pressed(run, panel)
    run.pause(0.5)
    pressed(run, panel)
    assert run.bench.world.speed == 0.0
    panel.jog(press=2)
    run.pause(0.05)
    assert run.bench.world.speed == pytest.approx(SPEED)


def test_a_message_that_was_long_on_its_way_moves_nothing(belt) -> None:
    run, _, panel = belt
    has_lease(run, panel)
    sent = panel.now() - panel.granted
    run.pause(0.3)
    panel.jog(at=sent)
    run.pause(0.05)
    assert run.bench.world.speed == 0.0
    assert "too late" in panel.last(JogEnded).why


def test_a_queue_of_old_messages_keeps_nothing_moving(belt) -> None:
    run, _, panel = belt
    has_lease(run, panel)
    panel.jog()
    sent = panel.now() - panel.granted
    for _ in range(8):
        run.pause(0.05)
        panel.jog(at=sent)
    assert run.bench.world.speed == 0.0


def test_a_panel_that_dies_stops_what_it_moved(belt) -> None:
    run, _, panel = belt
    has_lease(run, panel)
    pressed(run, panel)
    run.universe.kill("panel")
    run.pause(0.205)
    assert run.bench.world.speed == 0.0


def test_giving_the_lease_back_stops_at_once(belt) -> None:
    run, _, panel = belt
    has_lease(run, panel)
    pressed(run, panel)
    panel.peer.send(LeaseReturned("belt", panel.epoch))
    run.pause(0.02)
    assert run.bench.world.speed == 0.0
    assert panel.last(View).holder == ""


def test_a_lease_given_back_and_asked_for_in_one_breath_has_an_epoch_of_its_own_each_time(belt) -> None:
    run, _, panel = belt
    has_lease(run, panel)
    panel.peer.send(LeaseReturned("belt", panel.epoch))
    panel.ask()
    panel.ask()
    run.pause(0.2)
    epochs = [record.epoch for record in run.records() if isinstance(record, LeaseTaken)]
    assert epochs == list(range(1, len(epochs) + 1))


def test_a_panel_without_the_lease_gives_nothing_back(belt) -> None:
    run, _, panel = belt
    other = Panel("belt", "bob's panel")
    run.universe.start("other", other.run)
    has_lease(run, panel)
    pressed(run, panel)
    other.peer.send(LeaseReturned("belt", panel.epoch))
    pressed(run, panel, times=1)
    assert run.bench.world.speed == pytest.approx(SPEED)


@pytest.mark.parametrize("command", [StateCommand.STOP, StateCommand.ABORT])
def test_whoever_sees_a_reason_stops_what_a_panel_moves(belt, command: StateCommand) -> None:
    run, client, panel = belt
    has_lease(run, panel)
    pressed(run, panel)
    client.epoch = 0
    client.instruct(command)
    run.pause(0.03)
    assert run.bench.world.speed == 0.0
    pressed(run, panel)
    assert run.bench.world.speed == 0.0


def test_a_stopper_is_lowered_only_while_it_is_pressed(belt) -> None:
    run, _, panel = belt
    has_lease(run, panel)
    panel.jog("io1.do1", "on", 0.0)
    run.pause(0.1)
    assert run.bench.world.lowered == {1}
    run.pause(0.2)
    assert not run.bench.world.lowered


def test_a_belt_runs_with_a_stopper_lowered_so_that_a_part_can_be_moved_past_it(belt) -> None:
    run, _, panel = belt
    has_lease(run, panel)
    at = run.bench.world.riders["p1"]
    for _ in range(20):
        panel.jog("press")
        run.pause(0.05)
    assert run.bench.world.lowered == {1}
    panel.peer.send(LeaseReturned("belt", panel.epoch))
    run.pause(0.02)
    assert (run.bench.world.speed, run.bench.world.lowered) == (0.0, set())
    assert run.bench.world.riders["p1"] == pytest.approx(at + SPEED, abs=0.002)


def test_a_drive_that_fails_meanwhile_ends_the_press_and_says_why(belt) -> None:
    run, _, panel = belt
    has_lease(run, panel)
    pressed(run, panel)
    run.bench.world.faulty["belt.drive"] = "motor too hot"
    pressed(run, panel)
    assert run.bench.world.speed == 0.0
    assert "motor too hot" in panel.last(JogEnded).why


def test_a_gripper_opens_and_closes_and_says_when_it_has(bench: ModuleType) -> None:
    with in_manual_mode(bench, bench.an_arm(), bench.TRANSFER) as (run, _, panel):
        has_lease(run, panel)
        panel.jog("gripper", "close", 0.0)
        run.pause(0.1)
        assert (run.bench.world.fingers, panel.last(JogEnded).why) == ("closed", "")
        panel.jog("arm.gripper", "open", 0.0, press=2)
        run.pause(0.1)
        assert run.bench.world.fingers == "open"


def test_a_feeder_presents_one_component(bench: ModuleType) -> None:
    with in_manual_mode(bench, bench.a_feeder(), bench.FEED) as (run, _, panel):
        run.bench.world.presented = False
        has_lease(run, panel)
        panel.jog("bowl", "present", 0.0)
        run.pause(0.2)
        assert run.bench.world.count["fed"] == 2


@pytest.mark.parametrize(
    ("jog", "why"),
    [
        ({"speed": 0.26}, "speed by hand 0.26 m/s is outside -0.15 m/s to 0.15 m/s"),
        ({"speed": -0.2}, "speed by hand -0.2 m/s"),
        ({"motion": "fly"}, "is moved at a speed"),
        ({"speed": 0.0}, "is moved at a speed"),
        ({"device": "motor"}, "no device of belt is called 'motor'"),
        ({"device": "io1.do1", "motion": "off"}, "is moved at a speed"),
    ],
)
def test_what_cannot_be_moved_so_is_refused_with_the_reason(belt, jog: dict, why: str) -> None:
    run, _, panel = belt
    has_lease(run, panel)
    panel.jog(**jog)
    run.pause(0.1)
    assert why in panel.last(JogEnded).why
    assert run.bench.world.speed == 0.0


def test_an_arm_whose_driver_makes_no_steps_says_so(bench: ModuleType) -> None:
    with in_manual_mode(bench, bench.an_arm(), bench.TRANSFER) as (run, _, panel):
        has_lease(run, panel)
        panel.jog("controller", "z", 0.0, distance=0.005)
        run.pause(0.1)
        assert "does not offer to move it by hand" in panel.last(JogEnded).why


# --- who may ------------------------------------------------------------------------------------------------------


def test_there_is_no_panel_in_production_mode(bench: ModuleType) -> None:
    built, client, panel = bench.a_belt(), bench.Client([bench.ADVANCE]), Panel("belt")
    with bench.Run(built, client) as run:
        run.universe.start("panel", panel.run)
        run.until_done()
        panel.ask()
        panel.jog(epoch=client.epoch)
        run.pause(0.1)
        assert "`cellctl mode belt manual`" in panel.last(LeaseDenied).why
        assert "production mode" in panel.last(Refusal).why
        assert built.world.speed == 0.0


def test_the_second_panel_is_refused_with_the_name_of_the_first_until_that_is_gone(belt) -> None:
    run, _, first = belt
    second = Panel("belt", "bob's panel")
    run.universe.start("second", second.run)
    has_lease(run, first)
    second.ask()
    run.pause(0.05)
    assert second.last(LeaseDenied).holder == "ann's panel"
    second.jog(epoch=first.epoch)
    run.pause(0.05)
    assert "does not have the lease" in second.last(Refusal).why
    assert run.bench.world.speed == 0.0
    run.universe.kill("panel")
    run.pause(2.0)
    has_lease(run, second)
    assert second.epoch == first.epoch + 1


def test_manual_mode_fences_the_runner_off_and_production_lets_it_in_again(belt) -> None:
    run, client, panel = belt
    client.send(LeaseRequest("belt", "runner"))
    run.pause(0.05)
    assert "manual mode" in next(m for m in reversed(client.heard) if isinstance(m, LeaseDenied)).why
    has_lease(run, panel)
    client.instruct(mode=Mode.PRODUCTION)
    run.pause(0.05)
    refusal = client.heard[-1]
    assert isinstance(refusal, Refusal)
    assert "ann's panel" in refusal.why
    panel.peer.send(LeaseReturned("belt", panel.epoch))
    run.pause(0.05)
    client.instruct(mode=Mode.PRODUCTION)
    run.until(lambda: client.view.mode is Mode.PRODUCTION)
    client.send(LeaseRequest("belt", "runner"))
    run.until(lambda: client.epoch > panel.epoch)
    panel.jog()
    run.pause(0.05)
    assert isinstance(panel.heard[-1], Refusal)


def test_every_grant_is_on_record_with_a_new_epoch(belt) -> None:
    run, _, panel = belt
    has_lease(run, panel)
    panel.peer.send(LeaseReturned("belt", panel.epoch))
    run.pause(0.05)
    leases = [record for record in run.records() if isinstance(record, LeaseTaken)]
    assert [(lease.holder, lease.by_hand) for lease in leases[-3:]] == [
        ("", True),
        ("ann's panel", True),
        ("", True),
    ]
    assert [lease.epoch for lease in leases] == list(range(1, len(leases) + 1))


def test_after_its_process_died_the_module_does_not_go_on_with_an_old_press(belt) -> None:
    run, _, panel = belt
    has_lease(run, panel)
    pressed(run, panel)
    run.universe.kill("cell")
    run.bench.world.watchdogs_expire(run.universe.now)
    run.universe.restart("cell")
    pressed(run, panel)
    assert run.bench.world.speed == 0.0
    panel.peer.send(Inquire("belt"))
    run.pause(0.1)
    assert panel.last(View).mode is Mode.MANUAL


def test_an_aborted_module_is_not_moved_by_hand(belt) -> None:
    run, client, panel = belt
    client.instruct(StateCommand.ABORT)
    run.until_state(State.ABORTED)
    has_lease(run, panel)
    panel.jog()
    run.pause(0.05)
    assert "only when it is stopped or idle, not aborted" in panel.last(Refusal).why
    assert run.bench.world.speed == 0.0


def test_what_is_known_of_the_runners_journal_outlives_the_panels_and_a_journal_begun_again() -> None:
    book, again = Book(["belt"]), Book(["belt"])
    for record in (
        LeaseTaken("belt", "runner", 1, Head(10, "a")),
        LeaseTaken("belt", "", 2, by_hand=True),
        LeaseTaken("belt", "ann's panel", 3, by_hand=True),
    ):
        book.apply(record)
    for record in says_the_same(book):
        again.apply(record)
    for ledger in (book.ledgers["belt"], again.ledgers["belt"]):
        assert (ledger.holder, ledger.epoch) == ("ann's panel", 3)
        assert (ledger.commander, ledger.seen) == ("runner", Head(10, "a"))
