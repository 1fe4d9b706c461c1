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
from cellctl_sim.checkers import Finding, check
from cellctl_sim.evidence import Evidence, gather
from cellctl_sim.plant.faults import Fault
from cellctl_sim.process_faults import Kind, ProcessFault
from cellctl_sim.simulation import Order, Result, simulate
from cellctl_sim.universe import Universe

UNTIL = 900.0  # [s] of virtual time after which a line that is not done counts as stuck
MOST_KILLS = 6
LINK_FAULTS = ("cut", "silent", "mute", "late")
EFFECTS_OF_A_PART = 500  # about as many as one part causes, with a share of the start


@dataclass(frozen=True, slots=True)
class EffectKill:
    """A kill `delay` [s] after effect number `effect`, of the process whose effect it is; back after `away` [s]."""

    effect: int
    delay: float
    away: float


@dataclass(frozen=True, slots=True)
class Latencies:
    """[s]; see the defaults in bus, links and disk."""

    bus: float
    device: float
    disks: dict[str, float]


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything that is drawn from a seed."""

    seed: int
    restart: str
    orders: tuple[Order, ...]
    latencies: Latencies
    faults: tuple[Fault | ProcessFault, ...]
    kills: tuple[EffectKill, ...]
    longest: int = 20_000  # records after which a journal begins again

    def __str__(self) -> str:
        lines = [f"seed {self.seed}, restart by {self.restart}, journals of {self.longest}, {self.latencies}"]
        lines += [f"  {order.quantity} {order.variant}" for order in self.orders]
        lines += [f"  {fault.model_dump(by_alias=True, exclude_defaults=True)}" for fault in self.faults]
        return "\n".join([*lines, *(f"  {kill}" for kill in self.kills)])


@dataclass(frozen=True, slots=True)
class Trial:
    """A scenario and what came of it; `result` is None when the world itself broke."""

    scenario: Scenario
    findings: list[Finding]
    result: Result | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is ordered: the recipe file's text and name, and its variants."""

    text: str
    source: str
    variants: tuple[str, ...]


def draw(line: Line, recipe: Recipe, seed: int) -> Scenario:
    """The scenario of a seed."""
    dice = random.Random(seed)
    quantities = [dice.randint(1, 2) for _ in range(dice.randint(1, 2))]
    orders = tuple(
        Order(f"o{i}", recipe.text, recipe.source, dice.choice(recipe.variants), quantity)
        for i, quantity in enumerate(quantities, start=1)
    )
    parts = sum(quantities)
    span = 16.0 + 8.0 * parts  # [s] that it takes undisturbed, or a little more
    kills = dice.randint(1, MOST_KILLS)
    timed = dice.randint(0, kills)
    faults: list[Fault | ProcessFault] = [_kill(dice, line, span) for _ in range(timed)]
    if dice.random() < 0.4:
        faults += [_cut(dice, line, span) for _ in range(dice.randint(1, 3))]
    if dice.random() < 0.5:
        faults += [_link_fault(dice, line, span) for _ in range(dice.randint(1, 3))]
    faults += _mishaps(dice, line, span)
    aimed = tuple(
        EffectKill(
            dice.randrange(EFFECTS_OF_A_PART * (parts + 1)), dice.choice((0.0, 1e-4, 1e-3, 1e-2)), _away(dice)
        )
        for _ in range(kills - timed)
    )
    restart = dice.choice(("automatic", "operator"))
    latencies = _latencies(dice, line)
    longest = dice.choice((20, 60, 200, 20_000))
    return Scenario(seed, restart, orders, latencies, tuple(faults), aimed, longest)


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
        return Latencies(200e-6, 1e-3, {})
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

    `stage(universe)` may prepare more; `doubtful` are devices that may ask a person.
    """

    def prepare(universe: Universe) -> None:
        stage(universe)
        _set_latencies(universe, scenario.latencies)
        if scenario.kills:
            universe.trace.watch = Assassin(universe, line, scenario.kills).see

    try:
        result = simulate(
            replace(line, restart=scenario.restart),
            scenario.orders,
            seed=scenario.seed,
            until=UNTIL,
            faults=scenario.faults,
            stage=prepare,
            print_log=print_log,
            longest_journal=scenario.longest,
        )
    except Exception as error:
        return Trial(scenario, [Finding("the_world_goes_on", repr(error))])
    return Trial(scenario, check(evidence_of(line, result, doubtful)), result)


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


class Assassin:
    """Counts the effects of a world and kills whose effect it is."""

    def __init__(self, universe: Universe, line: Line, kills: Sequence[EffectKill]) -> None:
        self._universe = universe
        self._due = sorted(kills, key=lambda kill: kill.effect, reverse=True)
        self._owners = {name: name for name in (*line.processes, "runner")}
        for module in line.modules.values():
            for device in module.devices.values():
                self._owners[line.devices[device].address] = module.process
        self._seen = 0

    def see(self, who: str, what: str) -> None:
        """An effect."""
        if not self._due:
            return
        self._seen += 1
        name = self._owner(who)
        if name and self._seen > self._due[-1].effect:
            kill = self._due.pop()
            now = self._universe.now
            self._universe.at(now + kill.delay, lambda: self._universe.kill(name))
            self._universe.at(now + kill.delay + kill.away, lambda: self._universe.restart(name))

    def _owner(self, who: str) -> str:
        """The process behind the name of an effect: its own, its disk's, its device's, or the sender's."""
        return self._owners.get(who.partition(">")[0], "")
