"""Fake devices in a fake world that outlives the processes which drive it, and counts what was really done.

They speak to no link: what they do is a sleep and a change of the world. The world goes on while nobody drives it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict

from cellctl.device import (
    Act,
    Action,
    Capability,
    DriverDeclaration,
    Pose,
    Rack,
    Reaction,
    Recovery,
    Settled,
    Settlement,
    Silence,
)
from cellctl.errors import DeviceFault, DeviceSilent
from cellctl.messages import Value

LATENCY = 0.001
SPEED = 0.15
SEEN = 0.015


@dataclass
class World:
    """Everything physical. `count` has what was really done; `now` is the time up to which parts have moved."""

    count: Counter = field(default_factory=Counter)
    silent: set[str] = field(default_factory=set)  # devices that do not answer
    faulty: dict[str, str] = field(default_factory=dict)  # device -> what it complains of
    # a belt
    now: float = 0.0
    speed: float = 0.0
    stops: dict[int, float] = field(default_factory=dict)  # input and output number -> position
    lowered: set[int] = field(default_factory=set)
    riders: dict[str, float] = field(default_factory=dict)
    end: float = 1.0
    fallen: list[str] = field(default_factory=list)
    inputs: dict[int, bool] = field(default_factory=dict)  # those that are no eyes
    # an arm
    tool: tuple[float, float, float] = (0.0, 0.0, 0.3)
    fingers: str = "open"  # "open", "closed", "moving"
    held: str = ""
    lying: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    # a feeder, a gauge, a machine
    stock: int = 5
    presented: bool = False
    reading: float = 0.0182
    taken_number: int = 0
    done_number: int = 0
    program_ends: float = 0.0
    program_time: float = 0.6

    def go_on(self, now: float) -> None:
        """Let the belt carry its parts up to `now`."""
        way = self.speed * (now - self.now)
        self.now = now
        for name, at in sorted(self.riders.items(), key=lambda rider: -rider[1]):
            ahead = [p for n, p in self.stops.items() if n not in self.lowered and p >= at - 1e-9]
            to = min([at + way, *ahead])
            for number, position in self.stops.items():
                if at <= position < to:
                    self.count[f"passed {number}"] += 1
            self.riders[name] = to
            if to > self.end + SEEN:
                del self.riders[name]
                self.fallen.append(name)

    def sees(self, number: int) -> bool:
        positions = {**self.stops, 9: self.end}
        if number in self.inputs:
            return self.inputs[number]
        return any(abs(at - positions[number]) <= SEEN for at in self.riders.values())

    def watchdogs_expire(self, now: float) -> None:
        """What real drives and islands do when their controller is gone."""
        self.go_on(now)
        self.speed = 0.0
        self.lowered.clear()


WORLDS: dict[str, World] = {}


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    world: str


class Fake:
    """What all fakes have."""

    def __init__(self, name: str, options: Options, rack: Rack) -> None:
        self.name, self._rack, self.world = name, rack, WORLDS[options.world]

    async def open(self) -> None:
        await self.speak()

    async def close(self) -> None: ...

    async def prepare(self, act: Act) -> None: ...

    async def halt(self) -> None:
        await self.speak()
        self.world.count[f"{self.name} halted"] += 1

    async def fault(self) -> str:
        await self._rack.runtime.sleep(LATENCY)
        return self.world.faulty.get(self.name, "")

    async def speak(self) -> None:
        if self.name in self.world.silent:
            await self._rack.runtime.sleep(0.05)
            raise DeviceSilent(self.name, "fake:1", "no answer within 50 ms")
        await self._rack.runtime.sleep(LATENCY)
        self.world.go_on(self._rack.runtime.now())
        self.check()

    def check(self) -> None:
        if self.name in self.world.faulty:
            raise DeviceFault(self.name, "fake:1", self.world.faulty[self.name], 7)

    async def pause(self, seconds: float) -> None:
        await self._rack.runtime.sleep(seconds)
        self.world.go_on(self._rack.runtime.now())


class FakeDrive(Fake):
    async def halt(self) -> None:
        await self.speak()
        self.world.speed = 0.0

    def check(self) -> None: ...

    def run(self, speed: float) -> Action[None]:
        async def perform(number: int) -> None:
            await self.speak()
            Fake.check(self)
            self.world.speed = speed
            self.world.count["drive runs"] += 1

        return Action(self.name, "run", Recovery.REPEATABLE, perform)

    def stop(self) -> Action[None]:
        async def perform(number: int) -> None:
            await self.speak()
            self.world.speed = 0.0
            self.world.count["drive stops"] += 1

        return Action(self.name, "stop", Recovery.REPEATABLE, perform)


class FakeIO(Fake):
    async def inputs(self) -> tuple[bool, ...]:
        await self.speak()
        eyes = {**self.world.stops, 9: self.world.end, **self.world.inputs}
        return tuple(self.world.sees(n) if n in eyes else False for n in range(10))

    async def outputs(self) -> tuple[bool, ...]:
        await self.speak()
        return tuple(n in self.world.lowered for n in range(10))

    async def until_input(
        self, number: int, value: bool, every: float, looked: Callable[[float], None] | None = None
    ) -> None:
        while (await self.inputs())[number] is not value:
            await self._rack.runtime.sleep(every)

    def set_output(self, number: int, value: bool) -> Action[None]:
        async def perform(action: int) -> None:
            await self.speak()
            (self.world.lowered.add if value else self.world.lowered.discard)(number)

        return Action(self.name, "set_output", Recovery.REPEATABLE, perform)


class FakeArm(Fake):
    async def prepare(self, act: Act) -> None:
        async def perform(number: int) -> None:
            await self.pause(0.05)
            self.world.faulty.pop(self.name, None)
            self.world.count["homed"] += 1

        await act(Action(self.name, "home", Recovery.REPEATABLE, perform))

    def move_to(self, pose: Pose, straight: bool, speed: float) -> Action[None]:
        async def perform(number: int) -> None:
            await self.speak()
            begin, goal = self.world.tool, (pose.x, pose.y, pose.z)
            for step in (1, 2):
                await self.pause(0.02)
                self.check()
                self.world.tool = tuple(b + (g - b) * step / 2 for b, g in zip(begin, goal, strict=True))  # type: ignore[assignment]
            sideways = max(abs(b - g) for b, g in zip(begin[:2], goal[:2], strict=True)) > 1e-6
            if sideways and min(begin[2], goal[2]) < 0.05 - 1e-6:
                self.world.count["dragged through the nest"] += 1

        return Action(self.name, "move_to", Recovery.REPEATABLE, perform)

    def set_tool(self, length: float, mass: float) -> None: ...

    def set_payload(self, mass: float) -> None: ...


class FakeGripper(Fake):
    def grip(self) -> Action[bool]:
        async def perform(number: int) -> bool:
            await self.speak()
            if self.world.held:
                return True
            self.world.fingers = "moving"
            await self.pause(0.03)
            near = [n for n, at in self.world.lying.items() if _distance(at, self.world.tool) < 0.002]
            self.world.fingers = "closed"
            if near:
                self.world.held = near[0]
                del self.world.lying[near[0]]
                self.world.count["gripped"] += 1
            await self.speak()
            return bool(near)

        async def settle(number: int) -> Settled[bool]:
            await self.speak()
            if self.world.held:
                return Settled(Settlement.DONE, True)
            if self.world.fingers == "closed":
                return Settled(Settlement.DONE, False)
            return Settled(Settlement.NOT_STARTED)

        return Action(self.name, "grip", Recovery.OBSERVABLE, perform, settle, True)

    def release(self, holding: bool) -> Action[None]:
        async def perform(number: int) -> None:
            await self.speak()
            if self.world.held:
                self.world.lying[self.world.held] = self.world.tool
                self.world.held = ""
                self.world.count["let go"] += 1
            self.world.fingers = "open"
            await self.speak()

        async def settle(number: int) -> Settled[None]:
            await self.speak()
            return Settled(Settlement.NOT_STARTED if self.world.held else Settlement.DONE)

        if not holding:
            return Action(self.name, "release", Recovery.REPEATABLE, perform)
        return Action(self.name, "release", Recovery.OBSERVABLE, perform, settle)

    async def holds(self) -> bool | None:
        await self.speak()
        return bool(self.world.held)


class FakeFeeder(Fake):
    async def presented_now(self) -> bool:
        await self.speak()
        return self.world.presented

    async def presented(self) -> bool:
        return await self.presented_now()

    def present(self) -> Action[bool]:
        async def perform(number: int) -> bool:
            if await self.presented_now():
                return True
            await self.pause(0.1)
            if not self.world.stock:
                return False
            self.world.stock -= 1
            self.world.presented = True
            self.world.count["fed"] += 1
            await self.speak()
            return True

        async def settle(number: int) -> Settled[bool]:
            if await self.presented_now():
                return Settled(Settlement.DONE, True)
            return Settled(Settlement.NOT_STARTED)

        return Action(self.name, "present", Recovery.OBSERVABLE, perform, settle, True)


class FakeGauge(Fake):
    def measure(self, feature: str) -> Action[float]:
        async def perform(number: int) -> float:
            await self.speak()
            await self.pause(0.05)
            self.world.count["measured"] += 1
            return self.world.reading

        return Action(self.name, f"measure {feature}", Recovery.REPEATABLE, perform)


class FakePlc(Fake):
    """Runs a program when the number differs from the last it took; keeps the numbers."""

    def run(self, program: int, values: Sequence[float], results: Sequence[str]) -> Action[dict[str, Value]]:
        async def perform(number: int) -> dict[str, Value]:
            await self.speak()
            if number != self.world.taken_number:
                self.world.taken_number = number
                self.world.program_ends = self._rack.runtime.now() + self.world.program_time
                self.world.count["ran"] += 1
                self.world.count[f"ran {number}"] += 1
            while not await self.is_done(number):
                await self.pause(0.05)
            return {"code": 0, **dict.fromkeys(results, 41.5)}

        async def settle(number: int) -> Settled[dict[str, Value]]:
            await self.speak()
            if self.world.taken_number != number:
                return Settled(Settlement.NOT_STARTED)
            if await self.is_done(number):
                return Settled(Settlement.DONE, {"code": 0, **dict.fromkeys(results, 41.5)})
            return Settled(Settlement.RUNNING)

        return Action(self.name, "run", Recovery.HANDSHAKE, perform, settle, {"code": 0})

    async def is_done(self, number: int) -> bool:
        await self.speak()
        return self.world.taken_number == number and self._rack.runtime.now() >= self.world.program_ends


class BlindPlc(FakePlc):
    """A machine that cannot tell afterwards."""

    def run(self, program: int, values: Sequence[float], results: Sequence[str]) -> Action[dict[str, Value]]:
        known = super().run(program, values, results)
        return Action(self.name, "run", Recovery.IN_DOUBT, known.perform, done_value={"code": 0})


class SlowPlc(FakePlc):
    """A machine whose driver takes half a second to tidy up when it is broken off."""

    def run(self, program: int, values: Sequence[float], results: Sequence[str]) -> Action[dict[str, Value]]:
        known = super().run(program, values, results)

        async def perform(number: int) -> dict[str, Value]:
            try:
                return await known.perform(number)
            except BaseException:
                await self.pause(0.5)
                self.world.count["tidied up"] += 1
                raise

        return Action(self.name, "run", Recovery.HANDSHAKE, perform, known.settle, known.done_value)


def _distance(a: tuple[float, float, float], b: tuple[float, float, float]) -> float:
    return max(abs(p - q) for p, q in zip(a, b, strict=True))


def declared(name: str, capability: Capability, code: str) -> DriverDeclaration:
    return DriverDeclaration(
        name,
        "a fake",
        capability,
        Options,
        {"any": {"": Recovery.REPEATABLE}},
        Silence(Reaction.CONTINUES, None, "a fake"),
        f"modules_fakes:{code}",
    )


DRIVE = declared("fake_drive", Capability.MOTOR_DRIVE, "FakeDrive")
IO = declared("fake_io", Capability.DIGITAL_IO, "FakeIO")
ARM = declared("fake_arm", Capability.ROBOT_ARM, "FakeArm")
GRIPPER = declared("fake_gripper", Capability.GRIPPER, "FakeGripper")
FEEDER = declared("fake_feeder", Capability.FEEDER, "FakeFeeder")
GAUGE = declared("fake_gauge", Capability.GAUGE, "FakeGauge")
PLC = declared("fake_plc", Capability.MACHINE, "FakePlc")
BLIND_PLC = declared("blind_plc", Capability.MACHINE, "BlindPlc")
SLOW_PLC = declared("slow_plc", Capability.MACHINE, "SlowPlc")
