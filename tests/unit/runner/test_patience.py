"""What takes too long, and what is refused again and again, is taken back."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from cellctl.flow.events import Dispatched, OrderTaken, PartBorn, RecipeTaken
from cellctl.flow.fold import fold
from cellctl.flow.state import FlowState
from cellctl.messages import Accepted, Answer, Cancel, Inquire, Item, Refusal, TooLate, View
from cellctl.packml import Mode, State
from cellctl.recipe.executable import Executable, Step
from cellctl.runner.dialogue import Dialogue
from cellctl.runner.patience import Patience, by_module
from cellctl.runner.remote import MOST_WORDS, Remote
from cellctl.runtime import Incoming
from cellctl.skill import Works

STEP = Step("press", "run", Works.STAYS, {"": ("press",)}, timeout=6.0)
CUP = Executable("cup", 1, "plain", "digest", (STEP,), ())
SENT = Dispatched(
    1, 1, "press", "run", "press", ("p1",), (Item("p1", "belt.press"),), {"": "press"}, at=100.0
)
PRESSING = fold([RecipeTaken("digest", CUP), OrderTaken("o1", "digest", 1), PartBorn("p1", "o1"), SENT])


def test_the_time_of_a_command_counts_from_its_decision() -> None:
    patience = Patience()
    patience.begin(1, 50.0)
    assert patience.overdue(PRESSING, 55.9) == {}
    assert patience.overdue(PRESSING, 56.1) == {1: "press on press takes longer than 6 s"}


def test_the_time_of_a_command_from_before_a_restart_counts_from_the_restart() -> None:
    patience = Patience()
    assert patience.overdue(PRESSING, 1000.0) == {}
    assert patience.overdue(PRESSING, 1006.1) == {1: "press on press takes longer than 6 s"}


def test_what_is_answered_is_forgotten() -> None:
    patience = Patience()
    patience.begin(1, 0.0)
    patience.overdue(FlowState(), 1.0)
    assert patience.overdue(PRESSING, 100.0) == {}


class Fleet:
    """One module, and what is sent to it."""

    def __init__(self, remote: Remote) -> None:
        self.remote, self.sent, self.only_known = remote, [], None

    def __iter__(self):
        return iter([self.remote])

    def __getattr__(self, name: str):
        return lambda *arguments, **named: None

    def find(self, module: str, process: str) -> Remote:
        return self.remote

    def inquire(self, remote: Remote) -> None:
        self.sent.append(Inquire(remote.name))

    def send_again(self, remote: Remote, at_once: bool = False, only_known: bool = False) -> None:
        self.only_known = only_known

    def send(self, remote: Remote, message: object) -> None:
        self.sent.append(message)


class World:
    """A dialogue with one module, which takes commands, at a settable time."""

    def __init__(self, state: FlowState) -> None:
        self.time, self.jump, self.recorded, self.shown = 0.0, 0.0, [], {}
        self.remote = Remote("press", "press", alive=True, epoch=1, is_compared=True)
        self.remote.view = View("press", State.EXECUTE, Mode.PRODUCTION)
        log = SimpleNamespace(info=lambda *_, **fields: None, warning=print)
        runtime = SimpleNamespace(now=lambda: self.time, utc=lambda: 100.0 + self.time + self.jump, log=log)
        book = SimpleNamespace(state=state, record=self.recorded.append)
        board = SimpleNamespace(
            show=self.shown.__setitem__, ripen=lambda: None, clear=print, raise_alarm=print
        )
        guards = SimpleNamespace(miss=print, lose=print)
        comparison = SimpleNamespace(doubtful=frozenset(), void=print)
        self.fleet = Fleet(self.remote)
        self.dialogue = Dialogue(runtime, book, self.fleet, board, comparison, guards, None)  # type: ignore[arg-type]
        self.dialogue.patience.begin(1, 0.0)

    def hear(self, message) -> None:
        self.dialogue.take("press", Incoming("press", message))

    def tick(self, time: float) -> list[Cancel]:
        """The cancels that are sent at a time."""
        self.time = time
        self.fleet.sent.clear()
        self.dialogue.look_after()
        return [message for message in self.fleet.sent if isinstance(message, Cancel)]


@pytest.fixture
def world() -> World:
    return World(PRESSING)


def test_a_cancel_that_may_be_lost_is_sent_again_until_it_is_too_late(world: World) -> None:
    assert world.tick(5.0) == []
    assert world.tick(6.5) == [Cancel("press", 1, 1)]
    assert world.tick(7.0) == []
    assert world.tick(9.0) == [Cancel("press", 1, 1)]
    world.hear(TooLate("press", 1))
    assert world.tick(12.0) == []
    assert world.shown["R020"] == {"press": "press on press takes longer than 6 s"}


def test_a_time_of_day_that_somebody_sets_makes_nothing_late(world: World) -> None:
    assert world.tick(1.0) == []
    world.jump = 3600.0
    assert world.tick(2.0) == []
    world.jump = -7200.0
    assert world.tick(6.5) == [Cancel("press", 1, 1)]


def test_what_two_commands_of_a_module_are_late_with_is_one_alarm() -> None:
    late = {1: "press on press takes longer than 6 s", 2: "turn on press takes longer than 1 s"}
    jobs = SimpleNamespace(commands=lambda: dict.fromkeys(late, SimpleNamespace(module="press")))
    assert by_module(jobs, late) == {"press": "; ".join(late.values())}  # type: ignore[arg-type]


def test_three_equal_refusals_take_a_command_back_and_give_its_part_the_modules_words(world: World) -> None:
    for time in (0.5, 1.0):
        world.hear(Refusal("press", 1, "press: no such program"))
        assert world.tick(time) == []
    world.hear(Refusal("press", 1, "press: no such program"))
    assert world.tick(1.5) == [Cancel("press", 1, 1)]
    assert world.shown["R021"] == {"press": "press refuses press of p1: press: no such program"}
    world.hear(Answer("press", 1, "cancelled"))
    answered = world.recorded[-1]
    assert (answered.outcome, answered.detail) == ("refused", "press: no such program")


def test_a_module_that_refuses_is_asked_what_it_does_since_it_may_not_be_as_it_was_seen_last(
    world: World,
) -> None:
    world.hear(Refusal("press", 1, "press: it is not in execute, in production mode"))
    assert world.fleet.sent == [Inquire("press")]


@pytest.mark.parametrize("other", [Refusal("press", 1, "press: it is busy"), Accepted("press", 1)])
def test_refusals_count_only_in_a_row(world: World, other: Refusal | Accepted) -> None:
    for message in (*[Refusal("press", 1, "press: no such program")] * 2, other):
        world.hear(message)
    world.hear(Refusal("press", 1, "press: no such program"))
    assert world.tick(1.0) == []
    assert world.shown["R021"] == {}


def test_a_command_that_was_cancelled_without_refusals_is_just_cancelled(world: World) -> None:
    world.hear(Answer("press", 1, "cancelled"))
    assert world.recorded[-1].outcome == "cancelled"


@pytest.mark.parametrize("line", [State.EXECUTE, State.STOPPING, State.HOLDING, State.HELD])
def test_a_command_that_its_module_never_took_is_sent_again_only_while_the_line_executes(line: State) -> None:
    world = World(replace(PRESSING, packml=line))
    world.tick(0.5)
    assert world.fleet.only_known is (line is not State.EXECUTE)


def test_a_refusal_is_shown_no_longer_than_the_state_that_it_was_about() -> None:
    world = World(PRESSING)
    world.dialogue._alarms.take_all = print  # type: ignore[method-assign]
    world.remote.refusal = "press: abort is not allowed in aborting"
    world.dialogue._take_view(world.remote, View("press", State.EXECUTE, Mode.PRODUCTION))
    assert world.remote.refusal
    world.dialogue._take_view(world.remote, View("press", State.ABORTED, Mode.PRODUCTION))
    assert not world.remote.refusal


def test_words_that_nobody_fetched_do_not_pile_up() -> None:
    remote = Remote("press", "press")
    for number in range(3 * MOST_WORDS):
        remote.expect_word(str(number))
    assert len(remote.words) == MOST_WORDS
    assert str(3 * MOST_WORDS - 1) in remote.words
