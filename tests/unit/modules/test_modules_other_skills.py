"""Hold and let go, making parts, belts that index, and the hand-over from belt to belt."""

from dataclasses import replace
from types import ModuleType

import modules_fakes as fakes
import msgspec
import pytest

from cellctl import kinds
from cellctl.kinds import ConveyorOptions
from cellctl.line.model import Module, Station
from cellctl.messages import Command, Item, Move
from cellctl.packml import State


def advance(number: int, *items: tuple[str, str, str], skill: str = "advance") -> Command:
    return Command(number, "belt", 0, 1, skill, tuple(Item(*item) for item in items))


# --- hold and let go ------------------------------------------------------------------------------------------------


def test_a_part_is_held_where_it_stands_and_let_go_again(bench: ModuleType) -> None:
    built = bench.an_arm()
    hold = Command(1, "arm", 0, 1, "hold", (Item("c1", "arm.a"),))
    client = bench.Client([hold])
    with bench.Run(built, client) as run:
        run.until_done()
        assert built.world.held == "c1"
        client.commands, client.done_at = [msgspec.structs.replace(hold, number=2, skill="let_go")], 0.0
        run.until(lambda: 2 in client.answers)
    assert built.world.lying == {"c1": (pytest.approx(0.1), 0.0, 0.0)}
    assert built.world.tool[2] == pytest.approx(bench.UP)
    assert [(answer.outcome, answer.moves) for answer in client.all_answers] == [("done", ()), ("done", ())]


def test_nothing_to_hold_is_a_miss(bench: ModuleType) -> None:
    built = bench.an_arm()
    client = bench.Client([Command(1, "arm", 0, 1, "hold", (Item("c1", "arm.b"),))])
    with bench.Run(built, client) as run:
        run.until_done()
    assert client.answers[1].outcome == "missed"


# --- making parts ---------------------------------------------------------------------------------------------------


def test_made_parts_come_into_being_at_their_places_when_the_program_has_ended(bench: ModuleType) -> None:
    items = (Item("p1", "", "press.plate#0"), Item("p2", "", "press.plate#1"))
    make = msgspec.structs.replace(bench.PRESS, skill="make", items=items)
    client = bench.Client([make])
    with bench.Run(bench.a_press(), client) as run:
        run.until_done()
    assert client.answers[1].moves == (Move("p1", "press.plate#0"), Move("p2", "press.plate#1"))
    assert client.answers[1].results == {"peak": 41.5}


# --- indexing -------------------------------------------------------------------------------------------------------


class IndexedBelt(fakes.World):
    """Stops without stoppers: parts ride on whatever the belt does."""

    def go_on(self, now: float) -> None:
        way, self.now = self.speed * (now - self.now), now
        for name in self.riders:
            self.riders[name] += way
        self.count["travelled [mm]"] += round(way * 1000)


def an_indexing_belt(bench: ModuleType) -> object:
    built = bench.a_belt()
    belt: Module = built.line.modules["belt"]
    options = ConveyorOptions(speed="150 mm/s", indexing=True, pitch="300 mm")
    stops = tuple(replace(station, stopper="") for station in belt.stations)
    built.line.modules["belt"] = replace(belt, options=options, stations=stops)
    world = next(name for name, world in fakes.WORLDS.items() if world is built.world)
    built.world = fakes.WORLDS[world] = IndexedBelt(stops=built.world.stops, riders={"p1": 0.1, "p2": 0.4})
    return built


INDEX = advance(1, ("p1", "belt.load", "belt.press"), ("p2", "belt.press", "belt.gauge"))


def test_an_indexing_belt_moves_everything_by_one_pitch(bench: ModuleType) -> None:
    built, client = an_indexing_belt(bench), bench.Client([INDEX])
    with bench.Run(built, client) as run:
        run.until_done()
        run.pause(0.5)
    assert client.answers[1].moves == (Move("p1", "belt.press"), Move("p2", "belt.gauge"))
    assert built.world.riders["p1"] == pytest.approx(0.4, abs=0.02)
    assert built.world.speed == 0.0


def test_an_index_is_not_done_twice_whenever_the_process_dies(bench: ModuleType) -> None:
    """With a drive that stops when its controller falls silent; one that runs on takes the belt beyond any eye."""
    reference = bench.Client([INDEX])
    with bench.Run(an_indexing_belt(bench), reference) as run:
        run.until_done()
        steps = range(1, run.universe.loop.steps + 5)
    for step in steps[::2]:
        built, client = an_indexing_belt(bench), bench.Client([INDEX])
        with bench.Run(built, client) as run:
            run.kill_at(step, watchdogs=True)
            run.until_done()
            run.pause(0.5)
        assert client.answers[1].outcome == "done", f"killed at step {step}"
        assert built.world.riders["p1"] == pytest.approx(0.4, abs=0.02), f"killed at step {step}"
        assert not client.questions


def test_a_belt_that_looks_the_same_before_and_after_asks_a_person(bench: ModuleType) -> None:
    """Full before and full after, as when a part is put in at the front: no eye can tell."""
    full = advance(1, ("p1", "belt.load", "belt.press"), ("p2", "belt.press", "belt.load"))
    client = bench.Client([full], settle=lambda question: "done")
    built = an_indexing_belt(bench)
    with bench.Run(built, client) as run:
        run.until(lambda: built.world.speed > 0)
        run.universe.kill("cell")
        built.world.watchdogs_expire(run.universe.now)
        built.world.riders = {"p1": 0.4, "p2": 0.1}
        run.universe.restart("cell")
        run.until_done()
    assert "same before and after" in next(iter(client.questions.values())).text


# --- hand-over ------------------------------------------------------------------------------------------------------


def test_a_belt_that_expects_a_part_runs_on_until_it_has_collected_it(bench: ModuleType) -> None:
    built = bench.a_belt()
    built.world.riders.clear()
    expect = advance(1, ("p1", "other.end", "belt.load"), skill="expect")
    client = bench.Client([expect])
    with bench.Run(built, client) as run:
        run.until_done()
        run.pause(1.0)
        assert built.world.speed == pytest.approx(0.15)
        built.world.riders["p1"] = 0.0
        client.commands, client.done_at = [msgspec.structs.replace(expect, number=2, skill="collect")], 0.0
        run.until(lambda: 2 in client.answers)
        run.pause(0.3)
        assert built.world.speed == 0.0
    assert client.answers[1].moves == ()
    assert client.answers[2].moves == (Move("p1", "belt.load"),)


def test_a_part_that_is_given_is_on_its_way_on_the_other_belt(bench: ModuleType) -> None:
    built = bench.a_belt()
    other = Station("next.in", "next", at=0.1, eye="io1.di5")
    built.line.modules["next"] = Module(
        "next", kinds.CONVEYOR, ConveyorOptions(speed="150 mm/s"), "elsewhere", {}, stations=(other,)
    )
    built.world.riders = {"p1": 0.7}
    client = bench.Client([advance(1, ("p1", "belt.gauge", "next.in"), skill="give")])
    with bench.Run(built, client) as run:
        run.until_done()
        assert client.view.state is State.EXECUTE
    assert [move.place for move in client.answers[1].moves] == ["belt", "next"]
    assert built.world.fallen == ["p1"]
