"""Crash search: from a seed a scenario of orders, latencies and faults; run it, and have the checkers judge it.

    findings = try_seed(line, recipe, 4711).findings        # empty when all is well

Latencies of disks, bus and links are drawn over three decades: a window that is shut at the usual ones is open at
others. Kills come at instants, and right after effects: when a message has left or arrived, when rows are durable.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from cellctl.line.model import Line
from cellctl_sim.aimed_kills import EffectKill
from cellctl_sim.assassin import Assassin
from cellctl_sim.checkers import Finding, check
from cellctl_sim.evidence import Evidence, gather
from cellctl_sim.hostility import doubtful_devices, draw_hostility
from cellctl_sim.plant.faults import Fault
from cellctl_sim.process_faults import Kind, ProcessFault
from cellctl_sim.scenario import USUAL, Latencies, Scenario
from cellctl_sim.simulation import Order, Result, simulate
from cellctl_sim.universe import Universe

MOST_KILLS = 6
LINK_FAULTS = ("cut", "silent", "mute", "late")
EFFECTS_OF_A_PART = 500  # about as many as one part of the puck line causes, with a share of the start


@dataclass(frozen=True, slots=True)
class Trial:
    """A scenario and what came of it; `result` is None when the world itself broke.

    `struck` are the kills that were aimed at effects and steps, at the instants at which they fell.
    """

    scenario: Scenario
    findings: list[Finding]
    result: Result | None = field(default=None, repr=False)
    struck: list[ProcessFault] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is ordered: the recipe file's text and name, and its variants."""

    text: str
    source: str
    variants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pace:
    """How a line makes its orders when nothing disturbs it; what is drawn is spread over that."""

    span: float  # [s]
    effects: int
    steps: int  # of the loop

    @property
    def until(self) -> float:
        """The time [s] after which a disturbed line counts as stuck."""
        return 300.0 + 10.0 * self.span


def draw(line: Line, recipe: Recipe, seed: int) -> Scenario:
    """The scenario of a seed, its orders drawn too."""
    dice = random.Random(seed)
    quantities = [dice.randint(1, 2) for _ in range(dice.randint(1, 2))]
    orders = tuple(
        Order(f"o{i}", recipe.text, recipe.source, dice.choice(recipe.variants), quantity)
        for i, quantity in enumerate(quantities, start=1)
    )
    parts = sum(quantities)
    span = 16.0 + 8.0 * parts  # [s] that it takes undisturbed, or a little more
    return _disturbed(dice, line, orders, seed, span, EFFECTS_OF_A_PART * (parts + 1))


def draw_for(line: Line, orders: Sequence[Order], pace: Pace, seed: int) -> Scenario:
    """The scenario of a seed for these orders."""
    scenario = _disturbed(random.Random(seed), line, tuple(orders), seed, pace.span, pace.effects)
    return replace(scenario, until=pace.until)


def undisturbed(line: Line, orders: Sequence[Order], seed: int = 0) -> Scenario:
    """Nothing happens; the latencies are the usual ones for seed 0, drawn for others."""
    latencies = _latencies(random.Random(seed), line) if seed else USUAL
    return Scenario(seed, "automatic", tuple(orders), latencies, (), ())


def _disturbed(
    dice: random.Random, line: Line, orders: tuple[Order, ...], seed: int, span: float, effects: int
) -> Scenario:
    kills = dice.randint(1, MOST_KILLS)
    timed = dice.randint(0, kills)
    faults: list[Fault | ProcessFault] = [_kill(dice, line, span) for _ in range(timed)]
    if dice.random() < 0.4:
        faults += [_cut(dice, line, span) for _ in range(dice.randint(1, 3))]
    if dice.random() < 0.5:
        faults += [_link_fault(dice, line, span) for _ in range(dice.randint(1, 3))]
    faults += _mishaps(dice, line, span)
    faults += draw_hostility(random.Random(f"hostility of {seed}"), line, span)
    aimed = tuple(_aimed(dice, effects) for _ in range(kills - timed))
    restart = dice.choice(("automatic", "operator"))
    latencies = _latencies(dice, line)
    longest = dice.choice((20, 60, 200, 20_000))
    return Scenario(seed, restart, orders, latencies, tuple(faults), aimed, longest)


def _aimed(dice: random.Random, effects: int) -> EffectKill:
    effect, delay = dice.randrange(effects), dice.choice((0.0, 1e-4, 1e-3, 1e-2))
    return EffectKill(effect=effect, after=delay, **{"for": _away(dice)})


def _away(dice: random.Random) -> float:
    return _between(dice, 0.1, 5.0)


def _fault(dice: random.Random, span: float, device: str, fault: str, value: float | None = None) -> Fault:
    at, lasts = dice.uniform(0.0, span), _away(dice)
    return Fault.model_validate({"device": device, "fault": fault, "at": at, "for": lasts, "value": value})


def _between(dice: random.Random, least: float, most: float) -> float:
    """Evenly over the decades."""
    return float(least * (most / least) ** dice.random())


def _latencies(dice: random.Random, line: Line) -> Latencies:
    if dice.random() < 0.3:
        return USUAL
    disks = {name: _between(dice, 5e-5, 0.1) for name in (*line.processes, "runner")}
    return Latencies(_between(dice, 5e-5, 0.05), _between(dice, 2e-4, 0.02), disks)


def _kill(dice: random.Random, line: Line, span: float) -> ProcessFault:
    process = dice.choice([*line.processes, "runner"])
    return ProcessFault(process=process, fault=Kind.KILL, at=dice.uniform(0.0, span), **{"for": _away(dice)})


def _cut(dice: random.Random, line: Line, span: float) -> ProcessFault:
    process = dice.choice([*line.processes])
    return ProcessFault(process=process, fault=Kind.CUT, at=dice.uniform(1.0, span), **{"for": _away(dice)})


def _link_fault(dice: random.Random, line: Line, span: float) -> Fault:
    device = dice.choice([device for device in line.devices.values() if device.address])
    kind = dice.choice(LINK_FAULTS)
    value = _between(dice, 0.02, 2.0) if kind == "late" else None
    return _fault(dice, span, device.name, kind, value)


def _mishaps(dice: random.Random, line: Line, span: float) -> list[Fault]:
    """A gripper that misses once, a gauge that measures too much once or twice."""
    found = []
    for device in line.devices.values():
        match device.declaration.capability:
            case "gripper" if dice.random() < 0.3:
                found.append(Fault(device=device.name, fault="miss", at=dice.uniform(5.0, span)))
            case "gauge" if dice.random() < 0.3:
                at, count = dice.uniform(5.0, span), dice.randint(1, 2)
                found.append(Fault(device=device.name, fault="offset", at=at, value=0.002, count=count))
    return found


# --- running ------------------------------------------------------------------------------------------------------


def try_seed(line: Line, recipe: Recipe, seed: int, print_log: bool = False) -> Trial:
    """Draw, run and judge."""
    return run(line, draw(line, recipe, seed), print_log)


def run(
    line: Line,
    scenario: Scenario,
    print_log: bool = False,
    stage: Callable[[Universe], object] = lambda universe: None,
    doubtful: Sequence[str] = (),
) -> Trial:
    """Run a scenario and judge it; a world that breaks is a finding, too.

    `stage(universe)` may prepare more; `doubtful` are devices that may ask a person, besides those at which the
    scenario has something happen after which only a person can know.
    """
    doubtful = (*doubtful, *doubtful_devices(line, scenario.faults))

    assassins: list[Assassin] = []

    def prepare(universe: Universe) -> None:
        stage(universe)
        _set_latencies(universe, scenario.latencies)
        if scenario.kills:
            assassins.append(Assassin(universe, line, scenario.kills))

    try:
        result = simulate(
            replace(line, restart=scenario.restart),
            scenario.orders,
            seed=scenario.seed,
            until=scenario.until,
            faults=scenario.faults,
            stage=prepare,
            print_log=print_log,
            longest_journal=scenario.longest,
        )
    except Exception as error:
        return Trial(scenario, [Finding("the_world_goes_on", repr(error))], None, _struck(assassins))
    return Trial(scenario, check(evidence_of(line, result, doubtful)), result, _struck(assassins))


def measure(line: Line, orders: Sequence[Order]) -> tuple[Pace, Trial]:
    """The pace of a line with these orders, and the undisturbed trial that it was measured by."""
    worlds: list[Universe] = []
    trial = run(line, undisturbed(line, orders), stage=worlds.append)
    (universe,) = worlds
    return Pace(max(universe.now, 1.0), max(universe.trace.count, 1), universe.loop.steps), trial


def _struck(assassins: Sequence[Assassin]) -> list[ProcessFault]:
    return [kill for assassin in assassins for kill in assassin.struck]


def evidence_of(line: Line, result: Result, doubtful: Sequence[str] = ()) -> Evidence:
    """What a simulation leaves behind."""
    alarms = [f"{a['code']} {a['source']}: {a['text']}" for a in result.status.get("alarms", ())]
    return gather(
        line,
        result.journals,
        result.counters,
        result.runs,
        result.items,
        result.incidents,
        alarms,
        doubtful,
    )


def _set_latencies(universe: Universe, latencies: Latencies) -> None:
    universe.bus.latency = latencies.bus
    universe.links.latency = latencies.device
    for name, sync in latencies.disks.items():
        universe.disk(name).sync = sync
