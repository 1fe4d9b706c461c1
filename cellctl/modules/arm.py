"""An arm: takes parts and components from station to station.

Every motion is an action that can be repeated from wherever the tool then is: `go` through free space to above a
place, `reach` straight down to it (from above, or from within), `retreat` straight up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar, cast

from cellctl.device import Act, Action, Gripper, Pose, Rack, Recovery, RobotArm
from cellctl.errors import PlugInError, Refused, UnknownName
from cellctl.kinds import ArmOptions
from cellctl.line.model import Line, Module, Tool
from cellctl.line.reachable import Reachable
from cellctl.messages import LOST, Command, Item, Jog, Move
from cellctl.modules.arm_by_hand import step
from cellctl.modules.kind import Complaint, Equipment, Ran

T = TypeVar("T")


class Arm:
    """One arm with its tools. Fulfils `cellctl.modules.kind.Kind`."""

    def __init__(self, module: Module, line: Line, rack: Rack) -> None:
        if not isinstance(module.options, ArmOptions):
            raise PlugInError(f"{module.name}: an arm's options are ArmOptions")
        self._module, self._line, self._options = module, line, module.options
        self._own = Equipment(module, line, rack)
        self._poses = Reachable(line, module.name, module.options.base.pose())
        self._above = ""  # the place above which the tool certainly stands

    # --- what the shell asks --------------------------------------------------------------------------------------

    def check(self, command: Command) -> None:
        """Raises UnknownName, Refused for places out of its reach, LimitExceeded for what is too heavy."""
        self._wear(self._tool(command))
        self._speed(command)
        for item in command.items:
            for place in (item.origin, item.target):
                if place and place not in self._grippers():
                    self._poses.approach(_standing(command, place))
            self._arm.set_payload(self._mass(item))
        self._arm.set_payload(0.0)
        if len(command.items) != 1:
            raise Refused(f"an arm handles one item at a time, not {len(command.items)}")

    async def prepare(self, act: Act) -> None:
        """Activate and home, and forget where the tool stood."""
        self._above = ""
        await self._own.prepare(act)

    async def run(self, command: Command, act: Act) -> Ran:
        """Do a skill."""
        item = command.items[0]
        self._wear(self._tool(command))
        match command.skill:
            case "transfer" | "insert":
                return await self._transfer(command, item, act)
            case "hold":
                return await self._hold(command, item, act)
            case "let_go":
                return await self._let_go(command, item, act)
            case _:
                raise UnknownName("skill of an arm", command.skill, ("transfer", "insert", "hold", "let_go"))

    async def idle(self, act: Act) -> None:
        """It stays where it is."""

    async def halt(self) -> None:
        """Stop where it is; the gripper holds on."""
        self._above = ""
        await self._own.halt()

    async def occupied(self) -> dict[str, bool | None]:
        """What the grippers feel. Stations that only have a pose have no sensor."""
        found: dict[str, bool | None] = {station.name: None for station in self._module.stations}
        for tool in self._module.tools:
            found[tool.name] = await self._gripper(tool).holds()
        return found

    async def faults(self) -> list[Complaint]:
        """What controller and grippers complain of."""
        return await self._own.complaints()

    async def jog(self, jog: Jog, act: Act) -> None:
        """Open and close a gripper (`open`, `close`), or move the arm by a step (`cellctl.modules.arm_by_hand`)."""
        if self._own.is_meant(jog.device, "controller"):
            self._above = ""
            if self._module.tools:
                self._wear(self._module.tools[0])
            await act(step(self._arm, self._options.base.pose(), jog))
            return
        tools = {tool.name.rpartition(".")[2]: tool for tool in self._module.tools}
        tools |= {tool.device: tool for tool in self._module.tools}
        if jog.device not in tools:
            raise UnknownName(f"device of {self._module.name}", jog.device, ("controller", *tools))
        gripper = self._gripper(tools[jog.device])
        match jog.motion:
            case "open":
                await act(gripper.release(holding=False))
            case "close":
                await act(gripper.grip())
            case _:
                raise UnknownName(f"motion of {jog.device}", jog.motion, ("open", "close"))

    # --- skills ---------------------------------------------------------------------------------------------------

    async def _transfer(self, command: Command, item: Item, act: Act) -> Ran:
        tool, speed = self._tool(command), self._speed(command)
        gripper = self._gripper(tool)
        origin, target = _standing(command, item.origin), _standing(command, item.target)
        if item.origin != tool.name:
            self._arm.set_payload(0.0)
            await act(gripper.release(holding=False))
            await act(self._go(origin, speed))
            await act(self._reach(origin, None))
            if not await act(gripper.grip(), lambda held: (Move(item.id, tool.name),) if held else ()):
                await act(self._retreat(origin))
                return Ran("missed", detail=f"the gripper closed on nothing at {item.origin}")
            self._arm.set_payload(self._mass(item))
            await act(self._retreat(origin))
        self._arm.set_payload(self._mass(item))
        await act(self._go(target, speed))

        def lost(held: bool | None) -> Sequence[Move]:
            return (Move(item.id, LOST),) if held is False else ()

        if await act(self._reach(target, gripper), lost) is False:
            await act(self._retreat(target))
            return Ran("dropped", detail=f"nothing is in the gripper any more at {item.target}")
        await act(gripper.release(holding=True), lambda _: (Move(item.id, item.target),))
        self._arm.set_payload(0.0)
        await act(self._retreat(target))
        return Ran()

    async def _hold(self, command: Command, item: Item, act: Act) -> Ran:
        gripper, origin = self._gripper(self._tool(command)), _standing(command, item.origin)
        await act(gripper.release(holding=False))
        await act(self._go(origin, self._speed(command)))
        await act(self._reach(origin, None))
        if await act(gripper.grip()):
            return Ran()
        await act(self._retreat(origin))
        return Ran("missed", detail=f"the gripper closed on nothing at {item.origin}")

    async def _let_go(self, command: Command, item: Item, act: Act) -> Ran:
        await act(self._gripper(self._tool(command)).release(holding=True))
        await act(self._retreat(_standing(command, item.origin)))
        return Ran()

    def _wear(self, tool: Tool) -> None:
        """The poses that follow are those of this tool's point."""
        self._arm.set_tool(tool.length, tool.mass)

    # --- motions --------------------------------------------------------------------------------------------------

    def _go(self, place: str, speed: float) -> Action[None]:
        async def perform(number: int) -> None:
            self._above = ""
            for pose in self._poses.via(place):
                await self._arm.move_to(pose, straight=False, speed=speed).perform(number)
            await self._arm.move_to(self._poses.approach(place), straight=False, speed=speed).perform(number)
            self._above = place

        return self._motion(f"go above {place}", perform)

    def _reach(self, place: str, gripper: Gripper | None) -> Action[bool | None]:
        """Down to a place. With a gripper: whether it still holds something there."""

        async def perform(number: int) -> bool | None:
            if self._above != place:  # it may stand within: straight up first
                await self._straight(self._poses.approach(place), number)
            self._above = ""
            await self._straight(self._poses.at(place), number)
            return await gripper.holds() if gripper else None

        return self._motion(f"reach {place}", perform)

    def _retreat(self, place: str) -> Action[None]:
        async def perform(number: int) -> None:
            self._above = ""
            await self._straight(self._poses.approach(place), number)

        return self._motion(f"retreat from {place}", perform)

    async def _straight(self, pose: Pose, number: int) -> None:
        speed = self._options.approach_speed
        await self._arm.move_to(pose, straight=True, speed=speed).perform(number)

    def _motion(self, name: str, perform: Callable[[int], Awaitable[T]]) -> Action[T]:
        return Action(self._module.devices["controller"], name, Recovery.REPEATABLE, perform)

    # --- its things -----------------------------------------------------------------------------------------------

    @property
    def _arm(self) -> RobotArm:
        return cast(RobotArm, self._own.device("controller"))

    def _gripper(self, tool: Tool) -> Gripper:
        return cast(Gripper, self._own.named(tool.device))

    def _grippers(self) -> tuple[str, ...]:
        return tuple(tool.name for tool in self._module.tools)

    def _tool(self, command: Command) -> Tool:
        if not self._module.tools:
            raise Refused(f"{self._module.name} has no tool")
        asked = command.parameters.get("tool")
        if asked is None:
            return self._module.tools[0]
        for tool in self._module.tools:
            if asked in (tool.name, tool.name.rpartition(".")[2]):
                return tool
        raise UnknownName("tool", str(asked), self._grippers())

    def _speed(self, command: Command) -> float:
        asked = command.parameters.get("speed", 1.0)
        if not isinstance(asked, int | float) or not 0 < asked <= 1:
            raise Refused(f"speed is a fraction above 0 and at most 1, not {asked}")
        return self._options.speed * float(asked)

    def _mass(self, item: Item) -> float:
        material = self._line.materials.get(item.material)
        return material.mass if material else 0.0


def _standing(command: Command, place: str) -> str:
    """The place as its pose is known by: for a nest of a carrier, with the station at which that stands."""
    standing = command.carriers.get(place.partition("#")[0])
    return f"{place}@{standing}" if standing else place
