"""A bowl feeder behind an I/O island: an output runs it, an input sees a component at the pick-up point."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, cast

from pydantic import Field

from cellctl.device import (
    Act,
    Action,
    Capability,
    DeviceName,
    DigitalIO,
    DriverDeclaration,
    InputName,
    OutputName,
    Point,
    Rack,
    Reaction,
    Recovery,
    Settled,
    Settlement,
    Silence,
)
from cellctl.errors import DeadlineExceeded, DeviceError, DeviceRefused
from cellctl.written import Between, Duration, Written, usually
from cellctl_drivers.breaking_off import stopped_if_broken_off

POLL = 0.02  # [s]


class BowlFeederOptions(Written):
    """A bowl feeder in the line file; `start` and `present` are points of `io`."""

    io: DeviceName = Field(description="the I/O island that it is wired to")
    start: OutputName = Field(description="output that runs it, such as `do0`")
    present: InputName = Field(description="input that sees a component at the pick-up point, such as `di0`")
    timeout: Annotated[Duration, Between("0.1 s", "10 min")] = usually(
        "10 s", "within which a component comes, or the bowl counts as empty"
    )


DECLARATION = DriverDeclaration(
    name="bowl_feeder",
    doc="Bowl feeder: one output runs it, one input sees a component at the pick-up point",
    capability=Capability.FEEDER,
    options=BowlFeederOptions,
    recovery={"present": {"": Recovery.OBSERVABLE}},
    silence=Silence(Reaction.STOPS, 2.0, "the watchdog of the island switches the start output off"),
    code="cellctl_drivers.bowl_feeder:BowlFeeder",
    timing="cellctl_drivers.timing:bowl_feeder",
)


class BowlFeeder:
    """One bowl."""

    def __init__(self, name: str, options: BowlFeederOptions, rack: Rack) -> None:
        self.name, self._options, self._rack = name, options, rack
        self._start = Point.parse(options.start, options.io)
        self._present = Point.parse(options.present, options.io)

    async def open(self) -> None:
        """Check that `start` is an output and `present` an input; the island is open already."""
        for point, text, wanted in (
            (self._start, self._options.start, True),
            (self._present, self._options.present, False),
        ):
            if point.is_output != wanted:
                kind = "an output, such as do0" if wanted else "an input, such as di0"
                raise DeviceError(self.name, text, f"has to be {kind}")
        with suppress(DeviceRefused):  # an island whose watchdog ran out reads nothing until it is reset
            await self.presented()

    async def close(self) -> None:
        """Nothing to let go of."""

    async def prepare(self, act: Act) -> None:
        """Nothing to prepare."""

    async def halt(self) -> None:
        """Switch the bowl off."""
        await self._run(False)

    async def fault(self) -> str:
        """A bowl cannot complain; what it does not bring, `present` tells."""
        return ""

    async def presented(self) -> bool:
        """True while a component lies ready at the pick-up point."""
        return (await self._io(self._present).inputs())[self._present.number]

    def present(self) -> Action[bool]:
        """Bring one component to the pick-up point if none is there; False when none came in time."""

        async def perform(number: int) -> bool:
            if await self.presented():
                return True
            came = False
            async with stopped_if_broken_off(self.halt):
                await self._run(True)
                with suppress(DeadlineExceeded):
                    async with self._rack.runtime.deadline(self._options.timeout):
                        await self._io(self._present).until_input(self._present.number, True, POLL)
                        came = True
                await self._run(False)
            return came or await self.presented()

        async def settle(number: int) -> Settled[bool]:
            await self.halt()  # it may still run
            if await self.presented():
                return Settled(Settlement.DONE, True, f"{self._options.present} sees a component")
            return Settled(Settlement.NOT_STARTED, why=f"{self._options.present} sees no component")

        return Action(self.name, "present", DECLARATION.recovery_of("present"), perform, settle, True)

    def _io(self, point: Point) -> DigitalIO:
        return cast(DigitalIO, self._rack.device(point.device))

    async def _run(self, on: bool) -> None:
        await self._io(self._start).set_output(self._start.number, on).perform(0)
