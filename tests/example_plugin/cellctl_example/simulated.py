"""The belt, the camera over it and the robot beside it, simulated: the belt runs, whoever looks."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, pi

from pydantic import Field

from cellctl.errors import UnknownName
from cellctl.runtime import Table
from cellctl.written import Written
from cellctl_example.belt_camera import SHOWN
from cellctl_example.declarations import TrackerOptions
from cellctl_sim.devices.cells import ILLEGAL_FUNCTION, parameter, read_cells, shown, write_cells
from cellctl_sim.devices.codes import Code
from cellctl_sim.devices.handshake_machine import HandshakeMachineDevice, Program
from cellctl_sim.devices.protocols import ModbusException
from cellctl_sim.devices.site import Site
from cellctl_sim.plant.faults import Fault, Manner
from cellctl_sim.plant.items import GONE, Item
from cellctl_sim.plant.spots import GRASP
from cellctl_sim.plant.world import World, places

SAME_TURN = 0.01  # [rad]
SIDE = 0.1  # [m] from the middle of the belt to its edge


class BeltCameraProperties(Written):
    """`simulated:` keys of a camera: what comes along on its belt."""

    every: float = Field(default=3.0, gt=0)  # [s] between two parts, on average
    speed: float = Field(default=0.1, gt=0)  # [m/s] of the belt
    near: float = Field(default=0.1, ge=0)  # [m] behind the camera, where the robot's reach begins
    reach: float = Field(
        default=60.0, gt=0
    )  # [s] from the camera to the end of the robot's reach and of the belt
    parts: int = Field(default=1000, ge=0)  # so many come in all
    material: str = "part"


@dataclass(slots=True)
class Rider:
    """A part that passes; `number` is the camera's."""

    number: int
    item: Item
    x: float  # [m]
    turn: float  # [rad]
    seen: float  # by the camera, at this time [s]
    falls: float  # off the end, at this time [s], when nobody picks it
    is_picked: bool = False


class MovingBelt:
    """A belt that does not stop. Parts come at random and fall off its end when nobody picks them."""

    def __init__(self, name: str, world: World, properties: BeltCameraProperties, place: str) -> None:
        self.riders: list[Rider] = []  # those that came and have not passed, picked or not
        self.came = 0
        self._name, self._world, self._properties, self._place = name, world, properties, place
        self._random = world.streams(f"{name} belt")
        self._coming, self._falling = world.agenda.timer(self._comes), world.agenda.timer(self._falls)
        self._await_next(world.agenda.now)

    def next_change(self) -> float:
        """When the next part comes or falls."""
        return min(self._coming.due, self._falling.due)

    def along(self, t: float, rider: Rider) -> float:
        """How far a part has come from the camera [m]."""
        return self._properties.speed * (t - rider.seen)

    def pick(self, t: float, x: float, turn: float) -> Item | None:
        """Take off what lies there so and is within the robot's reach by now; None when nothing does."""
        for rider in self.riders:
            is_near = self.along(t, rider) >= self._properties.near
            if (
                is_near
                and not rider.is_picked
                and abs(rider.x - x) <= GRASP
                and abs(rider.turn - turn) <= SAME_TURN
            ):
                rider.is_picked = True
                return rider.item
        return None

    def _await_next(self, t: float) -> None:
        if self.came < self._properties.parts:
            self._coming.set(t + 0.2 + self._random.expovariate(1.0 / self._properties.every))

    def _comes(self, t: float) -> None:
        self.came += 1
        self._world.count(f"{self._name}.came")
        item = self._world.make(t, self._world.material(self._properties.material), self._place)
        x, turn = self._random.uniform(-SIDE, SIDE), self._random.uniform(-pi, pi)
        self.riders.append(Rider(self.came, item, x, turn, t, t + self._properties.reach))
        self._falling.set(self.riders[0].falls)
        self._await_next(t)

    def _falls(self, t: float) -> None:
        rider = self.riders.pop(0)
        self._falling.set(self.riders[0].falls if self.riders else inf)
        if not rider.is_picked:
            rider.item.place = GONE
            rider.item.record(t, "fell off the end of the belt")
            self._world.count(f"{self._name}.fell")


class BeltCameraDevice:
    """The camera. It shows what it saw, oldest first, until that is confirmed or beyond the end of the belt."""

    def __init__(self, name: str, world: World, belt: MovingBelt) -> None:
        self.name, self.belt, self._agenda = name, belt, world.agenda
        self._boots, self._confirmed = 1, 0
        self._holding = {0: parameter(0), 1: parameter(0)}
        self._input = {n: shown(lambda t, n=n: self._words()[n]) for n in range(SHOWN.size // 2)}  # type: ignore[misc]

    @classmethod
    def build(cls, site: Site) -> BeltCameraDevice:
        """The camera of a tracker, with the belt under it."""
        module = site.owner()
        assert isinstance(module.options, TrackerOptions)
        properties = site.properties(BeltCameraProperties)
        place = f"{module.name}.{module.options.window}"
        return cls(site.name, site.world, MovingBelt(site.name, site.world, properties, place))

    def read(self, t: float, unit: int, table: Table, address: int, count: int) -> tuple[int, ...]:
        """FC03, FC04."""
        self._agenda.advance(t)
        if table not in (Table.HOLDING, Table.INPUT):
            raise ModbusException(ILLEGAL_FUNCTION)
        return read_cells(t, self._holding if table is Table.HOLDING else self._input, address, count)

    def write(self, t: float, unit: int, table: Table, address: int, values: Sequence[int]) -> None:
        """FC16. The number that is confirmed."""
        self._agenda.advance(t)
        if table is not Table.HOLDING:
            raise ModbusException(ILLEGAL_FUNCTION)
        write_cells(self._holding, address, values)
        number = self._holding[0].value << 16 | self._holding[1].value
        self._confirmed = max(self._confirmed, number)

    def attend(self, t: float, unit: int, every: float) -> Callable[[float], None]:
        """It has no watchdog."""
        return lambda t: None

    def identity(self, unit: int) -> Mapping[int, str]:
        """FC 43/14."""
        return {0: "example", 1: "belt camera", 2: "1.0"}

    def next_change(self, t: float) -> float:
        """When a part comes or falls."""
        self._agenda.advance(t)
        return self.belt.next_change()

    def delay(self, t: float) -> float:
        """None of its own."""
        return 0.0

    def suffer(self, t: float, fault: Fault, until: float) -> float | None:
        """`restart`: it forgets what it saw and nobody has confirmed."""
        if fault.fault != "restart":
            raise UnknownName("fault of a camera", fault.fault, ("restart", *Manner))
        self._boots, self._confirmed = self._boots % 0xFFFF + 1, self.belt.came
        return t + 1.0

    def _words(self) -> tuple[int, ...]:
        seen = next((rider for rider in self.belt.riders if rider.number > self._confirmed), None)
        number, x, turn = (seen.number, seen.x, seen.turn) if seen else (0, 0.0, 0.0)
        data = SHOWN.pack(self._boots, number, 1000.0 * x, turn * 180.0 / pi)
        return struct.unpack(f">{len(data) // 2}H", data)


class TrackingRobotDevice:
    """The robot: the reference machine's handshake, with a pick from the belt as its program."""

    @classmethod
    def build(cls, site: Site) -> HandshakeMachineDevice:
        """The robot of a tracker; it puts parts into the nests of the tracker's grid."""
        module, world = site.owner(), site.world
        assert isinstance(module.options, TrackerOptions)
        camera = site.neighbour(module.devices["camera"])
        assert isinstance(camera, BeltCameraDevice)
        nests = [place for station in module.stations if station.grid for place in places(station)]

        def pick(t: float, values: Mapping[str, float]) -> Code:
            item = camera.belt.pick(t, values["x"], values["turn"])
            if item is None:
                return Code.NOTHING_THERE
            item.record(t, f"picked by {site.name}")
            world.count(f"{site.name}.picked")
            nest = world.spot(nests[int(values["nest"])])
            if nest.look(t)[0] is not None:
                world.note(t, f"{site.name}: puts a part where one lies, into {nest.name}")
            nest.put(t, item)
            return Code.WELL

        return HandshakeMachineDevice(
            site.name,
            world.agenda,
            lambda t: (None, inf),
            site.random(),
            {module.options.program: Program(("x", "turn", "nest"), (), 1.5, pick)},
            count=world.count,
            runs=world.runs.setdefault(site.name, Counter()),
        )
