"""The reference machine: a PLC that runs numbered programs once per action number, and what its programs do.

Map: cellctl's own (drivers/README.md, reference machine). What was acknowledged and done, results, boot and local
count outlive a power loss; so does what the controller wrote. A number is looked at when it is written, never later.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from math import inf
from typing import Any

from pydantic import Field

from cellctl.errors import UnknownName
from cellctl.line.distributions import Distribution, Failures, Law
from cellctl.runtime import RandomStream, Table
from cellctl.written import Written
from cellctl_sim.devices.breakdowns import Breakdowns
from cellctl_sim.devices.cells import (
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    Cell,
    float_words,
    long_words,
    parameter,
    read_cells,
    words_float,
    write_cells,
)
from cellctl_sim.devices.codes import Code
from cellctl_sim.devices.making import PARTS, making
from cellctl_sim.devices.protocols import ModbusException
from cellctl_sim.devices.site import Site
from cellctl_sim.plant.agenda import Agenda
from cellctl_sim.plant.faults import Fault, Manner
from cellctl_sim.plant.items import Item
from cellctl_sim.plant.spots import GRASP
from cellctl_sim.plant.world import places

MOST_VALUES = 8
NO_LAWS: Mapping[str, Law] = {}
Streams = Callable[[str], RandomStream]


class MachineState(IntEnum):
    """INPUT 4."""

    IDLE = 0
    RUNNING = 1
    DONE = 2
    FAILED = 3
    LOCAL = 4


Look = Callable[[float], tuple[Item | None, float]]
Effect = Callable[[float, Mapping[str, float]], Code]


@dataclass(frozen=True, slots=True)
class Program:
    """What a number of the controller means: the names of its values, of its results, and how long it runs.

    That is `law`, else what the machine's `takes` says, else always `time` [s].
    `effect(t, values)` is what it does to the world where it does not work on what lies in the machine.
    """

    takes: tuple[str, ...] = ()
    gives: tuple[str, ...] = ()
    time: float = 2.0
    effect: Effect | None = None
    law: Law | None = None


class HandshakeMachineProperties(Written):
    """`simulated:` keys of a machine."""

    noise: float = Field(default=0.002, ge=0)  # of what it measures, relative standard deviation
    takes: Distribution | None = None  # every program; as its module says, if not given
    programs: dict[str, Distribution] = Field(default={})  # those that do not take as long as the others
    fails: Failures | None = None
    boot_time: float = Field(default=3.0, ge=0)  # [s]
    makes: str | dict[str, str] = (
        ""  # the material that its programs make, one for each nest; or that of each program
    )
    fail_rate: float = Field(default=0.0, ge=0, le=1)  # of programs that stop half-way
    values: dict[str, float] = Field(default={})  # results that the plant knows nothing of

    def made_by(self, program: str) -> str:
        """The material that the program of this name makes; "" for none."""
        return self.makes if isinstance(self.makes, str) else self.makes.get(program, "")


DEFAULTS = HandshakeMachineProperties()


class HandshakeMachineDevice:
    """One machine. `look(t)` is what lies in it and how far from where it should."""

    def __init__(
        self,
        name: str,
        agenda: Agenda,
        look: Look,
        random: RandomStream,
        programs: Mapping[int, Program],
        properties: HandshakeMachineProperties = DEFAULTS,
        count: Callable[[str], None] = lambda name: None,
        runs: Counter[int] | None = None,
        streams: Streams | None = None,
    ) -> None:
        self.name, self._agenda, self._look, self._random = name, agenda, look, random
        self._programs, self._properties, self._count = dict(programs), properties, count
        self._runs: Counter[int] = Counter() if runs is None else runs
        self._ending = agenda.timer(self._end)
        streams = streams or (lambda name: random)
        self._takes = streams(f"{name}.takes")
        self._wear = Breakdowns(name, agenda, self._ending, properties.fails, streams, count)
        self._local_over = agenda.timer(self._leave_local)
        self._state = MachineState.IDLE
        self._ack = self._done = 0
        self._code = Code.WELL
        self._results: tuple[float, ...] = ()
        self._boots, self._locals = 1, 0
        self._stalled_until = 0.0
        self._holding = _blank()

    @classmethod
    def build(cls, site: Site) -> HandshakeMachineDevice:
        """The machine of a line's module, at the station at which the module works."""
        module, world = site.owner(), site.world
        properties = site.properties(HandshakeMachineProperties)
        stations = [site.line.station(module.at)] if module.at else module.stations
        own = [place for station in stations for place in places(station)]
        place = module.at or next(iter(own), "")

        def look(t: float) -> tuple[Item | None, float]:
            return world.at_hand(t, place) if place else (None, inf)

        def effect(program: str) -> Effect | None:
            material = properties.made_by(program)
            return making(site.name, world, own, material) if material else None

        return cls(
            site.name,
            world.agenda,
            look,
            site.random(),
            programs_of(module.options, effect, properties.programs),
            properties,
            world.count,
            world.runs.setdefault(site.name, Counter()),
            world.streams,
        )

    # --- Modbus -----------------------------------------------------------------------------------------------

    def read(self, t: float, unit: int, table: Table, address: int, count: int) -> tuple[int, ...]:
        """FC03, FC04."""
        self._agenda.advance(t)
        if table is Table.HOLDING:
            return read_cells(t, self._holding, address, count)
        if table is not Table.INPUT:
            raise ModbusException(ILLEGAL_FUNCTION)
        words = self._input()[address : address + count]
        if len(words) < count:
            raise ModbusException(ILLEGAL_ADDRESS)
        return words

    def write(self, t: float, unit: int, table: Table, address: int, values: Sequence[int]) -> None:
        """FC06, FC16. A request that writes the low word of the action number may start a program."""
        self._agenda.advance(t)
        if table is not Table.HOLDING:
            raise ModbusException(ILLEGAL_FUNCTION)
        write_cells(self._holding, address, values)
        if address <= 19 < address + len(values):
            self._consider(t)
        if address <= 30 < address + len(values) and self._holding[30].value == 1:
            self._stop(t)

    def attend(self, t: float, unit: int, every: float) -> Callable[[float], None]:
        """It has no watchdog: it ends the program in hand whoever listens."""
        return lambda t: None

    def identity(self, unit: int) -> Mapping[int, str]:
        """FC 43/14."""
        return {0: "cellctl", 1: "reference machine", 2: "1.0"}

    def next_change(self, t: float) -> float:
        """The end of the program in hand, or of local operation."""
        self._agenda.advance(t)
        return min(self._ending.due, self._local_over.due)

    def delay(self, t: float) -> float:
        """None of its own."""
        return 0.0

    def _input(self) -> tuple[int, ...]:
        """The words of its input table, from address 0 on."""
        results = [word for value in self._results[:MOST_VALUES] for word in float_words(value)]
        results += [0] * (2 * MOST_VALUES - len(results))
        return (
            *long_words(self._ack),
            *long_words(self._done),
            *(int(self._state), self._boots, int(self._code), len(self._results)),
            *results,
            self._locals,
        )

    # --- running ----------------------------------------------------------------------------------------------

    @property
    def _number(self) -> int:
        return self._holding[18].value << 16 | self._holding[19].value

    def _values(self) -> list[float]:
        words = [self._holding[place].value for place in range(2, 18)]
        count = min(self._holding[1].value, MOST_VALUES)
        return [words_float(words[2 * index], words[2 * index + 1]) for index in range(count)]

    def _consider(self, t: float) -> None:
        """Start when the number is a new one and the machine is free."""
        if self._number in (0, self._ack) or self._state in (MachineState.RUNNING, MachineState.LOCAL):
            return
        self._ack = self._number
        self._state, self._code, self._results = MachineState.RUNNING, Code.WELL, ()
        self._program, self._given = self._programs.get(self._holding[0].value), self._values()
        self._count(f"{self.name}.started")
        self._runs[self._ack] += 1
        refusal = self._refusal()
        if refusal is not Code.WELL:
            self._finish(refusal)
            return
        assert self._program is not None
        law = self._program.law or self._properties.takes
        begins = self._wear.whole(max(t, self._stalled_until))
        self._ending.set(begins + (law.draw(self._takes) if law else self._program.time))
        self._wear.begin(begins)

    def _refusal(self) -> Code:
        if self._program is None:
            return Code.UNKNOWN_PROGRAM
        fit = len(self._given) == len(self._program.takes) and all(map(math.isfinite, self._given))
        return Code.WELL if fit else Code.BAD_VALUES

    def _end(self, t: float) -> None:
        """The program comes to its end: what it does to the world happens here."""
        program = self._program
        assert program is not None
        values = dict(zip(program.takes, self._given, strict=True))
        if program.effect is not None:
            code = program.effect(t, values)
            if code is not Code.WELL:
                self._finish(code)
                return
        else:
            item, off = self._look(t)
            if item is None or off > GRASP:
                self._finish(Code.NOTHING_THERE if item is None else Code.MISPLACED)
                return
            self._work(t, item, values)
        self._results = tuple(self._result(name, values) for name in program.gives)
        failed = self._random.random() < self._properties.fail_rate
        self._finish(Code.STOPPED if failed else Code.WELL)

    def _work(self, t: float, item: Item, values: Mapping[str, float]) -> None:
        if "force" in values:
            item.press(t, values["force"])
        else:
            item.record(t, f"worked on by {self.name}, program {self._holding[0].value}")

    def _result(self, name: str, values: Mapping[str, float]) -> float:
        """What the machine measured: what it came to as it was told (a torque, a force as its peak), or what its
        `simulated:` keys say; 0 otherwise."""
        true = values.get("force" if name == "peak" else name, self._properties.values.get(name, 0.0))
        return true * (1.0 + self._random.gauss(0.0, self._properties.noise))

    def _finish(self, code: Code) -> None:
        self._wear.rest(self._agenda.now)
        self._code, self._done = code, self._ack
        self._state = MachineState.DONE if code is Code.WELL else MachineState.FAILED
        self._count(f"{self.name}.{'done' if code is Code.WELL else 'failed'}")

    def _stop(self, t: float) -> None:
        if self._state is MachineState.RUNNING:
            self._ending.clear()
            self._finish(Code.STOPPED)

    # --- faults -----------------------------------------------------------------------------------------------

    def suffer(self, t: float, fault: Fault, until: float) -> float | None:
        """`stall`, `local`, `power_loss` and `forget` (for how long), and `restart`."""
        match fault.fault:
            case "stall":
                self._stalled_until = until
                if self._ending.due < inf:
                    self._ending.set(self._ending.due + (until - t))
                    self._wear.delay(until - t)
                return None
            case "local":
                self._break_off(MachineState.LOCAL)
                self._locals = self._locals % 0xFFFF + 1
                self._local_over.set(until)
                return None
            case "power_loss" | "restart" | "forget":
                self._break_off(MachineState.IDLE)
                self._local_over.clear()
                self._boots = self._boots % 0xFFFF + 1
                if fault.fault == "forget":
                    self._holding = _blank()
                dark = t if fault.fault == "restart" or until == inf else until
                return dark + self._properties.boot_time
            case other:
                known = ("stall", "local", "power_loss", "forget", "restart", *Manner)
                raise UnknownName("fault of a machine", other, known)

    def _break_off(self, state: MachineState) -> None:
        """The program in hand ends half-way: it did nothing to the part, and nobody says so."""
        self._ending.clear()
        self._wear.rest(self._agenda.now)
        self._state = state

    def _leave_local(self, t: float) -> None:
        self._state = MachineState.IDLE


def _blank() -> dict[int, Cell]:
    """What the controller writes, before it has."""
    return {place: parameter(0) for place in (*range(20), 30)}


def programs_of(
    options: Any,
    effect: Callable[[str], Effect | None] = lambda program: None,
    laws: Mapping[str, Law] = NO_LAWS,
) -> dict[int, Program]:
    """The programs of a machine module's options, by number; `effect(name)` is what the one of that name does.

    `laws` say how long those take that do not take as long as all others.
    """
    return {
        program.number: Program(
            (*program.takes, *((PARTS,) if program.counted else ())),
            tuple(program.gives),
            program.time,
            effect(name),
            laws.get(name),
        )
        for name, program in getattr(options, "programs", {}).items()
    }
