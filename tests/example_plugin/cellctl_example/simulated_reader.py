"""The tag reader, simulated: its field shows the tag of the pallet that stands at the reader's station."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import inf

from cellctl.errors import PlugInError, UnknownName
from cellctl.runtime import Table
from cellctl_sim.devices.cells import ILLEGAL_FUNCTION, long_words, read_cells, shown
from cellctl_sim.devices.protocols import ModbusException
from cellctl_sim.devices.site import Site, option_map
from cellctl_sim.plant.faults import Fault, Manner
from cellctl_sim.plant.stops import BeltStop
from cellctl_sim.plant.world import World

FIELD = 0.01  # [m] around the reader's axis within which a tag answers


class TagReaderDevice:
    """One reading head over a stop of a belt; `tags` are the numbers of the pallets' tags."""

    def __init__(self, name: str, world: World, stop: BeltStop, tags: Mapping[str, int]) -> None:
        self.name, self._world, self._stop, self._tags = name, world, stop, tags
        self._blind_until = -inf
        self._input = {
            0: shown(lambda t: int(self._tag(t) > 0)),
            1: shown(lambda t: long_words(self._tag(t))[0]),
            2: shown(lambda t: long_words(self._tag(t))[1]),
        }

    @classmethod
    def build(cls, site: Site) -> TagReaderDevice:
        """The head of a line's reader. Raises PlugInError where that does not work at a belt's stop."""
        stop = site.world.spots.get(site.owner().at)
        if not isinstance(stop, BeltStop):
            raise PlugInError(f"device {site.name}: its module works at no stop of a belt")
        return cls(site.name, site.world, stop, option_map(site.device.options, "tags"))

    def read(self, t: float, unit: int, table: Table, address: int, count: int) -> tuple[int, ...]:
        """FC04."""
        self._world.agenda.advance(t)
        if table is not Table.INPUT:
            raise ModbusException(ILLEGAL_FUNCTION)
        return read_cells(t, self._input, address, count)

    def write(self, t: float, unit: int, table: Table, address: int, values: Sequence[int]) -> None:
        """Nothing can be written."""
        raise ModbusException(ILLEGAL_FUNCTION)

    def attend(self, t: float, unit: int, every: float) -> Callable[[float], None]:
        """It has no watchdog."""
        return lambda t: None

    def identity(self, unit: int) -> Mapping[int, str]:
        """FC 43/14."""
        return {0: "example", 1: "tag reader", 2: "1.0"}

    def next_change(self, t: float) -> float:
        """When anything moves, as it may be a tag; or the field is clear again."""
        self._world.agenda.advance(t)
        clears = self._blind_until if self._blind_until > t else inf
        return min(self._world.agenda.first(), clears)

    def delay(self, t: float) -> float:
        """None of its own."""
        return 0.0

    def suffer(self, t: float, fault: Fault, until: float) -> float | None:
        """`unreadable`: no tag answers."""
        if fault.fault != "unreadable":
            raise UnknownName("fault of a tag reader", fault.fault, ("unreadable", *Manner))
        self._blind_until = until
        return None

    def _tag(self, t: float) -> int:
        """The number of the tag in the field; 0 for none. A riding pallet's tag answers while it is within."""
        pallet, off = self._stop.pallet(t)
        if pallet is None or off > FIELD or t < self._blind_until:
            return 0
        return self._tags.get(pallet.id, 0)
