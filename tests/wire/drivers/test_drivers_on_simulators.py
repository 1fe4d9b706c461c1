"""Every driver through its live link, over real sockets, on the simulated plant of the puck line."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cellctl.device import Pose, Settlement
from cellctl.errors import DeviceError, DeviceFault, DeviceSilent
from cellctl.findings import Report
from cellctl.line.load import load_line
from cellctl.line.model import Line
from cellctl.plugins import load_code, load_drivers, load_kinds
from cellctl_drivers.links import modbus, text
from cellctl_sim.devices.protocols import ModbusDevice
from cellctl_sim.plant.faults import Fault
from cellctl_sim.plant.plant import Plant
from cellctl_sim.servers.modbus import ModbusServer, modbus_server
from cellctl_sim.servers.text import TextServer

PUCK = Path(__file__).parents[3] / "recipes" / "lines" / "puck.yaml"


def _look_soon(server: ModbusServer | TextServer, t: float) -> None:
    asyncio.get_running_loop().call_soon(server.look)


class Bench:
    """A line's drivers on its plant; fulfils `cellctl.device.Rack`."""

    def __init__(
        self, line: Line, plant: Plant, clock: Callable[[], float], runtime: Any, stack: AsyncExitStack
    ) -> None:
        self.line, self.plant, self.clock, self.runtime, self._stack = line, plant, clock, runtime, stack
        self.ports: dict[str, int] = {}
        self.tasks: list[asyncio.Task[None]] = []
        self._links: dict[str, Any] = {}
        made = {
            name: load_code(d.declaration.code)(name, d.options, self) for name, d in line.devices.items()
        }
        self.drivers: dict[str, Any] = made

    async def link(self, address: str, kind: type[Any]) -> Any:
        if address not in self._links:
            scheme = address.partition(":")[0]
            opened = {"modbus-tcp": modbus.open_tcp, "tcp": text.open_tcp}[scheme]
            here = f"{scheme}://127.0.0.1:{self.ports[address]}"
            self._links[address] = await self._stack.enter_async_context(opened(here, self.runtime))
        return self._links[address]

    def device(self, name: str) -> Any:
        return self.drivers[name]

    def background(self, work: Callable[[], Coroutine[Any, Any, None]], name: str = "") -> asyncio.Task[None]:
        self.tasks.append(asyncio.create_task(work(), name=name))
        return self.tasks[-1]

    async def act(self, action: Any, moves: Any = None) -> Any:
        return await action.perform(1)

    async def prepared(self, *names: str) -> list[Any]:
        """These drivers, open and prepared."""
        for name in names:
            await self.drivers[name].open()
            await self.drivers[name].prepare(self.act)
        return [self.drivers[name] for name in names]

    def suffer(self, device: str, fault: str, lasts: str) -> None:
        """Let a fault happen now."""
        self.plant.fault(Fault.model_validate({"device": device, "fault": fault, "for": lasts}), self.clock())

    def pose(self, station: str, above: float = 0.0) -> Pose:
        pose = self.line.station(station).pose_for("arm")
        assert pose is not None
        return replace(pose, z=pose.z + above)


@pytest.fixture
def puck() -> Line:
    """The puck line, with an arm that is activated and homed quickly."""
    report = Report()
    line = load_line(PUCK, report, load_kinds(), load_drivers())
    assert line is not None, report.findings
    quick = {"activation_time": 0.05, "homing_time": 0.05}
    controller = replace(line.devices["arm.controller"], simulated=quick)
    return replace(line, devices={**line.devices, "arm.controller": controller})


@pytest.fixture
def on_the_line(puck: Line, loop_runtime: Any) -> Callable[[Callable[[Bench], Awaitable[Any]]], Any]:
    """Run `story(bench)` with every device of the line behind a socket of its own."""

    @asynccontextmanager
    async def bench() -> AsyncIterator[Bench]:
        loop = asyncio.get_running_loop()
        began = loop.time()

        def clock() -> float:
            return loop.time() - began

        plant = Plant(puck, lambda name: random.Random(name))
        async with AsyncExitStack() as stack:
            made = Bench(puck, plant, clock, loop_runtime, stack)
            for address in plant.addresses():
                device = plant.device(address)
                if isinstance(device, ModbusDevice):
                    server: ModbusServer | TextServer = modbus_server(device, clock)
                else:
                    server = TextServer(device, clock)
                made.ports[address] = await server.open()
                stack.push_async_callback(server.close)
                plant.subscribe(partial(_look_soon, server))
            try:
                yield made
            finally:
                for task in made.tasks:
                    task.cancel()
                await asyncio.gather(*made.tasks, return_exceptions=True)

    def run(story: Callable[[Bench], Awaitable[Any]]) -> Any:
        async def main() -> Any:
            async with bench() as made, asyncio.timeout(30):
                return await story(made)

        return asyncio.run(main())

    return run


# --- stories ----------------------------------------------------------------------------------------------------


def test_a_housing_goes_from_the_bowl_onto_the_belt_and_under_the_press(on_the_line: Any) -> None:
    async def story(bench: Bench) -> tuple[Any, dict[str, int]]:
        names = ("io1", "io2", "belt.drive", "arm.controller", "arm.gripper", "housings.bowl", "press.plc")
        io1, _, drive, arm, gripper, bowl, press = await bench.prepared(*names)
        arm.set_tool(0.065, 0.09)
        assert await bowl.present().perform(1)
        await gripper.release(holding=False).perform(2)
        await arm.move_to(bench.pose("housings.pick", 0.05), straight=False, speed=1.0).perform(3)
        await arm.move_to(bench.pose("housings.pick"), straight=True, speed=0.3).perform(4)
        assert await gripper.grip().perform(5)
        assert (await gripper.grip().settle(5)).settlement is Settlement.DONE
        await arm.move_to(bench.pose("housings.pick", 0.05), straight=True, speed=0.3).perform(6)
        await arm.move_to(bench.pose("belt.load", 0.05), straight=False, speed=1.0).perform(7)
        await arm.move_to(bench.pose("belt.load"), straight=True, speed=0.3).perform(8)
        await gripper.release(holding=True).perform(9)
        assert (await io1.inputs())[0]
        await io1.set_output(0, True).perform(10)
        await drive.run(0.15).perform(11)
        await io1.until_input(1, True, 0.01)
        await drive.stop().perform(12)
        result = await press.run(1, [40.0], ["peak"]).perform(13)
        assert await press.run(1, [40.0], ["peak"]).perform(13) == result
        return result, bench.plant.counters()

    result, counters = on_the_line(story)
    assert result["code"] == 0
    assert result["peak"] == pytest.approx(40.0, rel=0.02)
    for counted in ("housings.bowl.fed", "arm.gripper.gripped", "belt.load.passed", "press.plc.started"):
        assert counters[counted] == 1


def test_gripping_where_nothing_lies_is_a_miss(on_the_line: Any) -> None:
    async def story(bench: Bench) -> tuple[bool, bool | None, Any]:
        _, gripper = await bench.prepared("arm.controller", "arm.gripper")
        await gripper.release(holding=False).perform(1)
        return await gripper.grip().perform(2), await gripper.holds(), await gripper.grip().settle(2)

    held, holds, settled = on_the_line(story)
    assert (held, holds) == (False, False)
    assert (settled.settlement, settled.value) == (Settlement.DONE, False)


def test_a_pose_out_of_reach_is_a_fault_that_a_reset_clears(on_the_line: Any) -> None:
    async def story(bench: Bench) -> list[str]:
        (arm,) = await bench.prepared("arm.controller")
        with pytest.raises(DeviceFault, match=r"out of its reach|joint would go beyond") as caught:
            await arm.move_to(Pose(1.0, 0.0, 0.5), straight=False, speed=1.0).perform(1)
        assert caught.value.device == "arm.controller"
        before = await arm.fault()
        await arm.prepare(bench.act)
        await arm.move_to(bench.pose("arm.bin", 0.05), straight=False, speed=1.0).perform(2)
        return [before, await arm.fault()]

    before, after = on_the_line(story)
    assert before
    assert after == ""


def test_a_motion_that_is_broken_off_stops_the_arm(on_the_line: Any) -> None:
    async def story(bench: Bench) -> None:
        (arm,) = await bench.prepared("arm.controller")
        task = asyncio.ensure_future(arm.move_to(bench.pose("arm.bin", 0.05), False, 0.2).perform(1))
        await asyncio.sleep(0.3)
        assert not (await arm.status()).is_standing
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.3)
        assert (await arm.status()).is_standing

    on_the_line(story)


def test_an_arm_whose_cable_is_pulled_stops_and_goes_on_after_the_reset(on_the_line: Any) -> None:
    async def story(bench: Bench) -> None:
        (arm,) = await bench.prepared("arm.controller")
        task = asyncio.ensure_future(arm.move_to(bench.pose("arm.bin", 0.05), False, 0.2).perform(1))
        await asyncio.sleep(0.3)
        bench.suffer("arm.controller", "cut", "0.3 s")
        with pytest.raises(DeviceError):
            await task
        for _ in range(200):
            try:
                await arm.prepare(bench.act)
                break
            except DeviceSilent:
                await asyncio.sleep(0.05)
        await arm.move_to(bench.pose("arm.bin", 0.05), False, 1.0).perform(2)

    on_the_line(story)


def test_a_belt_whose_controller_dies_trips_and_is_reset(on_the_line: Any) -> None:
    async def story(bench: Bench) -> list[str]:
        (drive,) = await bench.prepared("belt.drive")
        await drive.run(0.15).perform(1)
        await drive.close()
        await asyncio.sleep(2.6)
        words = await drive.fault()
        await drive.open()
        await drive.prepare(bench.act)
        return [words, await drive.fault()]

    tripped, well = on_the_line(story)
    assert "SLF1" in tripped
    assert well == ""


def test_a_gauge_measures_what_lies_under_it_or_says_that_it_cannot(on_the_line: Any) -> None:
    async def story(bench: Bench) -> None:
        (gauge,) = await bench.prepared("gauge.head")
        with pytest.raises(DeviceFault, match="could not measure height"):
            await gauge.measure("height").perform(1)

    on_the_line(story)


@pytest.mark.parametrize(
    ("fault", "settlement"), [("restart", Settlement.UNKNOWN), ("local", Settlement.UNKNOWN)]
)
def test_a_press_that_is_interrupted_is_in_doubt(
    on_the_line: Any, fault: str, settlement: Settlement
) -> None:
    async def story(bench: Bench) -> Any:
        (press,) = await bench.prepared("press.plc")
        task = asyncio.ensure_future(press.run(1, [40.0], ["peak"]).perform(7))
        await asyncio.sleep(0.3)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert (await press.run(1, [40.0], ["peak"]).settle(7)).settlement is Settlement.RUNNING
        bench.suffer("press.plc", fault, "0.1 s")
        for _ in range(100):
            try:
                return await press.run(1, [40.0], ["peak"]).settle(7)
            except DeviceSilent:
                await asyncio.sleep(0.05)
        return None

    found = on_the_line(story)
    assert found.settlement is settlement


def test_an_island_that_falls_silent_is_named_with_its_inputs(on_the_line: Any) -> None:
    async def story(bench: Bench) -> None:
        (io1,) = await bench.prepared("io1")
        bench.suffer("io1", "silent", "10 s")
        with pytest.raises(DeviceSilent, match=r"io1 at modbus-tcp://127\.0\.0\.1.*DI0 \(discrete 0\)"):
            await io1.inputs()

    on_the_line(story)
