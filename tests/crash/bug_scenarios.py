"""Families of scenarios that can reach planted bugs: as the search draws them, or aimed at what the bug concerns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cellctl.line.model import Line
from cellctl.messages import Command, Item
from cellctl_sim.aimed_kills import EffectKill
from cellctl_sim.crash_search import Recipe, draw
from cellctl_sim.plant.faults import Fault
from cellctl_sim.process_faults import ProcessFault, read_faults
from cellctl_sim.scenario import Latencies, Scenario
from cellctl_sim.simulation import Order
from cellctl_sim.universe import Universe

Stage = Callable[[Universe], object]


def one_part(
    recipe: Recipe, seed: int, *faults: Any, slow: bool = False, kills: tuple[EffectKill, ...] = ()
) -> Scenario:
    disks = dict.fromkeys(("belt", "arm", "io2", "press", "gauge", "runner"), 0.05) if slow else {}
    order = Order("o1", recipe.text, recipe.source, recipe.variants[0], 1)
    latencies = Latencies(200e-6, 200e-6 if slow else 1e-3, disks)
    return Scenario(seed, "automatic", (order,), latencies, tuple(faults), kills)


def as_drawn(line: Line, recipe: Recipe, seed: int) -> tuple[Scenario, Stage]:
    return draw(line, recipe, seed), lambda universe: None


def killed_at_work(
    process: str, least: float, most: float, away: float
) -> Callable[..., tuple[Scenario, Stage]]:
    """Killed at instants spread over a time in which it works, with slow disks."""

    def scenario(line: Line, recipe: Recipe, seed: int) -> tuple[Scenario, Stage]:
        at = least + (most - least) * (seed * 0.618 % 1.0)
        kill = ProcessFault.model_validate({"process": process, "fault": "kill", "at": at, "for": away})
        return one_part(recipe, seed, kill, slow=True), lambda universe: None

    return scenario


def killed_as_it_starts(line: Line, recipe: Recipe, seed: int) -> tuple[Scenario, Stage]:
    """The press's process is killed right after the PLC has its program, with slow disks."""
    plc = line.devices["press.plc"].address

    def stage(universe: Universe) -> None:
        killed: list[float] = []

        def watch(who: str, what: str) -> None:
            if who == plc and "write of 20" in what and not killed:
                killed.append(universe.now)
                at = universe.now + 0.01 * seed
                universe.at(at, lambda: universe.kill("press"))
                universe.at(at + 0.4, lambda: universe.restart("press"))

        universe.trace.watch = watch

    return one_part(recipe, seed, slow=True), stage


def killed_as_it_lets_go(line: Line, recipe: Recipe, seed: int) -> tuple[Scenario, Stage]:
    """The belt's process is killed right after the start of a release is on record, before the stopper moves."""

    def stage(universe: Universe) -> None:
        disk, lettings_go = universe.disk("belt"), []

        def watch(who: str, what: str) -> None:
            if (who, what) == ("belt", "durable") and b"release" in disk.durable[-1]:
                lettings_go.append(universe.now)
                if len(lettings_go) == 1 + seed % 3:
                    universe.at(universe.now, lambda: universe.kill("belt"))
                    universe.at(universe.now + 0.4, lambda: universe.restart("belt"))

        universe.trace.watch = watch

    return one_part(recipe, seed), stage


def slow_press(line: Line, recipe: Recipe, seed: int) -> tuple[Scenario, Stage]:
    fault = Fault.model_validate(
        {"device": "press.plc", "fault": "stall", "at": 15.0 + 0.2 * seed, "for": 9.0}
    )
    return one_part(recipe, seed, fault), lambda universe: None


def powerless_press(line: Line, recipe: Recipe, seed: int) -> tuple[Scenario, Stage]:
    at = 13.0 + 5.0 * (seed * 0.618 % 1.0)
    fault = Fault.model_validate({"device": "press.plc", "fault": "power_loss", "at": at, "for": 0.5})
    return one_part(recipe, seed, fault), lambda universe: None


def shortened(line: Line, recipe: Recipe, seed: int) -> tuple[Scenario, Stage]:
    """The arm's journal loses its last records, those of a command among them, while it is down."""
    at = 8.0 + 6.0 * (seed * 0.618 % 1.0)
    kill = ProcessFault.model_validate({"process": "arm", "fault": "kill", "at": at, "for": 1.5})

    def shorten(universe: Universe) -> None:
        universe.at(at + 1.0, lambda: universe.disk("arm").durable.__delitem__(slice(-14, None)))

    return one_part(recipe, seed, kill), shorten


def stale_command(line: Line, recipe: Recipe, seed: int) -> tuple[Scenario, Stage]:
    """A command of a lease that is over arrives after the next one was granted."""
    cut = read_faults([{"process": "arm", "fault": "cut", "at": 7.0, "for": 1.5}])

    item = Item("c900", "boards.pick", "belt.load", "board", "p1")
    old = Command(number=900, module="arm", epoch=1, oldest=1, skill="insert", items=(item,))

    def stage(universe: Universe) -> None:
        universe.at(14.0 + 0.1 * seed, lambda: universe.bus.to_server("runner", "arm", old))

    return one_part(recipe, seed, *cut), stage


def killed_while_it_begins_its_journal_again(line: Line, recipe: Recipe, seed: int) -> tuple[Scenario, Stage]:
    """Journals begin again after 20 records; what is killed right before a commit is durable leaves a torn one."""
    names = ("belt", "arm", "io2", "press", "gauge")
    name = names[seed % len(names)]
    share = 0.3 + 0.68 * (seed * 0.618 % 1.0)
    torn = ProcessFault.model_validate({"process": name, "fault": "torn_disk", "for": 100.0, "value": share})

    def stage(universe: Universe) -> None:
        disk, killed = universe.disk(name), []

        def strike(rows: int) -> None:
            if disk.busy and not killed and sum(len(batch.rows) for batch in disk._syncing) > rows:
                killed.append(universe.now)
                universe.kill(name)
                universe.at(universe.now + 0.3, lambda: universe.restart(name))

        for tick in range(1200):
            universe.at(4.0 + 0.1 * seed + 0.011 * tick, lambda: strike(4))

    scenario = one_part(recipe, seed, torn, slow=True)
    return replace(scenario, longest=20), stage


def echoes(line: Line, recipe: Recipe, seed: int) -> tuple[Scenario, Stage]:
    """Everything between the runner and a process comes twice, the second time up to seconds later."""
    name = ("arm", "belt", "io2", "press")[seed % 4]
    twice = ProcessFault.model_validate({"process": name, "fault": "doubled", "for": 100.0, "value": 1.0})
    return one_part(recipe, seed, twice), lambda universe: None


def cut_off_and_killed(line: Line, recipe: Recipe, seed: int) -> tuple[Scenario, Stage]:
    """A process answers while nobody hears it, begins its journal again, and is killed before it is heard."""
    name = ("arm", "press", "belt", "gauge")[seed % 4]
    at = 7.0 + 10.0 * (seed * 0.618 % 1.0)
    faults = read_faults(
        [
            {"process": name, "fault": "cut", "at": at, "for": 6.0},
            {"process": name, "fault": "kill", "at": at + 5.0, "for": 0.5},
        ]
    )
    return replace(one_part(recipe, seed, *faults), longest=20), lambda universe: None
