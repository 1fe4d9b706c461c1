"""The reference gauge: a measuring head behind registers. A write asks for a feature, the answer names the request."""

from __future__ import annotations

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
    Silence,
)
from cellctl.errors import DeviceError, UnknownName
from cellctl.runtime import Registers
from cellctl.written import Between, Duration, Written, usually
from cellctl_drivers.maps import register_gauge as head
from cellctl_drivers.registers import Readings
from cellctl_drivers.unit import Unit

POLL = 0.02  # [s]


class RegisterGaugeOptions(Written):
    """A gauge in the line file; `features` gives the head's number of each feature."""

    address: str = Field(description="`modbus-tcp://HOST:502`")
    unit: int = Field(default=1, ge=0, le=255, description="Modbus unit")
    features: dict[str, Annotated[int, Field(ge=0, lt=head.MOST_FEATURES)]] = Field(
        default={"height": 0}, description="the head's number of each feature"
    )
    timeout: Annotated[Duration, Between("0.1 s", "10 min")] = usually("5 s", "for one measurement")


DECLARATION = DriverDeclaration(
    name="register_gauge",
    doc="Reference gauge: measures numbered features, over Modbus",
    capability=Capability.GAUGE,
    options=RegisterGaugeOptions,
    recovery={"measure": {"": Recovery.REPEATABLE}},
    silence=Silence(Reaction.FINISHES, 5.0, "the head ends the measurement in hand and keeps the value"),
    code="cellctl_drivers.register_gauge:RegisterGauge",
    timing="cellctl_drivers.timing:register_gauge",
)


class RegisterGauge:
    """One measuring head."""

    def __init__(self, name: str, options: RegisterGaugeOptions, rack: Rack) -> None:
        self.name, self._options, self._rack = name, options, rack
        self._head: Unit | None = None

    async def open(self) -> None:
        """Connect and see that it answers."""
        link = await self._rack.link(self._options.address, Registers)
        self._head = Unit(self.name, link, self._options.unit, self._rack.runtime)
        await self._head.read(*head.ANSWER)

    async def close(self) -> None:
        """Nothing to let go of."""

    async def prepare(self, act: Act) -> None:
        """Nothing to prepare."""

    async def halt(self) -> None:
        """A measurement moves nothing."""

    async def fault(self) -> str:
        """Says so when the head reports an error."""
        found = await self._unit().read(head.STATUS)
        return "the head reports an error (status bit 2)" if found.raw(head.STATUS) & head.ERROR else ""

    def measure(self, feature: str) -> Action[float]:
        """The value of a feature [m]. Raises UnknownName for one that the line file does not number."""
        if feature not in self._options.features:
            raise UnknownName(f"feature of {self.name}", feature, self._options.features)
        wanted = self._options.features[feature]

        async def perform(number: int) -> float:
            unit = self._unit()
            answered = (await unit.read(head.ANSWERED)).raw(head.ANSWERED)
            request = (
                answered % head.LAST_REQUEST + 1
            )  # differs from the last, so that an old value is not taken
            await unit.write({head.FEATURE: wanted, head.REQUEST: request})

            def over(found: Readings) -> bool:
                return found.raw(head.ANSWERED) == request and not found.raw(head.STATUS) & head.BUSY

            what = f"no value of {feature} (request {request}, {head.ANSWERED})"
            found = await unit.until(head.ANSWER, over, POLL, self._options.timeout, what)
            if found.raw(head.STATUS) & head.ERROR:
                raise unit.fault(f"could not measure {feature}: {head.STATUS} has its error bit set")
            if found.raw(head.MEASURED) != wanted:
                raise unit.fault(f"answered for feature {found.raw(head.MEASURED)}, not {feature} ({wanted})")
            return found[head.VALUE]

        return Action(self.name, "measure", DECLARATION.recovery_of("measure"), perform)

    def _unit(self) -> Unit:
        if self._head is None:
            raise DeviceError(self.name, self._options.address, "is not open")
        return self._head
