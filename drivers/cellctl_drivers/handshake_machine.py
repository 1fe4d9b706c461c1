"""The reference machine: a PLC that keeps the number of the action it took and did, so that nothing is done twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from cellctl.device import (
    Act,
    Action,
    Capability,
    DriverDeclaration,
    Rack,
    Reaction,
    Recovery,
    Settled,
    Settlement,
    Silence,
)
from cellctl.errors import DeviceError, DeviceSilent, LimitExceeded
from cellctl.messages import Value
from cellctl.runtime import Registers
from cellctl.written import Between, Duration, Written, usually
from cellctl_drivers.maps import handshake_machine as plc
from cellctl_drivers.registers import Readings
from cellctl_drivers.unit import Unit

POLL = 0.05  # [s]
PAUSE = 0.5  # [s] after which a silent PLC is asked again
KNOWS_ALREADY = "has this action's number already, from another journal; nothing was begun"


class HandshakeMachineOptions(Written):
    """A machine in the line file."""

    address: str = Field(description="`modbus-tcp://HOST:502`")
    unit: int = Field(default=1, ge=0, le=255, description="Modbus unit")
    acknowledge: Annotated[Duration, Between("0.1 s", "60 s")] = usually(
        "2 s", "within which the PLC takes a program that was written"
    )


DECLARATION = DriverDeclaration(
    name="handshake_machine",
    doc="Reference machine: a PLC that runs numbered programs and keeps the action's number, over Modbus",
    capability=Capability.MACHINE,
    options=HandshakeMachineOptions,
    recovery={"run": {"": Recovery.HANDSHAKE}, "enable": {"": Recovery.REPEATABLE}},
    silence=Silence(Reaction.FINISHES, None, "the PLC ends the program in hand and starts no other"),
    code="cellctl_drivers.handshake_machine:HandshakeMachine",
    timing="cellctl_drivers.timing:handshake_machine",
)


class HandshakeMachine:
    """One PLC. What it keeps over a power loss decides what became of an action."""

    def __init__(self, name: str, options: HandshakeMachineOptions, rack: Rack) -> None:
        self.name, self._options, self._rack = name, options, rack
        self._plc: Unit | None = None
        self._ours = 0  # the action that this process wrote, or settled
        self._strange = 0  # one that the PLC knew before it was begun: from another journal

    # --- life ---------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Connect and see that it answers."""
        link = await self._rack.link(self._options.address, Registers)
        self._plc = Unit(self.name, link, self._options.unit, self._rack.runtime)
        await self._plc.read(*plc.REPORT)

    async def close(self) -> None:
        """Nothing to let go of: a program in hand goes on."""

    async def prepare(self, act: Act) -> None:
        """Take back an earlier stop."""
        await act(self.enable())

    async def halt(self) -> None:
        """Stop the program in hand; does nothing before `open`."""
        if self._plc is not None:
            await self._plc.write({plc.STOP: 1})

    async def fault(self) -> str:
        """Says so while somebody operates the machine locally."""
        found = await self._unit().read(plc.STATE)
        if found.raw(plc.STATE) == plc.LOCAL:
            return "is in local operation; give it back to the line at its panel"
        return ""

    # --- actions ------------------------------------------------------------------------------------------------

    def enable(self) -> Action[None]:
        """Take back a stop; starts nothing."""

        async def perform(number: int) -> None:
            await self._unit().write({plc.STOP: 0})

        return Action(self.name, "enable", DECLARATION.recovery_of("enable"), perform)

    def run(self, program: int, values: Sequence[float], results: Sequence[str]) -> Action[dict[str, Value]]:
        """Run a program with `values` [SI] to its end; its results [SI] by name, and "code" (0: well).

        Raises LimitExceeded for more values or results than the map holds.
        """
        if len(values) > plc.MOST_VALUES:
            raise LimitExceeded(self.name, "number of values", len(values), 0, plc.MOST_VALUES, "")
        if len(results) > plc.RESULT.length:
            raise LimitExceeded(self.name, "number of results", len(results), 0, plc.RESULT.length, "")

        async def carry_out(number: int) -> dict[str, Value]:
            unit = self._unit()
            found = await unit.read(*plc.REPORT)
            if found.raw(plc.ACK) != number:
                await self._start(unit, found, number, program, values)
            elif number != self._ours:
                self._strange = number
                raise unit.fault(f"{KNOWS_ALREADY} ({plc.ACK})", number)
            found = await self._ended(unit, number)
            return _results(unit, found, results)

        async def perform(number: int) -> dict[str, Value]:
            """Through silence, too: the PLC goes on meanwhile, and the number says whether it had begun."""
            while True:
                try:
                    return await carry_out(number)
                except DeviceSilent as error:
                    self._rack.runtime.log.warning("device lost", device=self.name, why=error.what)
                    await self._rack.runtime.sleep(PAUSE)

        async def settle(number: int) -> Settled[dict[str, Value]]:
            unit = self._unit()
            report, notes = await unit.read(*plc.REPORT), await unit.read(*plc.NOTES)
            if number == self._strange:
                return Settled(Settlement.UNKNOWN, why=KNOWS_ALREADY)
            settled = judge(number, report, notes)
            if settled.settlement in (Settlement.RUNNING, Settlement.NOT_STARTED):
                self._ours = number  # also when what an earlier process wrote is still on its way
            if settled.settlement is not Settlement.DONE:
                return Settled(settled.settlement, why=settled.why)
            return Settled(Settlement.DONE, _results(unit, report, results), settled.why)

        return Action(self.name, "run", DECLARATION.recovery_of("run"), perform, settle, {"code": 0})

    # --- inside -------------------------------------------------------------------------------------------------

    def _unit(self) -> Unit:
        if self._plc is None:
            raise DeviceError(self.name, self._options.address, "is not open")
        return self._plc

    async def _start(
        self, unit: Unit, found: Readings, number: int, program: int, values: Sequence[float]
    ) -> None:
        """Write everything in one request, the number at its end, and wait until the PLC has taken it."""
        if (state := found.raw(plc.STATE)) in (plc.RUNNING, plc.LOCAL):
            raise unit.fault(f"cannot take program {program}: it is {plc.STATE_NAMES[state]}", state)
        self._ours = number
        padded = [*values, *[0.0] * (plc.MOST_VALUES - len(values))]
        await unit.write(
            {plc.PROGRAM: program, plc.COUNT: len(values)}
            | {plc.VALUES[index]: value for index, value in enumerate(padded)}
            | {
                plc.NOTED_BOOTS: found.raw(plc.BOOTS),
                plc.NOTED_LOCALS: found.raw(plc.LOCALS),
                plc.NUMBER: number,
            }
        )
        what = f"does not take action {number} ({plc.ACK})"
        await unit.until(
            plc.REPORT, lambda now: now.raw(plc.ACK) == number, POLL, self._options.acknowledge, what
        )

    async def _ended(self, unit: Unit, number: int) -> Readings:
        """The report once the action is done, however long it takes. Raises DeviceFault when it was broken off."""
        found = await unit.wait(plc.REPORT, lambda now: _is_over(now, number), POLL)
        if found.raw(plc.DONE) != number:
            state = plc.STATE_NAMES.get(found.raw(plc.STATE), str(found.raw(plc.STATE)))
            raise unit.fault(f"broke off action {number}: it is {state} and did not finish ({plc.DONE})")
        return found


def _is_over(found: Readings, number: int) -> bool:
    return (
        found.raw(plc.DONE) == number or found.raw(plc.ACK) != number or found.raw(plc.STATE) != plc.RUNNING
    )


def judge(number: int, report: Readings, notes: Readings) -> Settled[None]:
    """What became of action `number`, from what the PLC keeps.

    `notes` are the boot and local counts that were written with the number; they count only while it still stands
    there (a PLC that lost its power has forgotten them, but not ACK and DONE).
    """
    ack, done, state = report.raw(plc.ACK), report.raw(plc.DONE), report.raw(plc.STATE)
    boots, locals_ = report.raw(plc.BOOTS), report.raw(plc.LOCALS)
    noted = notes.raw(plc.NUMBER) == number
    if noted and locals_ != notes.raw(plc.NOTED_LOCALS):
        return Settled(Settlement.UNKNOWN, why="the machine was operated locally since the action began")
    if ack != number:
        return Settled(Settlement.NOT_STARTED, why=f"the machine took action {ack} last, not {number}")
    if state == plc.LOCAL:
        return Settled(Settlement.UNKNOWN, why="the machine is in local operation")
    if done == number:
        return Settled(Settlement.DONE, why=f"the machine did action {number}")
    if noted and boots != notes.raw(plc.NOTED_BOOTS):
        return Settled(Settlement.UNKNOWN, why=f"the machine started anew during action {number}")
    if state == plc.RUNNING:
        return Settled(Settlement.RUNNING, why=f"the machine runs action {number}")
    name = plc.STATE_NAMES.get(state, str(state))
    return Settled(
        Settlement.UNKNOWN, why=f"the machine took action {number} and is {name}, but did not finish it"
    )


def _results(unit: Unit, found: Readings, names: Sequence[str]) -> dict[str, Value]:
    code, count = found.raw(plc.CODE), found.raw(plc.RESULTS)
    if code == 0 and count < len(names):
        raise unit.fault(
            f"gave {count} results where {len(names)} are declared: {', '.join(names)} ({plc.RESULTS})"
        )
    given = {name: found[plc.RESULT[index]] for index, name in enumerate(names[:count])}
    return {"code": code, **given}
