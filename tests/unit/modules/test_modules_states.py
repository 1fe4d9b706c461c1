"""Hold, stop, abort, faults, guards, manual mode, and what is remembered over a restart."""

from types import ModuleType

import msgspec
import pytest

from cellctl.device import Pose
from cellctl.errors import StoreError
from cellctl.line.model import SafetyInput, Station
from cellctl.messages import Accepted, Alarm, Answer, Command, Event, Item, Refusal, View
from cellctl.packml import State, StateCommand


def command_of(bench: ModuleType, name: str, number: int) -> Command:
    return msgspec.structs.replace(getattr(bench, name), number=number)


def alarms_heard(client: object) -> list[Alarm]:
    return [m.alarm for m in client.heard if isinstance(m, Event) and m.alarm is not None]


def begin(run: object, client: object) -> None:
    """Until the first command is in hand."""
    run.until(lambda: any(isinstance(m, Accepted) for m in client.heard))


# --- hold and stop --------------------------------------------------------------------------------------------------


def test_hold_finishes_the_command_in_hand_and_says_so(bench: ModuleType) -> None:
    built, client = bench.a_press(), bench.Client([bench.PRESS])
    with bench.Run(built, client) as run:
        begin(run, client)
        client.instruct(StateCommand.HOLD)
        run.pause(0.1)
        assert client.view.state is State.HOLDING
        assert "command 1" in client.view.finishing
        run.until_state(State.HELD)
    assert client.answers[1].outcome == "done"


def test_a_held_module_refuses_commands_and_stores_nothing_of_them(bench: ModuleType) -> None:
    built, client = bench.a_press(), bench.Client([bench.PRESS])
    with bench.Run(built, client) as run:
        run.until_done()
        client.instruct(StateCommand.HOLD)
        run.until_state(State.HELD)
        before = len(run.records())
        client.send(msgspec.structs.replace(bench.PRESS, number=2, epoch=client.epoch))
        run.pause(0.1)
        refusal = client.heard[-1]
        assert isinstance(refusal, Refusal)
        assert "execute" in refusal.why
        assert len(run.records()) == before
    assert built.world.count["ran"] == 1


def test_a_held_module_is_held_after_a_restart(bench: ModuleType) -> None:
    built, client = bench.a_press(), bench.Client([bench.PRESS])
    with bench.Run(built, client) as run:
        run.until_done()
        client.instruct(StateCommand.HOLD)
        run.until_state(State.HELD)
        run.restart()
        run.pause(3.0)
        assert client.view.state is State.HELD


def test_a_module_that_was_executing_is_stopped_after_a_restart(bench: ModuleType) -> None:
    built, client = bench.a_press(), bench.Client([bench.PRESS])
    with bench.Run(built, client) as run:
        run.until_done()
        client.views.clear()
        run.restart()
        run.until_state(State.EXECUTE)
        states = [view.state for view in client.views]
    assert states[0] is State.STOPPED
    assert State.RESETTING in states


def test_stop_finishes_the_command_in_hand_and_then_halts(bench: ModuleType) -> None:
    built, client = bench.a_press(), bench.Client([bench.PRESS])
    with bench.Run(built, client) as run:
        begin(run, client)
        client.instruct(StateCommand.STOP)
        run.until_done()
        run.until(lambda: built.world.count["press.plc halted"] == 1)
    assert client.answers[1].outcome == "done"
    assert built.world.count["ran"] == 1


def test_the_belt_rests_when_nothing_is_in_hand(bench: ModuleType) -> None:
    built, client = bench.a_belt(), bench.Client([bench.ADVANCE])
    with bench.Run(built, client) as run:
        run.until_done()
        run.pause(0.2)
    assert built.world.speed == 0.0
    assert built.world.riders == {"p1": pytest.approx(0.4)}


def test_two_parts_travel_on_one_belt_at_a_time(bench: ModuleType) -> None:
    built = bench.a_belt()
    built.world.riders["p2"] = 0.4
    further = msgspec.structs.replace(
        bench.ADVANCE, number=2, items=(Item("p2", "belt.press", "belt.gauge"),)
    )
    client = bench.Client([further, bench.ADVANCE], one_by_one=False)
    with bench.Run(built, client) as run:
        run.until_done()
    assert {answer.outcome for answer in client.answers.values()} == {"done"}
    assert built.world.riders == {"p1": pytest.approx(0.4), "p2": pytest.approx(0.7)}


# --- abort and faults -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [("a_belt", "ADVANCE"), ("an_arm", "TRANSFER"), ("a_press", "PRESS")])
def test_an_abort_at_any_step_reconciles_like_a_crash(bench: ModuleType, case: tuple[str, str]) -> None:
    make, name = case
    reference = bench.Client([getattr(bench, name)])
    with bench.Run(getattr(bench, make)(), reference) as run:
        run.until_done()
        steps = range(40, run.universe.loop.steps, 5)
    for step in steps:
        built, client = getattr(bench, make)(), bench.Client([getattr(bench, name)])
        with bench.Run(built, client) as run:
            run.universe.at_step(step, lambda c=client: c.peer and c.instruct(StateCommand.ABORT))
            run.until_done()
        assert client.answers[1].outcome == "done", f"aborted at step {step}"
        assert client.answers[1].moves == reference.answers[1].moves
        twice = {n: c for n, c in built.world.count.items() if n in ("ran", "gripped", "passed 0") and c != 1}
        assert not twice, f"aborted at step {step}"


def test_an_abort_stops_at_once_and_leaves_the_command_unfinished(bench: ModuleType) -> None:
    built, client = bench.a_belt(), bench.Client([bench.ADVANCE], clears=False)
    with bench.Run(built, client) as run:
        begin(run, client)
        run.pause(0.5)
        client.instruct(StateCommand.ABORT)
        run.until_state(State.ABORTED)
        assert built.world.speed == 0.0
        assert run.inquire().doing == (1,)
        assert not client.answers


def test_aborted_means_that_nothing_is_being_broken_off_any_more(bench: ModuleType) -> None:
    built, client = bench.a_press(bench.fakes.SLOW_PLC), bench.Client([bench.PRESS], clears=False)
    with bench.Run(built, client) as run:
        run.until(lambda: built.world.count["ran"] == 1)
        client.instruct(StateCommand.ABORT)
        run.until_state(State.ABORTING)
        run.pause(0.1)
        assert client.view.state is State.ABORTING
        run.until_state(State.ABORTED)
        assert built.world.count["tidied up"] == 1


def test_a_device_fault_aborts_only_its_module_and_is_settled_after_the_reset(bench: ModuleType) -> None:
    arm, press = bench.an_arm(), bench.a_press()
    both = bench.build(
        (arm.line.modules["arm"], {n: d.declaration for n, d in arm.line.devices.items()}),
        (press.line.modules["press"], {n: d.declaration for n, d in press.line.devices.items()}),
    )
    both.world.lying = dict(arm.world.lying)
    client = bench.Client([bench.TRANSFER], clears=False)
    other = bench.Client([bench.PRESS])
    with bench.Run(both, client) as run:
        run.universe.start("other", other.run)
        run.until(lambda: both.world.count["gripped"] == 1 or client.done_at)
        both.world.faulty["arm.controller"] = "joint 3 is overloaded"
        run.until_state(State.ABORTED)
        run.until(lambda: bool(other.done_at))
        assert other.view.state is State.EXECUTE
        assert not other.view.alarms
        alarm = next(a for a in alarms_heard(client) if a.code == "M002")
        assert (alarm.source, "joint 3" in alarm.text) == ("arm.controller", True)
        assert alarm.cause
        assert alarm.remedy
        client.clears = True
        run.until_done()
    assert both.world.count["gripped"] == both.world.count["let go"] == 1
    assert client.answers[1].outcome == "done"


def test_a_fault_of_an_idle_device_is_found_and_aborts(bench: ModuleType) -> None:
    built, client = bench.an_arm(), bench.Client([bench.TRANSFER], clears=False)
    with bench.Run(built, client) as run:
        run.until_done()
        built.world.faulty["arm.controller"] = "brake"
        run.until_state(State.ABORTED)
    assert any(a.code == "M002" for a in alarms_heard(client))


def test_a_device_that_does_not_answer_is_named_and_tried_again_while_others_work(bench: ModuleType) -> None:
    press, feeder = bench.a_press(), bench.a_feeder()
    both = bench.build(
        (press.line.modules["press"], {n: d.declaration for n, d in press.line.devices.items()}),
        (feeder.line.modules["bowls"], {n: d.declaration for n, d in feeder.line.devices.items()}),
    )
    both.world.silent.add("press.plc")
    client, other = bench.Client([bench.PRESS]), bench.Client([bench.FEED])
    with bench.Run(both, client) as run:
        run.universe.start("other", other.run)
        run.until(lambda: bool(other.done_at))
        alarm = client.view.alarms[0]
        assert (alarm.code, alarm.source) == ("M001", "press.plc")
        assert "fake:1" in alarm.text
        assert client.view.state is State.STOPPED
        run.until(lambda: any(isinstance(m, Refusal) and "press.plc" in m.why for m in client.heard))
        both.world.silent.clear()
        run.until_done()
        assert not client.view.alarms


def test_a_journal_that_cannot_be_written_halts_the_devices_and_ends_the_process(bench: ModuleType) -> None:
    built, client = bench.a_belt(), bench.Client([bench.ADVANCE])
    with bench.Run(built, client) as run:
        begin(run, client)
        run.pause(0.5)
        assert built.world.speed > 0
        run.universe.disk("cell").fail("no space left")
        with pytest.raises(Exception, match="journal cell cannot be written") as caught:
            run.pause(5.0)
    assert isinstance(caught.value.__cause__, StoreError)
    assert built.world.speed == 0.0


# --- guards and manual mode -------------------------------------------------------------------------------------------


def test_an_open_guard_gives_one_first_out_alarm_and_aborts_its_members(bench: ModuleType) -> None:
    belt = bench.a_belt()
    line = belt.line
    guarded = type(line)(
        **{
            **{f: getattr(line, f) for f in line.__dataclass_fields__},
            "safety": (SafetyInput("door", "io1.di5", ("belt",)),),
        }
    )
    built = bench.Bench(guarded, belt.world)
    built.world.inputs[5] = True
    client = bench.Client([bench.ADVANCE], clears=False)
    with bench.Run(built, client) as run:
        begin(run, client)
        run.pause(0.5)
        built.world.inputs[5] = False
        run.until_state(State.ABORTED)
        assert built.world.speed == 0.0
        guard = [a for a in client.view.alarms if a.code == "M020"]
        assert [(a.source, a.first_out) for a in guard] == [("door", True)]
        built.world.inputs[5] = True
        run.until(lambda: not client.view.alarms)
        client.clears = True
        run.until_done()
    assert built.world.count["passed 0"] == 1


def test_the_arm_goes_back_to_the_nest_after_it_was_moved_away_by_hand(bench: ModuleType) -> None:
    hits = 0
    reference = bench.Client([bench.TRANSFER])
    with bench.Run(bench.an_arm(), reference) as run:
        run.until_done()
        steps = range(80, run.universe.loop.steps)
    for step in steps:
        built, client = bench.an_arm(), bench.Client([bench.TRANSFER])
        with bench.Run(built, client) as run:
            moved = []

            def kill_and_move(run=run, built=built, moved=moved) -> None:
                if built.world.tool == (0.1, 0.0, 0.0) and not built.world.held and not moved:
                    moved.append(True)
                    run.universe.kill("cell")
                    built.world.tool = (0.15, 0.1, 0.2)
                    run.universe.at(run.universe.now + 0.5, lambda: run.universe.restart("cell"))

            run.universe.at_step(step, kill_and_move)
            run.until_done()
        hits += len(moved)
        assert client.answers[1].outcome == "done", f"moved away at step {step}"
        assert built.world.count["dragged through the nest"] == 0, f"moved away at step {step}"
    assert hits > 5


# --- small things ---------------------------------------------------------------------------------------------------


def test_moves_are_published_in_order_with_their_command_and_index(bench: ModuleType) -> None:
    client = bench.Client([bench.TRANSFER])
    with bench.Run(bench.an_arm(), client) as run:
        run.until_done()
    events = [m for m in client.heard if isinstance(m, Event) and m.move is not None]
    assert [(e.source, e.command, e.index, e.move.place) for e in events] == [
        ("arm", 1, 0, "arm.gripper"),
        ("arm", 1, 1, "arm.b"),
    ]


def test_events_are_numbered_without_a_gap(bench: ModuleType) -> None:
    client = bench.Client([bench.TRANSFER])
    with bench.Run(bench.an_arm(), client) as run:
        run.until_done()
    numbers = [m.number for m in client.heard if isinstance(m, Event)]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_a_view_in_idle_has_fresh_sensor_readings(bench: ModuleType) -> None:
    client = bench.Client([bench.ADVANCE])
    with bench.Run(bench.a_belt(), client) as run:
        run.until_done()
    idle = next(view for view in client.views if view.state is State.IDLE)
    assert idle.occupied == {
        "belt.load": True,
        "belt.press": False,
        "belt.gauge": False,
        "belt.exit": False,
    }


def test_a_gripper_that_closes_on_nothing_is_a_miss_and_moves_nothing(bench: ModuleType) -> None:
    built, client = bench.an_arm(), bench.Client([bench.TRANSFER])
    built.world.lying.clear()
    with bench.Run(built, client) as run:
        run.until_done()
    assert client.answers[1] == msgspec.structs.replace(client.answers[1], outcome="missed", moves=())


def test_a_part_lost_on_the_way_is_dropped_and_nobody_knows_where(bench: ModuleType) -> None:
    built, client = bench.an_arm(), bench.Client([bench.TRANSFER])
    with bench.Run(built, client) as run:

        def drop() -> None:
            if built.world.held:
                built.world.held = ""

        for step in range(100, 260):
            run.universe.at_step(step, drop)
        run.until_done()
    answer = client.answers[1]
    assert (answer.outcome, answer.moves[-1].place) == ("dropped", "?")


def test_a_part_that_never_arrives_is_a_jam_and_is_still_on_the_belt(bench: ModuleType) -> None:
    built, client = bench.a_belt(), bench.Client([bench.ADVANCE])
    with bench.Run(built, client) as run:
        run.until(lambda: built.world.count["passed 0"] == 1)
        built.world.riders.clear()
        run.until_done()
    answer = client.answers[1]
    assert (answer.outcome, [m.place for m in answer.moves]) == ("jam", ["belt"])


def test_an_empty_feeder_says_so(bench: ModuleType) -> None:
    built, client = bench.a_feeder(), bench.Client([bench.FEED])
    built.world.stock = 0
    with bench.Run(built, client) as run:
        run.until_done()
    assert (client.answers[1].outcome, client.answers[1].moves) == ("empty", ())


def test_a_feature_out_of_its_limits_is_rejected_with_its_value(bench: ModuleType) -> None:
    built, client = bench.a_gauge(), bench.Client([bench.MEASURE])
    built.world.reading = 0.0190
    with bench.Run(built, client) as run:
        run.until_done()
    answer: Answer = client.answers[1]
    assert (answer.outcome, answer.results) == ("reject", {"height": 0.0190})


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"program": "clsoe", "force": 40.0}, "did you mean close"),
        ({"program": "close"}, "takes force"),
        ({"program": "close", "force": 70.0}, "outside 20"),
        ({"program": "close", "force": 40.0, "time": 1.0}, "'time'"),
    ],
)
def test_a_command_that_cannot_be_done_is_refused_and_says_why(
    bench: ModuleType, parameters: dict, why: str
) -> None:
    built = bench.a_press()
    client = bench.Client([msgspec.structs.replace(bench.PRESS, parameters=parameters)])
    with bench.Run(built, client) as run:
        run.until(lambda: any(isinstance(m, Refusal) and m.number == 1 for m in client.heard))
        assert not [r for r in run.records() if type(r).__name__ == "Taken"]
    refusal = next(m for m in client.heard if isinstance(m, Refusal) and m.number == 1)
    assert why in refusal.why


def test_a_place_without_a_pose_is_refused(bench: ModuleType) -> None:
    command = msgspec.structs.replace(bench.TRANSFER, items=(Item("c1", "arm.a", "arm.c"),))
    client = bench.Client([command])
    with bench.Run(bench.an_arm(), client) as run:
        run.until(lambda: any(isinstance(m, Refusal) and m.number == 1 for m in client.heard))
    assert "arm.c" in next(m.why for m in client.heard if isinstance(m, Refusal) and m.number == 1)


def test_an_inquiry_is_answered_with_the_view(bench: ModuleType) -> None:
    client = bench.Client([bench.MEASURE])
    with bench.Run(bench.a_gauge(), client) as run:
        run.until_done()
        assert any(isinstance(m, View) for m in client.heard)


def test_the_pose_of_a_nest_lies_in_the_grid(bench: ModuleType) -> None:
    from cellctl.line.model import Grid
    from cellctl.line.reachable import in_grid

    tray = Station("arm.tray", "arm", grid=Grid(3, 2, 0.02, 0.03))
    assert in_grid(Pose(0.1, 0.2, 0.0), tray, 4) == Pose(pytest.approx(0.12), pytest.approx(0.23), 0.0)
