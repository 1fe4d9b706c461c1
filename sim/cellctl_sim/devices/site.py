"""What a simulator is built from: its device in the line file, the world it stands in, and its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from cellctl.errors import PlugInError
from cellctl.line.model import Device, Line, Module
from cellctl.runtime import RandomStream
from cellctl_sim.plant.faults import Fault
from cellctl_sim.plant.world import World

P = TypeVar("P", bound=BaseModel)


@dataclass(frozen=True)
class Site:
    """The place of one simulated device. `neighbour(name)` gives another device's simulator, built when need be."""

    device: Device
    line: Line
    world: World
    neighbour: Callable[[str], object]

    @property
    def name(self) -> str:
        """The device's full name."""
        return self.device.name

    @property
    def module(self) -> str:
        """The module that the device belongs to, the first that uses it, or ""."""
        owners = (m.name for m in self.line.modules.values() if self.name in m.devices.values())
        wearers = (m.name for m in self.line.modules.values() for tool in m.tools if tool.device == self.name)
        return next(owners, "") or next(wearers, "")

    def owner(self) -> Module:
        """The module that the device belongs to. Raises UnknownName."""
        return self.line.module(self.module)

    def random(self) -> RandomStream:
        """The device's own stream of random numbers."""
        return self.world.streams(self.name)

    def option(self, name: str, default: object) -> object:
        """A key of the device in the line file, which its driver declares; `default` where there is none."""
        return getattr(self.device.options, name, default)

    def number(self, name: str, default: float) -> float:
        """A numeric key of the device in the line file."""
        found = self.option(name, default)
        return float(found) if isinstance(found, int | float) else default

    def properties(self, model: type[P]) -> P:
        """The device's `simulated:` keys. Raises PlugInError where they do not fit `model`."""
        try:
            return model.model_validate(dict(self.device.simulated))
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            known = ", ".join(model.model_fields)
            raise PlugInError(f"device {self.name}, simulated: {faults} (known: {known})") from None


class Simulator(Protocol):
    """A class of simulated devices, found by the entry point group "cellctl.simulators" under its driver's name."""

    @classmethod
    def build(cls, site: Site) -> object:
        """The device at this site. One with an address is a ModbusDevice or a TextDevice."""


class Faulty(Protocol):
    """A device to which something can be done."""

    def suffer(self, t: float, fault: Fault, until: float) -> float | None:
        """Let `fault` happen at `t`, lasting until `until` (inf: for good, or as its kind says).

        Returns the time until which the device does not answer, where it does not. Raises UnknownName for a kind
        that the device does not have.
        """


def option_map(options: BaseModel, name: str) -> Mapping[str, int]:
    """An option that maps names to numbers; empty where there is none."""
    found = getattr(options, name, None)
    return found if isinstance(found, Mapping) else {}
