"""A bowl feeder behind an I/O island: it has no address; its output and its input are points of the island."""

from __future__ import annotations

from math import inf

from pydantic import Field

from cellctl.device import Point
from cellctl.errors import PlugInError, UnknownName
from cellctl.line.distributions import Distribution
from cellctl.line.model import Station
from cellctl.written import Written
from cellctl_sim.devices.site import Site
from cellctl_sim.plant.bowl import FEEDING, Bowl
from cellctl_sim.plant.faults import Fault
from cellctl_sim.plant.world import positions


class BowlFeederProperties(Written):
    """`simulated:` keys of a bowl."""

    takes: Distribution = FEEDING  # vibrating until a component lies at the pick-up point
    jam_rate: float = Field(default=0.0, ge=0, le=1)  # of feeds that jam until the bowl is started anew
    stock: float = Field(default=inf, ge=0)  # how many components are in it


class BowlFeederDevice:
    """One bowl, wired to its island."""

    def __init__(self, bowl: Bowl) -> None:
        self.bowl = bowl

    @classmethod
    def build(cls, site: Site) -> BowlFeederDevice:
        """The bowl of a line's feeder, over the station that names it. Raises PlugInError where none does."""
        station = _station(site)
        properties = site.properties(BowlFeederProperties)
        world = site.world
        bowl = world.bowl(
            site.name,
            station.name,
            station.source,
            positions(station.poses),
            properties.takes,
            properties.jam_rate,
            properties.stock,
        )
        io = str(site.option("io", ""))
        world.signals.wire_output(Point.parse(str(site.option("start", "")), io), bowl.vibrate)
        world.signals.wire_input(Point.parse(str(site.option("present", "")), io), bowl.present)
        return cls(bowl)

    def suffer(self, t: float, fault: Fault, until: float) -> float | None:
        """`jam`, `empty` and `refill` (value: how many)."""
        match fault.fault:
            case "jam":
                self.bowl.jam(t, until if until < inf else 0.0)
            case "empty":
                self.bowl.refill(t, 0)
            case "refill":
                self.bowl.refill(t, inf if fault.value is None else fault.value)
            case other:
                raise UnknownName("fault of a feeder", other, ("jam", "empty", "refill"))
        return None


def _station(site: Site) -> Station:
    module = site.owner()
    own = [station for station in module.stations if station.device == site.name]
    alone = [station for station in module.stations if station.source and not station.device]
    found = own or alone
    if not found:
        raise PlugInError(f"device {site.name}: no station of {module.name} names it")
    return found[0]
