"""The reference gauge: a measuring head behind registers. Map: cellctl's own (drivers/README.md, reference gauge)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf

from pydantic import Field

from cellctl.errors import UnknownName
from cellctl.line.distributions import Constant, Distribution
from cellctl.runtime import RandomStream, Table
from cellctl.written import Written
from cellctl_sim.devices.cells import (
    ILLEGAL_FUNCTION,
    Cell,
    float_words,
    parameter,
    read_cells,
    shown,
    write_cells,
)
from cellctl_sim.devices.protocols import ModbusException
from cellctl_sim.devices.site import Site, option_map
from cellctl_sim.plant.agenda import Agenda
from cellctl_sim.plant.faults import Fault, Manner
from cellctl_sim.plant.items import Item

READY, BUSY, ERROR = 0x1, 0x2, 0x4
FIELD = 0.01  # [m] around the head's axis within which it can measure

Look = Callable[[float], tuple[Item | None, float]]
FEATURES: Mapping[str, Callable[[Item], float]] = {
    "height": lambda item: item.height,
    "mass": lambda item: item.mass,
}


class RegisterGaugeProperties(Written):
    """`simulated:` keys of a gauge."""

    noise: float = Field(default=1e-5, ge=0)  # [m] standard deviation
    offset: float = 0.0  # [m]
    takes: Distribution = Constant.model_validate("0.4 s")  # a measurement
    boot_time: float = Field(default=2.0, ge=0)  # [s]
    values: dict[str, float] = Field(default={})  # what features that the plant knows nothing of measure


DEFAULTS = RegisterGaugeProperties()


class RegisterGaugeDevice:
    """One head. `look(t)` is what lies under it; `features` are its numbers for what it measures."""

    def __init__(
        self,
        name: str,
        agenda: Agenda,
        look: Look,
        random: RandomStream,
        features: Mapping[int, str] | None = None,
        properties: RegisterGaugeProperties = DEFAULTS,
        count: Callable[[str], None] = lambda name: None,
        takes: RandomStream | None = None,
    ) -> None:
        self.name, self._agenda, self._look, self._random = name, agenda, look, random
        self._takes = takes or random
        self._features = {0: "height"} if features is None else dict(features)
        self._properties, self._count = properties, count
        self._done = agenda.timer(self._measured)
        self._status, self._answered, self._value, self._feature, self._boots = READY, 0, 0.0, 0, 1
        self._off: tuple[float, float, float] = (0.0, inf, inf)  # a fault's offset, until when, how often yet
        self._drift: tuple[float, float, float] = (0.0, 0.0, 0.0)  # [m/s], since when, until when
        self._holding = {0: parameter(0, 0, 15), 1: parameter(0)}
        self._input = {
            0: shown(lambda t: self._status),
            1: shown(lambda t: self._answered),
            2: shown(lambda t: float_words(self._value)[0]),
            3: shown(lambda t: float_words(self._value)[1]),
            4: shown(lambda t: self._feature),
            5: shown(lambda t: self._boots),
        }

    @classmethod
    def build(cls, site: Site) -> RegisterGaugeDevice:
        """The head of a line's inspection module: it looks at the station at which the module works."""
        numbers = option_map(site.device.options, "features")
        place = site.owner().at
        world = site.world

        def look(t: float) -> tuple[Item | None, float]:
            return world.at_hand(t, place) if place else (None, inf)

        return cls(
            site.name,
            world.agenda,
            look,
            site.random(),
            {number: name for name, number in numbers.items()} or None,
            site.properties(RegisterGaugeProperties),
            world.count,
            world.streams(f"{site.name}.takes"),
        )

    # --- Modbus -----------------------------------------------------------------------------------------------

    def read(self, t: float, unit: int, table: Table, address: int, count: int) -> tuple[int, ...]:
        """FC03, FC04."""
        self._agenda.advance(t)
        return read_cells(t, self._table(table), address, count)

    def write(self, t: float, unit: int, table: Table, address: int, values: Sequence[int]) -> None:
        """FC06, FC16. Writing a request number measures."""
        self._agenda.advance(t)
        if table is not Table.HOLDING:
            raise ModbusException(ILLEGAL_FUNCTION)
        write_cells(self._holding, address, values)
        if address + len(values) > 1 and self._holding[1].value:
            self._status = BUSY
            self._feature = self._holding[0].value
            self._done.set(t + self._properties.takes.draw(self._takes))

    def attend(self, t: float, unit: int, every: float) -> Callable[[float], None]:
        """It has no watchdog."""
        return lambda t: None

    def identity(self, unit: int) -> Mapping[int, str]:
        """FC 43/14."""
        return {0: "cellctl", 1: "reference gauge", 2: "1.0"}

    def next_change(self, t: float) -> float:
        """The end of the measurement in hand; nothing else changes by itself."""
        self._agenda.advance(t)
        return self._done.due

    def delay(self, t: float) -> float:
        """None of its own."""
        return 0.0

    def _table(self, table: Table) -> Mapping[int, Cell]:
        if table not in (Table.HOLDING, Table.INPUT):
            raise ModbusException(ILLEGAL_FUNCTION)
        return self._holding if table is Table.HOLDING else self._input

    # --- measuring --------------------------------------------------------------------------------------------

    def _measured(self, t: float) -> None:
        self._count(f"{self.name}.measured")
        self._answered = self._holding[1].value
        value = self._true_value(t)
        if value is None:
            self._status, self._value = READY | ERROR, 0.0
            return
        noise = self._random.gauss(0.0, self._properties.noise) if self._properties.noise else 0.0
        self._status = READY
        wrong = self._properties.offset + self._fault_offset(t) + self._drifted(t)
        self._value = 1000.0 * (value + wrong + noise)

    def _true_value(self, t: float) -> float | None:
        """What the feature truly is; None where there is nothing to measure or the head does not know how."""
        item, off = self._look(t)
        name = self._features.get(self._feature, "")
        if item is None or off > FIELD:
            return None
        if name in FEATURES:
            return FEATURES[name](item)
        return self._properties.values.get(name)

    def _fault_offset(self, t: float) -> float:
        offset, until, left = self._off
        if t >= until or left <= 0:
            return 0.0
        self._off = (offset, until, left - 1)
        return offset

    def _drifted(self, t: float) -> float:
        """By how much it has drifted off; set right again when the fault is over [m]."""
        speed, since, until = self._drift
        return speed * (t - since) if t < until else 0.0

    def suffer(self, t: float, fault: Fault, until: float) -> float | None:
        """`offset` (value [m], for a time or for `count` measurements), `drift` (value [m/s]) and `restart`."""
        match fault.fault:
            case "drift":
                self._drift = (fault.value or 0.0, t, until)
                return None
            case "offset":
                self._off = (fault.value or 0.0, until, fault.count if until == inf else inf)
                return None
            case "restart":
                self._done.clear()
                self._status, self._answered, self._value = READY, 0, 0.0
                self._boots = self._boots % 0xFFFF + 1
                return t + self._properties.boot_time
            case other:
                raise UnknownName("fault of a gauge", other, ("offset", "drift", "restart", *Manner))
