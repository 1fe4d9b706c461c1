"""A Mecademic MEGP 25E gripper: it hangs on its arm's controller, which commands it and reports on it.

Stroke and speed are assumptions (6 mm; 0.1 s from open to closed at the default speed of 40 %).
"""

from __future__ import annotations

from pydantic import Field

from cellctl.errors import PlugInError, UnknownName
from cellctl.written import Written
from cellctl_sim.devices.mecademic import MecademicDevice
from cellctl_sim.devices.site import Site
from cellctl_sim.plant.faults import Fault
from cellctl_sim.plant.gripper import Chances, Gripper


class Megp25Properties(Written):
    """`simulated:` keys of a gripper."""

    miss_rate: float = Field(default=0.0, ge=0, le=1)  # of grips that miss
    drop_rate: float = Field(default=0.0, ge=0, le=1)  # of grips that slip at once
    time: float = Field(default=0.1, gt=0)  # [s] from open to closed at the default speed
    stroke: float = Field(default=0.006, gt=0)  # [m]


class Megp25Device:
    """One gripper; its arm's controller speaks for it."""

    def __init__(self, gripper: Gripper) -> None:
        self.gripper = gripper

    @classmethod
    def build(cls, site: Site) -> Megp25Device:
        """The gripper of a line's arm. Raises PlugInError without an arm that carries it."""
        properties = site.properties(Megp25Properties)
        tool = next((t for m in site.line.modules.values() for t in m.tools if t.device == site.name), None)
        arm = site.neighbour(str(site.option("controller", "")))
        if tool is None or not isinstance(arm, MecademicDevice):
            raise PlugInError(f"device {site.name}: no arm with a Mecademic controller carries it")
        arm.gripper = Gripper(
            tool.name,
            site.module,
            site.world.agenda,
            site.world.fixings,
            arm.where,
            site.random(),
            site.world.count,
            site.world.note,
            Chances(properties.miss_rate, properties.drop_rate),
            properties.time,
        )
        arm.gripper_stroke_mm = 1000.0 * properties.stroke
        return cls(arm.gripper)

    def suffer(self, t: float, fault: Fault, until: float) -> float | None:
        """`miss` (count) and `drop`."""
        match fault.fault:
            case "miss":
                self.gripper.next_misses = fault.count
            case "drop":
                self.gripper.drop(t)
            case other:
                raise UnknownName("fault of a gripper", other, ("miss", "drop"))
        return None
