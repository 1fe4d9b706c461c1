"""What a hostile world does to one run, drawn from a seed: to the bus, to disks, clocks, power, links and devices.

Each class of trouble is in some scenarios and not in others (swarm testing: Groce, Zhang, Eide, Chen and Regehr,
ISSTA 2012): where everything happens at once, most things never get far enough to go wrong.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping

from cellctl.line.model import Line
from cellctl_sim.plant.faults import Fault
from cellctl_sim.process_faults import ALL, OPERATOR, RUNNER, Kind, ProcessFault

SHARE = 0.25  # of the scenarios in which a class of trouble is
RARE = 0.2  # of those, in which a person is needed
MOST = 3  # of one class in one scenario

Troubles = Iterator[Fault | ProcessFault]
Draw = Callable[[random.Random, Line, float], Troubles]


def draw_hostility(dice: random.Random, line: Line, span: float) -> list[Fault | ProcessFault]:
    """The troubles of one scenario, whose undisturbed run takes `span` [s]."""
    found: list[Fault | ProcessFault] = []
    for draw in CLASSES:
        if dice.random() < SHARE:
            for _ in range(dice.randint(1, MOST)):
                found += draw(dice, line, span)
    return found


def between(dice: random.Random, least: float, most: float) -> float:
    """Evenly over the decades."""
    return float(least * (most / least) ** dice.random())


def _fault(
    dice: random.Random, process: str, kind: Kind, span: float, lasts: float, value: float | None = None
) -> ProcessFault:
    at = dice.uniform(0.0, span)
    return ProcessFault(process=process, fault=kind, at=at, value=value, **{"for": lasts})


def _weather(dice: random.Random, line: Line, span: float) -> Troubles:
    """Messages get lost, come twice, late, or in another order, for a moment or for most of the run."""
    kind = dice.choice((Kind.LOSSY, Kind.DOUBLED, Kind.LATE, Kind.DISORDERED))
    value = dice.uniform(0.05, 0.6) if kind in (Kind.LOSSY, Kind.DOUBLED) else between(dice, 0.001, 2.0)
    process = dice.choice([*line.processes, OPERATOR])
    yield _fault(dice, process, kind, span, between(dice, 0.5, 2.0 * span), value)


def _one_way(dice: random.Random, line: Line, span: float) -> Troubles:
    """One hears the other, and is not heard."""
    kind = dice.choice((Kind.DEAF, Kind.MUTE))
    yield _fault(dice, dice.choice([*line.processes, OPERATOR]), kind, span, between(dice, 0.1, 10.0))


def _partition(dice: random.Random, line: Line, span: float) -> Troubles:
    """The runner loses several processes at once."""
    names = list(line.processes)
    cut = _fault(dice, names[0], Kind.CUT, span, between(dice, 0.1, 5.0))
    for name in dice.sample(names, dice.randint(1, len(names))):
        yield cut.model_copy(update={"process": name})


def _disk(dice: random.Random, line: Line, span: float) -> Troubles:
    """A disk that is slow, full, or fails a sync."""
    kind = dice.choice((Kind.SLOW_DISK, Kind.FULL_DISK, Kind.FAILED_SYNC))
    value = between(dice, 0.01, 2.0) if kind is Kind.SLOW_DISK else None
    yield _fault(
        dice, dice.choice([*line.processes, RUNNER]), kind, span, between(dice, 0.1, 0.5 * span), value
    )


def _torn(dice: random.Random, line: Line, span: float) -> Troubles:
    """What was not synced is not lost but torn, or there as a whole; in all kills of that process."""
    share = dice.choice((dice.random(), 1.0))
    for name in (*line.processes, RUNNER):
        yield ProcessFault(process=name, fault=Kind.TORN_DISK, at=0.0, value=share, **{"for": 10.0 * span})


def _clock(dice: random.Random, line: Line, span: float) -> Troubles:
    """A clock that goes wrong by up to one in a hundred, or is set, by an hour at most."""
    process = dice.choice([*line.processes, RUNNER])
    sign = dice.choice((-1.0, 1.0))
    if dice.random() < 0.5:
        yield _fault(dice, process, Kind.DRIFT, span, 10.0 * span, sign * between(dice, 1e-5, 0.01))
    else:
        yield _fault(dice, process, Kind.JUMP, span, 1.0, sign * between(dice, 0.1, 3600.0))


def _power(dice: random.Random, line: Line, span: float) -> Troubles:
    """The computer on which everything runs loses its power."""
    yield _fault(dice, ALL, Kind.KILL, span, between(dice, 0.1, 5.0))


def _link(dice: random.Random, line: Line, span: float) -> Troubles:
    """A device that refuses for a while, or whose answers arrive garbled."""
    device = dice.choice([device for device in line.devices.values() if device.address])
    fault, value = dice.choice((("refuse", 6.0), ("corrupt", None)))
    yield _device_fault(dice, device.name, fault, span, between(dice, 0.1, 5.0), value)


def _device(dice: random.Random, line: Line, span: float) -> Troubles:
    """A device that boots, stalls, trips, drifts: what a line stands without a person's word."""
    return _one_of(STANDS, dice, line, span)


def _blow(dice: random.Random, line: Line, span: float) -> Troubles:
    """Something after which perhaps only a person can know or help: a part falls, a program is broken off."""
    return _one_of(NEEDS_A_PERSON, dice, line, span) if dice.random() < RARE else iter(())


def _one_of(kinds: Kinds, dice: random.Random, line: Line, span: float) -> Troubles:
    able = [name for name, device in line.devices.items() if device.declaration.capability in kinds]
    if able:
        name = dice.choice(able)
        fault, value = dice.choice(kinds[line.devices[name].declaration.capability])
        yield _device_fault(dice, name, fault, span, between(dice, 0.1, 5.0), value)


def _device_fault(
    dice: random.Random, device: str, fault: str, span: float, lasts: float, value: float | None
) -> Fault:
    at = dice.uniform(1.0, span)
    return Fault.model_validate({"device": device, "fault": fault, "at": at, "for": lasts, "value": value})


def doubtful_devices(line: Line, faults: Iterable[object]) -> tuple[str, ...]:
    """The devices at which something happens that perhaps needs a person."""
    return tuple(device for fault in faults for device in _doubtful(line, fault))


def _doubtful(line: Line, fault: object) -> Iterator[str]:
    """A process that cannot write its journal halts its devices, and so breaks off a machine's program."""
    match fault:
        case Fault() if fault.fault in {
            name for name, _ in NEEDS_A_PERSON.get(_kind(line, fault.device), ())
        }:
            yield from _with_tools(line, fault.device)
        case ProcessFault(fault=Kind.FULL_DISK | Kind.FAILED_SYNC) if fault.process in line.processes:
            modules = (line.modules[name] for name in line.processes[fault.process].modules)
            devices = (device for module in modules for device in module.devices.values())
            yield from (device for device in devices if _kind(line, device) == "machine")
        case _:
            pass


def _with_tools(line: Line, device: str) -> Iterator[str]:
    """A device; with an arm go its grippers, which it supplies."""
    yield device
    if _kind(line, device) == "robot arm":
        wearing = (module for module in line.modules.values() if device in module.devices.values())
        yield from (tool.device for module in wearing for tool in module.tools)


def _kind(line: Line, device: str) -> str:
    return line.devices[device].declaration.capability


Kinds = Mapping[str, tuple[tuple[str, float | None], ...]]  # capability -> faults, each with its value

STANDS: Kinds = {
    "motor drive": (("restart", None), ("trip", None)),
    "digital io": (("restart", None),),
    "gauge": (("restart", None), ("drift", 0.0005)),
    "machine": (("stall", None),),
    "robot arm": (("error", None), ("collision", None), ("pstop", None)),
}
NEEDS_A_PERSON: Kinds = {
    "machine": (("power_loss", None), ("forget", None), ("restart", None), ("local", None)),
    "robot arm": (("restart", None), ("estop", None)),
    "gripper": (("drop", None),),
    "feeder": (("jam", None), ("empty", None)),
}

CLASSES: tuple[Draw, ...] = (
    _weather,
    _one_way,
    _partition,
    _disk,
    _torn,
    _clock,
    _power,
    _link,
    _device,
    _blow,
)
