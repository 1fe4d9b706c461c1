"""A stop is free when the part ahead has left by its own length, and not while the belt stands too early."""

from dataclasses import replace
from types import ModuleType

import pytest

from cellctl import kinds
from cellctl.journal import ActionBegan, ActionEnded
from cellctl.kinds import ConveyorOptions
from cellctl.line.model import Module, Station
from cellctl.messages import Command, Item, Move
from cellctl.modules.stops import Watch

LENGTH = 0.04  # [m] of a part, of which an eye sees the 30 mm in the middle
PRESS = Command(1, "belt", 0, 1, "advance", (Item("p1", "belt.load", "belt.press"),))


@pytest.fixture(autouse=True)
def nobody_else_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The module's own watch over its devices, which looks every 2 s, finds a fault often enough before an action."""
    monkeypatch.setattr("cellctl.modules.host.WATCH", 1000.0)


def left_by(built: object) -> float:
    """How far p1 is from the stop that it left [m]."""
    return float(built.world.riders["p1"]) - 0.1


def is_free(run: object) -> bool:
    """Whether the belt has on record that p1 has left its stop."""
    return Move("p1", "belt") in moves(run)


def moves(run: object) -> list[Move]:
    return [move for record in run.records() if isinstance(record, ActionEnded) for move in record.moves]


def trip(run: object) -> None:
    """The drive goes into fault, and the belt stands at once."""
    world = run.bench.world
    world.go_on(run.universe.now)
    world.speed, world.faulty["belt.drive"] = 0.0, "overcurrent"


def until_clear(run: object) -> None:
    """Until the eye of the loading stop sees p1 no more; it is less than its length away."""
    run.until(lambda: not run.bench.world.sees(0))
    run.bench.world.go_on(run.universe.now)
    assert 0.015 < left_by(run.bench) < 0.03


def test_a_stop_is_free_when_the_part_has_left_by_its_length(bench: ModuleType) -> None:
    built, client = bench.a_belt(), bench.Client([PRESS])
    with bench.Run(built, client) as run:
        until_clear(run)
        assert built.world.lowered == set()  # a part close behind must not come by
        run.until(lambda: is_free(run))
        assert left_by(built) >= LENGTH


def test_a_stop_whose_part_a_tripped_drive_left_too_near_is_not_free(bench: ModuleType) -> None:
    built, client = bench.a_belt(), bench.Client([PRESS])
    with bench.Run(built, client) as run:
        until_clear(run)
        trip(run)
        run.pause(3.0)
        assert not is_free(run)
        built.world.faulty.clear()
        run.until(lambda: is_free(run))
        assert left_by(built) >= LENGTH
        run.until_done()
    assert (client.answers[1].outcome, built.world.count["passed 0"]) == ("done", 1)


def test_the_release_is_begun_once_whatever_the_drive_does(bench: ModuleType) -> None:
    built, client = bench.a_belt(), bench.Client([PRESS])
    with bench.Run(built, client) as run:
        until_clear(run)
        trip(run)
        run.pause(1.0)
        built.world.faulty.clear()
        run.until_done()
        begun = [r.name for r in run.records() if isinstance(r, ActionBegan) and r.command]
    assert begun == ["run", "release belt.load", "arrive belt.press"]


def test_a_part_that_was_far_enough_when_the_drive_tripped_goes_on_later(bench: ModuleType) -> None:
    built, client = bench.a_belt(), bench.Client([PRESS])
    with bench.Run(built, client) as run:
        run.until(lambda: is_free(run))
        trip(run)
        run.pause(10.0)  # more than its patience
        assert client.answers == {}
        built.world.faulty.clear()
        run.until_done()
    assert (client.answers[1].outcome, client.answers[1].moves[-1]) == ("done", Move("p1", "belt.press"))


def test_behind_a_clear_eye_the_belt_runs_on_after_a_crash(bench: ModuleType) -> None:
    """The drive stopped when its controller fell silent, and nobody knows when."""
    built, client = bench.a_belt(), bench.Client([PRESS])
    with bench.Run(built, client) as run:
        until_clear(run)
        built.world.watchdogs_expire(run.universe.now)
        run.restart()
        run.until(lambda: is_free(run))
        assert left_by(built) >= LENGTH
        run.until_done()
    assert (client.answers[1].outcome, built.world.count["passed 0"]) == ("done", 1)
    assert not client.questions


def test_a_part_that_a_tripped_drive_did_not_let_leave_is_no_jam(bench: ModuleType) -> None:
    built, client = bench.a_belt(), bench.Client([PRESS])
    with bench.Run(built, client) as run:
        run.until(lambda: bool(built.world.lowered))
        trip(run)
        run.pause(7.0)  # more than its patience
        built.world.faulty.clear()
        run.until_done()
    assert client.answers[1].outcome == "done"


def test_a_part_is_not_on_the_next_belt_while_the_drive_stands(bench: ModuleType) -> None:
    built = bench.a_belt()
    following = Station("next.in", "next", at=0.1, eye="io1.di5")
    options = ConveyorOptions(speed="150 mm/s")
    built.line.modules["next"] = Module("next", kinds.CONVEYOR, options, "far", {}, stations=(following,))
    built.world.riders = {"p1": 0.7}
    client = bench.Client([Command(1, "belt", 0, 1, "give", (Item("p1", "belt.gauge", "next.in"),))])
    with bench.Run(built, client) as run:
        run.until(lambda: is_free(run))
        trip(run)
        run.pause(5.0)
        assert moves(run) == [Move("p1", "belt")]
        built.world.faulty.clear()
        run.until_done()
    assert (moves(run)[1:], built.world.fallen) == ([Move("p1", "next")], ["p1"])


def test_an_index_that_a_tripped_drive_broke_off_goes_on(bench: ModuleType) -> None:
    built = bench.a_belt()
    options = ConveyorOptions(speed="150 mm/s", indexing=True, pitch="300 mm", patience="0.1 s")
    built.line.modules["belt"] = replace(built.line.modules["belt"], options=options)
    built.world.lowered = {0, 1, 2}
    client = bench.Client([PRESS])
    with bench.Run(built, client) as run:
        run.until(lambda: left_by(built) > 0.1)
        trip(run)
        run.pause(4.0)  # more than its patience
        built.world.faulty.clear()
        run.until_done()
    assert client.answers[1].outcome == "done"


# --- what a look can have missed ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("soonest", "misses"), [(0.7, True), (0.9, False), (1.1, False)])
def test_before_the_first_look_a_part_has_passed_that_was_due_so_long_ago(
    soonest: float, misses: bool
) -> None:
    watch = Watch(lambda: 1.0, covers=0.2, soonest=soonest, latest=2.0, unwatched_since=soonest)
    watch.looked(0.001)
    assert watch.may_have_missed is misses


def test_only_the_first_look_ends_the_time_before_it() -> None:
    times = iter((1.0, 3.0))
    watch = Watch(lambda: next(times), covers=0.2, soonest=0.9, latest=9.0, unwatched_since=0.9)
    watch.looked(0.001)
    watch.looked(0.001)
    assert not watch.may_have_missed
