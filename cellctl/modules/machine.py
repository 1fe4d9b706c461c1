"""A machine with a controller of its own, which runs numbered programs on the part where it stands, or makes parts."""

from __future__ import annotations

from typing import cast

from cellctl.device import Act, Rack
from cellctl.device import Machine as MachineDevice
from cellctl.errors import LimitExceeded, PlugInError, Refused, UnknownName
from cellctl.kinds import MachineOptions, Program, Takes
from cellctl.line.model import Line, Module
from cellctl.messages import Command, Move
from cellctl.modules.kind import Ran
from cellctl.modules.stationary import Stationary
from cellctl.units import Tolerance

CODE = "code"  # the result that says whether the program did well: 0


class Machine(Stationary):
    """One machine at a station. Fulfils `cellctl.modules.kind.Kind`."""

    def __init__(self, module: Module, line: Line, rack: Rack) -> None:
        if not isinstance(module.options, MachineOptions):
            raise PlugInError(f"{module.name}: a machine's options are MachineOptions")
        super().__init__(module, line, rack)
        self._programs = module.options.programs

    def check(self, command: Command) -> None:
        """Raises UnknownName, Refused and LimitExceeded for a program or value that does not fit."""
        if command.skill not in ("run", "make"):
            raise UnknownName("skill of a machine", command.skill, ("run", "make"))
        self._values(command, self._program(command))

    async def run(self, command: Command, act: Act) -> Ran:
        """Run the program to its end; after `make`, the parts are where the command says."""
        program = self._program(command)
        action = self._plc.run(program.number, self._values(command, program), tuple(program.gives))
        made = (
            tuple(Move(i.id, i.target) for i in command.items if i.target) if command.skill == "make" else ()
        )
        found = await act(action, lambda found: made if is_well(found) else ())
        results = {name: value for name, value in (found or {}).items() if name != CODE}
        if is_well(found):
            return Ran("done", results)
        name = command.parameters["program"]
        return Ran("failed", results, f"program {name} ended with code {found.get(CODE)}")

    @property
    def _plc(self) -> MachineDevice:
        return cast(MachineDevice, self._own.device("plc"))

    def _program(self, command: Command) -> Program:
        name = str(command.parameters.get("program", ""))
        if name not in self._programs:
            raise UnknownName(f"program of {self._module.name}", name, self._programs)
        return self._programs[name]

    def _values(self, command: Command, program: Program) -> tuple[float, ...]:
        """The values in the controller's order."""
        given = {name: value for name, value in command.parameters.items() if name != "program"}
        for name in given:
            if name not in program.takes:
                raise UnknownName("value of the program", name, program.takes)
        values = []
        for name, takes in program.takes.items():
            value = given.get(name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise Refused(f"the program takes {name}, a number; it is {value}")
            self._check_limits(name, float(value), takes)
            values.append(float(value))
        if program.counted:
            values.append(float(len(command.items)))
        return tuple(values)

    def _check_limits(self, name: str, value: float, takes: Takes) -> None:
        low, high = bound(takes, "min"), bound(takes, "max")
        if not low <= value <= high:
            raise LimitExceeded(self._module.name, name, value, low, high, "(SI)")


def is_well(found: object) -> bool:
    """Whether a program did well. Without results a person said that it was done."""
    return not found or (isinstance(found, dict) and not found.get(CODE, 0))


def bound(takes: Takes, which: str) -> float:
    """The least or greatest value, SI; infinite where nothing is said."""
    quantity = takes.min if which == "min" else takes.max
    if quantity is None:
        return float("-inf") if which == "min" else float("inf")
    return quantity.nominal if isinstance(quantity, Tolerance) else quantity.value
