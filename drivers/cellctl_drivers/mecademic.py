"""Mecademic Meca500: a six-axis arm commanded by text messages over TCP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from math import degrees
from typing import Annotated

from pydantic import Field

from cellctl.device import (
    Act,
    Action,
    Capability,
    DriverDeclaration,
    Pose,
    Rack,
    Reaction,
    Recovery,
    Silence,
)
from cellctl.errors import (
    DeviceError,
    LimitExceeded,
)
from cellctl.runtime import Event, Task, Texts
from cellctl.written import AngularRate, Between, Duration, Mass, Ratio, Speed, Written, usually
from cellctl_drivers import mecademic_steps as steps
from cellctl_drivers.maps import mecademic as codes
from cellctl_drivers.mecademic_codec import Status, command, frame, move, version
from cellctl_drivers.mecademic_conversation import Conversation
from cellctl_drivers.mecademic_queue import Queue

ACTIVATION = 30.0  # [s] that activation or homing may take


class MecademicOptions(Written):
    """A Meca500 in the line file.

    `payload` is what its flange carries at most, the tool included. 0.5 kg, the rated payload as it is commonly
    quoted, is an assumption: no document at hand gives it. Set it from the data sheet of the arm.
    """

    address: str = Field(description="`tcp://HOST:10000`, the control port")
    payload: Annotated[Mass, Between("0 kg", "1 kg")] = usually(
        "0.5 kg", "what its flange carries at most, the tool included"
    )
    joint_speed: Annotated[Ratio, Between("1 %", "100 %")] = usually(
        "100 %", "of the greatest, in free motion at speed 1"
    )
    linear_speed: Annotated[Speed, Between("1 mm/s", "1 m/s")] = usually("500 mm/s", "on lines at speed 1")
    angular_speed: Annotated[AngularRate, Between("1 deg/s", "300 deg/s")] = usually(
        "180 deg/s", "on lines at speed 1"
    )
    watchdog: Annotated[Duration, Between("0.1 s", "30 s")] = usually(
        "1 s", "silence during a motion after which the arm stops"
    )


DECLARATION = DriverDeclaration(
    name="mecademic",
    doc="Mecademic Meca500 arm, text protocol on the control port",
    capability=Capability.ROBOT_ARM,
    options=MecademicOptions,
    recovery={
        "move_to": {"empty": Recovery.REPEATABLE, "holding": Recovery.REPEATABLE},
        "step": {"": Recovery.IN_DOUBT},
        "reset_error": {"": Recovery.REPEATABLE},
        "activate": {"": Recovery.REPEATABLE},
        "home": {"": Recovery.REPEATABLE},
        "ready": {"": Recovery.REPEATABLE},
    },
    silence=Silence(
        Reaction.STOPS,
        1.0,
        "ConnectionWatchdog, set to the option `watchdog` for as long as it moves; without it (firmware before "
        "10) the controller stops a motion when it notices that the connection is gone, after milliseconds to "
        "seconds. Programming manual for firmware 11.3, ConnectionWatchdog",
    ),
    code="cellctl_drivers.mecademic:Mecademic",
    timing="cellctl_drivers.timing:mecademic",
)


class Mecademic:
    """One arm. Poses are of the tool point in the frame of its base."""

    def __init__(self, name: str, options: MecademicOptions, rack: Rack) -> None:
        self.name, self._options, self._rack = name, options, rack
        self._conversation: Conversation | None = None
        self._tasks: list[Task] = []
        self._setting_up: Event | None = None  # there while somebody sets the connection up
        self._set_up_at = -1  # `losses` of the conversation when it was last set up
        runtime, watchdog = rack.runtime, options.watchdog
        self._queue = Queue(runtime, self.conversation, self.halt, watchdog)
        self._tool, self._tool_mass, self._carried = Pose(0.0, 0.0, 0.0), 0.0, 0.0

    # --- life ---------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Connect, read status and firmware, drop motions left over from before. Nothing moves."""
        if self._conversation is None:
            link = await self._rack.link(self._options.address, Texts)
            self._conversation, self._set_up_at = Conversation(self.name, link, self._rack.runtime), -1
            self._tasks = [
                self._rack.background(self._conversation.listen, f"{self.name} reader"),
                self._rack.background(self._queue.keep_watch, f"{self.name} watchdog"),
            ]
        await self.conversation()

    async def close(self) -> None:
        """Stop listening; the arm stays where it is."""
        for task in self._tasks:
            task.cancel()
        self._tasks, self._conversation = [], None

    async def prepare(self, act: Act) -> None:
        """Clear errors, activate, home, and make ready to move.

        Homing moves every joint a little and the gripper fully; both only after a power-up.
        """
        for action in (self.reset_error(), self.activate(), self.home(), self.ready()):
            await act(action)

    async def halt(self) -> None:
        """Brake now and forget the motions that are queued; does nothing before `open`."""
        self._queue.forget()
        if self._conversation is not None:
            await self._conversation.ask("PauseMotion", codes.PAUSED)
            await self._conversation.ask("ClearMotion", codes.CLEARED)

    async def fault(self) -> str:
        """What keeps the arm from moving, in words with a remedy."""
        conversation = await self.conversation()
        status = await self._queue.status()
        if conversation.stops:
            return codes.words(min(conversation.stops))
        if status.has_error:
            return codes.words(conversation.last_error or codes.ALREADY_IN_ERROR)
        return ""

    # --- actions ------------------------------------------------------------------------------------------------

    def move_to(self, pose: Pose, straight: bool, speed: float) -> Action[None]:
        """Bring the tool point to `pose`; `speed` is a fraction of what the options give. Raises LimitExceeded."""
        if not 0 < speed <= 1:
            raise LimitExceeded(self.name, "speed", speed, 0, 1, "")
        condition = "holding" if self._carried else "empty"

        async def perform(number: int) -> None:
            await self._queue.run(self._settings(straight, speed), move(pose, straight))

        return Action(self.name, "move_to", DECLARATION.recovery_of("move_to", condition), perform)

    def step(self, by: Pose, speed: float) -> Action[None]:
        """By hand: move the tool point by so much along and around the axes of the base, at `speed` [m/s, rad/s]."""
        is_turn = (by.x, by.y, by.z) == (0.0, 0.0, 0.0)
        linear, angular = (0.0, speed) if is_turn else (speed, 0.0)

        async def perform(number: int) -> None:
            told = steps.settings(self._tool, linear, angular)
            await self._queue.run(told)  # only then the controller's target is that of the tool's point
            conversation = await self.conversation()
            here = await conversation.value("GetRtTargetCartPos", codes.TARGET_POSE, steps.target_pose)
            await self._queue.run(told, move(steps.stepped(here, by), straight=True))

        return self._by_hand(perform)

    def turn_joint(self, joint: int, angle: float, speed: float) -> Action[None]:
        """By hand: turn one joint, from 0, by `angle` [rad] at `speed` [rad/s]."""

        async def perform(number: int) -> None:
            conversation = await self.conversation()
            here = await conversation.value("GetRtTargetJointPos", codes.TARGET_JOINTS, steps.target_joints)
            await self._queue.run(steps.joint_settings(joint, speed), steps.turned(here, joint, angle))

        return self._by_hand(perform)

    def reset_error(self) -> Action[None]:
        """Clear the controller's error, if there is one."""

        async def perform(number: int) -> None:
            self._queue.forget()
            conversation = await self.conversation()
            if (await self._queue.status()).has_error:
                await conversation.ask("ResetError", codes.ERROR_RESET, codes.NO_ERROR)
            conversation.last_error = 0
            if conversation.stops:
                raise conversation.fault(min(conversation.stops))

        return self._preparation("reset_error", perform)

    def activate(self) -> Action[None]:
        """Put power on the joints, if there is none."""

        async def perform(number: int) -> None:
            self._queue.forget()
            conversation = await self.conversation()
            if not (await self._queue.status()).is_activated:
                await conversation.ask(
                    "ActivateRobot", codes.ACTIVATED, codes.WAS_ACTIVATED, within=ACTIVATION
                )

        return self._preparation("activate", perform)

    def home(self) -> Action[None]:
        """Home the joints and the gripper, if they are not."""

        async def perform(number: int) -> None:
            self._queue.forget()
            conversation = await self.conversation()
            if not (await self._queue.status()).is_homed:
                await conversation.ask("Home", codes.HOMED, codes.WAS_HOMED, within=ACTIVATION)

        return self._preparation("home", perform)

    def ready(self) -> Action[None]:
        """Forget what is queued and let motions run."""

        async def perform(number: int) -> None:
            self._queue.forget()
            conversation = await self.conversation()
            await conversation.ask("ClearMotion", codes.CLEARED)
            await self._queue.demand_ready()

        return self._preparation("ready", perform)

    def set_tool(self, length: float, mass: float) -> None:
        """What the arm wears: from the flange to the tool point [m], mass [kg]. Raises LimitExceeded."""
        if not 0 <= mass <= self._options.payload:
            raise LimitExceeded(self.name, "tool mass", mass, 0, self._options.payload, "kg")
        self._tool = Pose(0.0, 0.0, length)
        self._tool_mass = mass

    def set_payload(self, mass: float) -> None:
        """What the flange carries besides the tool [kg]. Raises LimitExceeded."""
        most = self._options.payload - self._tool_mass
        if not 0 <= mass <= most:
            raise LimitExceeded(self.name, "payload besides the tool", mass, 0, most, "kg")
        self._carried = mass

    # --- for the gripper that hangs on this controller ------------------------------------------------------------

    async def conversation(self) -> Conversation:
        """The conversation, set up again if the connection was lost since. Raises DeviceError; nothing moves."""
        if self._conversation is None:
            raise DeviceError(self.name, self._options.address, "is not open")
        while self._set_up_at != self._conversation.losses:
            if self._setting_up is not None:
                await self._setting_up.wait()
            else:
                await self._set_up(self._conversation)
        return self._conversation

    async def status(self) -> Status:
        """The controller's status. Raises DeviceError."""
        return await self._queue.status()

    async def run(self, settings: Sequence[str], *commands: str) -> None:
        """Queue settings that are not in force, then commands, and wait until the last is done.

        Stops the arm if that is broken off. Raises DeviceError.
        """
        await self._queue.run(settings, *commands)

    # --- inside -------------------------------------------------------------------------------------------------

    def _by_hand(self, perform: Callable[[int], Awaitable[None]]) -> Action[None]:
        return Action(self.name, "step", DECLARATION.recovery_of("step"), perform)

    def _preparation(self, name: str, perform: Callable[[int], Awaitable[None]]) -> Action[None]:
        return Action(self.name, name, DECLARATION.recovery_of(name), perform)

    async def _set_up(self, conversation: Conversation) -> None:
        """What has to be known and said on a new connection: firmware, and that nothing is left to be moved."""
        over = self._setting_up = self._rack.runtime.event()
        try:
            reply = await conversation.ask("GetFwVersion", codes.FIRMWARE)
            self._queue.has_watchdog = version(reply) >= codes.WATCHDOG_FIRMWARE
            await conversation.ask("ClearMotion", codes.CLEARED)
            self._set_up_at = conversation.losses
        finally:
            self._setting_up = None
            over.set()

    def _settings(self, straight: bool, speed: float) -> Sequence[str]:
        """What decides about a motion. Each ends at its pose, so there is no blending.

        Joint speed is for free motions, linear and angular speed for lines: mecademicpy 3.0.3, SetJointVel (joint-space
        commands), SetCartLinVel and SetCartAngVel (MoveLin commands).
        """
        options, always = self._options, (command("SetTrf", *frame(self._tool)), command("SetBlending", 0))
        if not straight:
            return (*always, command("SetJointVel", 100 * options.joint_speed * speed))
        return (
            *always,
            command("SetCartLinVel", 1e3 * options.linear_speed * speed),
            command("SetCartAngVel", degrees(options.angular_speed * speed)),
        )
