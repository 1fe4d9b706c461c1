"""Mecademic MEGP 25E: an electric gripper at the flange of a Meca500, commanded through the arm's controller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field

from cellctl.device import (
    Act,
    Action,
    ArmName,
    Capability,
    DriverDeclaration,
    Rack,
    Reaction,
    Recovery,
    Settled,
    Settlement,
    Silence,
)
from cellctl.errors import DeadlineExceeded, DeviceError, DeviceFault
from cellctl.written import Between, Duration, Force, Ratio, Written, usually
from cellctl_drivers.maps import mecademic as codes
from cellctl_drivers.mecademic import Mecademic
from cellctl_drivers.mecademic_codec import GripperState, ToolStatus, command

POLL = 0.02  # [s]
GREATEST_FORCE = 40.0  # [N], programming manual for firmware 11.3, GetRtGripperForce: "~40 N"


class Megp25Options(Written):
    """A MEGP 25E in the line file; `controller` is the arm's device."""

    controller: ArmName = Field(description="the arm's device")
    force: Annotated[Force, Between("2 N", "40 N")] = usually(
        "16 N", "of the grip; the controller's own default"
    )
    speed: Annotated[Ratio, Between("5 %", "100 %")] = usually("40 %", "of the fingers, of their greatest")
    timeout: Annotated[Duration, Between("0.1 s", "30 s")] = usually("3 s", "for the fingers to come to rest")


DECLARATION = DriverDeclaration(
    name="megp25",
    doc="Mecademic MEGP 25E electric gripper on a Meca500",
    capability=Capability.GRIPPER,
    options=Megp25Options,
    recovery={
        "grip": {"": Recovery.OBSERVABLE},
        "release": {"empty": Recovery.REPEATABLE, "holding": Recovery.OBSERVABLE},
    },
    silence=Silence(
        Reaction.CONTINUES,
        None,
        "the fingers keep their force while the controller has power. Programming manual for firmware 9.2.x, 2.1.3",
    ),
    code="cellctl_drivers.megp25:Megp25",
    timing="cellctl_drivers.timing:megp25",
)


class Megp25:
    """One gripper. It grips from outside: closing holds, opening lets go."""

    def __init__(self, name: str, options: Megp25Options, rack: Rack) -> None:
        self.name, self._options, self._rack = name, options, rack

    # --- life ---------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """See that the controller has a gripper."""
        await self.state()

    async def close(self) -> None:
        """Nothing to let go of: the fingers stay as they are."""

    async def prepare(self, act: Act) -> None:
        """Homed together with the arm."""

    async def halt(self) -> None:
        """Holds on: letting go would drop the part."""

    async def fault(self) -> str:
        """Error or overheating of the gripper; empty when it is well."""
        status = await self._tool_status()
        if status.has_error:
            return "the gripper reports an error; look at it and its cable, then reset"
        return "the gripper is too hot; let it cool, grip with less force" if status.is_too_hot else ""

    async def holds(self) -> bool | None:
        """Whether the fingers press on something; None while the gripper is not homed or has an error."""
        status = await self._tool_status()
        if not status.is_homed or status.has_error:
            return None
        return (await self.state()).holds

    # --- actions ------------------------------------------------------------------------------------------------

    def grip(self) -> Action[bool]:
        """Close; True when something is held, False when the fingers closed on nothing."""

        async def perform(number: int) -> bool:
            await self._arm().run(self._settings(), "GripperClose")
            state = await self._until(lambda now: now.holds or now.is_closed, "do not close")
            return state.holds

        return Action(self.name, "grip", DECLARATION.recovery_of("grip"), perform, self._settle_grip, True)

    def release(self, holding: bool) -> Action[None]:
        """Open. `holding` says whether the journal has something in the gripper."""

        async def perform(number: int) -> None:
            if holding or not (await self.state()).is_open:
                await self._arm().run(self._settings(), "GripperOpen")
                await self._until(lambda now: now.is_open, "do not open")

        recovery = DECLARATION.recovery_of("release", "holding" if holding else "empty")
        settle = self._settle_release if holding else None
        return Action(self.name, "release", recovery, perform, settle)

    # --- inside -------------------------------------------------------------------------------------------------

    async def state(self) -> GripperState:
        """What the fingers do. Raises DeviceError."""
        conversation = await self._arm().conversation()
        return await conversation.value("GetRtGripperState", codes.GRIPPER_STATE, GripperState.of)

    async def _settle_grip(self, number: int) -> Settled[bool]:
        state = await self._at_rest()
        if state is None or state.holds:
            return (
                _unknown() if state is None else Settled(Settlement.DONE, True, "the gripper holds something")
            )
        if state.is_closed:
            return Settled(Settlement.DONE, False, "the gripper is closed on nothing")
        if state.is_open:
            return Settled(Settlement.NOT_STARTED, why="the gripper is open")
        return Settled(Settlement.UNKNOWN, why="the gripper stands half closed without force")

    async def _settle_release(self, number: int) -> Settled[None]:
        state = await self._at_rest()
        if state is None or state.is_open:
            return _unknown() if state is None else Settled(Settlement.DONE, why="the gripper is open")
        if state.holds:
            return Settled(Settlement.NOT_STARTED, why="the gripper holds something")
        return Settled(Settlement.UNKNOWN, why="the gripper is neither open nor does it hold anything")

    async def _at_rest(self) -> GripperState | None:
        """The state once the fingers rest; None when the gripper cannot tell."""
        if await self.holds() is None:
            return None
        try:
            return await self._until(
                lambda now: now.holds or now.is_closed or now.is_open, "do not come to rest"
            )
        except DeviceFault:
            return await self.state()

    async def _until(self, holds: Callable[[GripperState], bool], what: str) -> GripperState:
        runtime, conversation = self._rack.runtime, await self._arm().conversation()
        try:
            async with runtime.deadline(self._options.timeout):
                return await conversation.link.until(self.state, holds, POLL)
        except DeadlineExceeded:
            within = f"{self._options.timeout:g} s"
            raise DeviceFault(
                self.name,
                conversation.link.address,
                f"its fingers {what} within {within}; see what is between them",
                0,
            ) from None

    def _settings(self) -> tuple[str, str]:
        force = command("SetGripperForce", 100 * self._options.force / GREATEST_FORCE)
        return force, command("SetGripperVel", 100 * self._options.speed)

    def _arm(self) -> Mecademic:
        arm = self._rack.device(self._options.controller)
        if not isinstance(arm, Mecademic):
            raise DeviceError(
                self.name, self._options.controller, "is no Mecademic controller; name the arm's device"
            )
        return arm

    async def _tool_status(self) -> ToolStatus:
        conversation = await self._arm().conversation()
        return await conversation.value("GetRtExtToolStatus", codes.TOOL_STATUS, ToolStatus.of)


def _unknown() -> Settled[Any]:
    return Settled(Settlement.UNKNOWN, why="the gripper is not homed, or has an error")
