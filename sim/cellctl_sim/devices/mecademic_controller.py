"""A Mecademic Meca500 controller without its commands: activation, homing, errors, queue, stops, monitoring, faults.

Sources: programming manuals for the Meca500, firmware 9.2.x and 11.3; codes as in mecademicpy 3.0.3. A client that goes
away, or whose connection watchdog runs out, while the arm moves leaves it paused and cleared. Postures and turns of
joints are always chosen automatically (SetConf and SetConfTurn are taken and ignored).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from operator import attrgetter

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from cellctl.device import Pose
from cellctl.errors import UnknownName
from cellctl.motion.robots import robot
from cellctl.motion.transforms import compose, from_xyz_euler
from cellctl_sim.devices.mecademic_motion import Frame, Joints, Limits, MotionFailed, tool_of
from cellctl_sim.devices.mecademic_queue import Entry, MotionQueue
from cellctl_sim.devices.mecademic_session import Monitoring, Session
from cellctl_sim.devices.mecademic_text import reply
from cellctl_sim.devices.watchdog import Watchdog
from cellctl_sim.plant.agenda import Agenda
from cellctl_sim.plant.faults import Fault, Manner
from cellctl_sim.plant.gripper import Gripper, Position

NO_FRAME: Frame = (0.0,) * 6
HOME: Joints = (0.0,) * 6
EVENT_WATCHDOG, EVENT_ESTOP, EVENT_PSTOP2, EVENT_COLLISION = 3086, 3070, 3032, 3005


class MecademicProperties(BaseModel):
    """`simulated:` keys of an arm."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    firmware: str = Field(default="11.1.4", pattern=r"^\d+\.\d+\.\d+$")
    activation_time: float = Field(default=2.0, ge=0)  # [s]
    homing_time: float = Field(default=3.0, ge=0)  # [s]
    boot_time: float = Field(default=5.0, ge=0)  # [s]


DEFAULTS = MecademicProperties()
due_of = attrgetter("due")


class Controller:
    """One controller with its arm; `base` is in the line's frame, `tool` from the flange to the tool point [m]."""

    def __init__(
        self,
        name: str,
        agenda: Agenda,
        properties: MecademicProperties = DEFAULTS,
        robot_name: str = "meca500",
        base: Pose | None = None,
        tool: float = 0.0,
    ) -> None:
        self.name: str = name
        self.robot_name: str = robot_name
        self.properties: MecademicProperties = properties
        self.version = tuple(map(int, properties.firmware.split(".")))
        self._agenda = agenda
        at = base or Pose(0.0, 0.0, 0.0)
        self._T_line_base = from_xyz_euler((at.x, at.y, at.z), (at.alpha, at.beta, at.gamma))
        self._T_flange_tool = from_xyz_euler((0.0, 0.0, tool))
        self.gripper: Gripper | None = None
        self.gripper_stroke_mm = 6.0
        self.session: Session | None = None
        self.monitoring: Monitoring = Monitoring()
        self._cycle = agenda.timer(self._stream)
        self._preparing = agenda.timer(self._prepared)
        self._prepared_then: Callable[[float], None] = lambda t: None
        self._estop_over = agenda.timer(lambda t: self._release_stop(t, EVENT_ESTOP))
        self._pstop_over = agenda.timer(lambda t: self._release_stop(t, EVENT_PSTOP2))
        self._watchdog = Watchdog(agenda, self._watchdog_expired)
        self.queue: MotionQueue = MotionQueue(agenda, HOME, self._motion_failed, self._idle, self._rested)
        stops = (self._estop_over, self._pstop_over)
        self._timers = (self.queue.timer, self._cycle, self._preparing, *stops, self._watchdog.timer)
        self.is_activated = self.is_homed = self.is_simulating = False
        self.error = 0
        self.collided = False
        self.stops: set[int] = set()  # safety stops that are on
        self.set_defaults()
        self._point_of = lru_cache(maxsize=256)(self._point)  # it rests at the same places again and again

    # --- what others ask of it ------------------------------------------------------------------------------------

    def where(self, t: float) -> Position:
        """The tool point in the line's frame at `t` [m]."""
        return self._point_of(self.queue.joints(t))

    def _point(self, joints: Joints) -> Position:
        T = compose(self._T_line_base, robot(self.robot_name).fk(np.array(joints)), self._T_flange_tool)
        x, y, z = T[:3, 3].tolist()
        return x, y, z

    def next_change(self, t: float) -> float:
        """The next message, or the next thing that happens here."""
        self._agenda.advance(t)
        if self.session is not None and self.session.has_messages:
            return t
        due: float = min(map(due_of, self._timers))
        rests_at = self.gripper.rests_at if self.gripper else t
        return min(due, rests_at) if rests_at > t else due

    def advance(self, t: float) -> None:
        """Let everything happen that is due by `t`."""
        self._agenda.advance(t)

    # --- messages -------------------------------------------------------------------------------------------------

    def say(self, t: float, code: int, *values: object) -> None:
        """Tell the client, if there is one."""
        if self.session is not None:
            self.session.say(t, reply(code, *values))

    def status(self) -> tuple[int, ...]:
        """as, hs, sm, es, pm, eob, eom of GetStatusRobot."""
        queue = self.queue
        flags = (self.is_activated, self.is_homed, self.is_simulating, bool(self.error))
        return (*map(int, flags), int(queue.is_paused), int(queue.is_done), int(not queue.is_moving))

    def _tell_status(self, t: float, before: tuple[int, ...] | None) -> None:
        """With monitoring on the control port, every change of the status is told; None: it was not on before."""
        if before is not None and self.monitoring.is_on and self.status() != before:
            self.say(t, 2007, *self.status())

    # --- states ---------------------------------------------------------------------------------------------------

    def set_defaults(self) -> None:
        """Settings as after activation."""
        self.limits = Limits()
        self.trf = self.wrf = NO_FRAME
        self.eob_told, self.eom_told = True, False
        self.checkpoint: int = 0

    def prepare(self, t: float, seconds: float, then: Callable[[float], None]) -> None:
        """Do something that takes time before it is true."""
        self._prepared_then = then
        self._preparing.set(t + seconds)

    def _prepared(self, t: float) -> None:
        before = self.status()
        self._prepared_then(t)
        self._tell_status(t, before)

    def activated(self, t: float) -> None:
        """The motors have power."""
        self.is_activated = True
        self.set_defaults()
        self.queue.clear(t)
        self.queue.resume(t)
        self.say(t, 2000, "Motors activated.")

    def homed(self, t: float) -> None:
        """Homing is over. The fingers have moved fully: what they held lies below."""
        self.is_homed = True
        if self.gripper is not None:
            self.gripper.drop(t)
            self.gripper.open(t)
        self.say(t, 2002, "Homing done.")

    def deactivate(self, t: float) -> None:
        """Brakes on, motors off."""
        self._preparing.clear()
        self.queue.freeze(t)
        self.is_activated = self.is_homed = False

    def fail(self, t: float, code: int, why: str) -> None:
        """Into error: motion stops, the queue is cleared, and nothing moves until ResetError and ResumeMotion."""
        self.error = code
        self.queue.clear(t)
        self.say(t, code, why)

    def add(
        self, t: float, begin: Callable[[float], None], discard: Callable[[float], None] | None = None
    ) -> None:
        """Queue something."""
        self.queue.add(t, Entry(begin, discard) if discard else Entry(begin))

    def change_limits(self, t: float, **changes: float) -> None:
        """Queue a setting of the limits."""

        def begin(t: float) -> None:
            self.limits = replace(self.limits, **changes)

        self.add(t, begin)

    def tool_frame(self, t: float) -> Frame:
        """The tool frame in the world frame, as SetTrf and SetWrf have them."""
        return tool_of(self.robot_name, self.queue.joints(t), self.wrf, self.trf)

    def _motion_failed(self, t: float, failure: MotionFailed) -> None:
        before = self.status()
        self.fail(t, failure.code, failure.why)
        self._tell_status(t, before)

    def _idle(self, t: float) -> None:
        if self.monitoring.is_on:
            self._stream(t)
        if self.eob_told:
            self.say(t, 3012, "End of block.")
        if self.monitoring.is_on:
            self.say(t, 2007, *self.status())

    def _rested(self, t: float) -> None:
        if self.eom_told:
            self.say(t, 3004, "End of movement.")

    # --- watchdog and monitoring --------------------------------------------------------------------------------

    def watch(self, t: float, seconds: float) -> None:
        """ConnectionWatchdog: wind it up, or stop it with 0."""
        if seconds > 0.0:
            self._watchdog.start(t, seconds)
        else:
            self._watchdog.stop()

    def _watchdog_expired(self, t: float) -> None:
        self._watchdog.stop()
        self.say(t, EVENT_WATCHDOG, 1)
        if self.session is not None:
            self.session.shut()
            self.left(t, self.session)

    def left(self, t: float, session: Session) -> None:
        """A client's connection is gone: stop what it set going."""
        self._agenda.advance(t)
        if session is not self.session:
            return
        self.session = None
        self._watchdog.stop()
        self.monitor(t, False)
        if not self.queue.is_done:
            self.queue.clear(t)

    def monitor(self, t: float, on: bool) -> None:
        """SetCtrlPortMonitoring."""
        if on:
            self.monitoring.begin()
            self.say(t, 2007, *self.status())
            self._stream(t)
        else:
            self.monitoring.is_on = False
            self._cycle.clear()

    def _stream(self, t: float) -> None:
        for text in self.monitoring.cycle(self, t):
            if self.session is not None:
                self.session.say(t, text)
        self._cycle.set(t + self.monitoring.interval)

    # --- faults -----------------------------------------------------------------------------------------------

    def suffer(self, t: float, fault: Fault, until: float) -> float | None:
        """`error` (value: code), `collision`, `estop`, `pstop`, `restart`."""
        before = self.status()
        match fault.fault:
            case "error":
                self.fail(t, int(fault.value or 1040), "Command failed.")
            case "collision":
                self.collided = True
                self.error = EVENT_COLLISION
                self.queue.clear(t)
                self.say(t, EVENT_COLLISION, 1)
            case "estop":
                self._stop(t, EVENT_ESTOP)
                self.deactivate(t)
                self._estop_over.set(until)
            case "pstop":
                self._stop(t, EVENT_PSTOP2)
                self.queue.pause(t)
                self._pstop_over.set(until)
            case "restart":
                return self._restart(t)
            case other:
                known = ("error", "collision", "estop", "pstop", "restart", *Manner)
                raise UnknownName("fault of an arm", other, known)
        self._tell_status(t, before)
        return None

    def _stop(self, t: float, event: int) -> None:
        self.stops.add(event)
        self.say(t, event, 1)

    def _release_stop(self, t: float, event: int) -> None:
        self.stops.discard(event)
        self.say(t, event, 0)

    def _restart(self, t: float) -> float:
        self.deactivate(t)
        self.error = 0
        self.stops.clear()
        if self.session is not None:
            self.session.shut()
            self.left(t, self.session)
        return t + self.properties.boot_time
