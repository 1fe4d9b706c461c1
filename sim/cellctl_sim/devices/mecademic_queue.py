"""The motion queue of a Mecademic controller: one thing after another, pause, resume, clear.

What is queued acts when its turn comes: a setting at once, a motion or a delay for as long as it takes. No blending:
each motion ends before the next begins.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from cellctl_sim.devices.mecademic_motion import Joints, Leg, MotionFailed
from cellctl_sim.plant.agenda import Agenda
from cellctl_sim.plant.ramp import Ramp


@dataclass(frozen=True, slots=True)
class Entry:
    """Something queued. `begin(t)` does it or sets a motion going; `discard(t)` is called when it is thrown away."""

    begin: Callable[[float], None]
    discard: Callable[[float], None] = field(default=lambda t: None)


@dataclass(frozen=True, slots=True)
class Going:
    """A leg under way, from `base` of its path: by its law, or braking to a stop, which is the end when it is last."""

    leg: Leg
    base: float
    started: float
    braking: Ramp | None = None
    is_last: bool = False

    def end(self) -> float:
        """When it comes to rest [s]."""
        return self.braking.end if self.braking else self.started + self.leg.law(1.0 - self.base).duration

    def s(self, t: float) -> float:
        """Where on the path it is at `t`."""
        if self.braking:
            return self.base + self.braking.integral(max(t, self.started))
        return self.base + self.leg.law(1.0 - self.base).at(t - self.started)[0]

    def brake(self, t: float) -> Going:
        """The same, stopping from `t` on as hard as it may."""
        if self.braking:
            return self
        speed = abs(self.leg.law(1.0 - self.base).at(t - self.started)[1])
        return Going(self.leg, self.s(t), t, Ramp(t, speed, 0.0, self.leg.rates[1]))


class MotionQueue:
    """The queue and the arm's joints; `failed`, `idle`, `rested` are told of errors, an empty queue, a standstill."""

    def __init__(
        self,
        agenda: Agenda,
        joints: Joints,
        failed: Callable[[float, MotionFailed], None],
        idle: Callable[[float], None],
        rested: Callable[[float], None],
    ) -> None:
        self.timer = agenda.timer(self._over)
        self._failed, self._idle, self._rested = failed, idle, rested
        self._entries: deque[Entry] = deque()
        self._joints = joints  # where it stands, or stood last
        self._going: Going | None = None
        self._held: Going | None = None  # a motion that was stopped and can go on
        self._delay_left: float | None = None
        self._delay_until = 0.0
        self._worked = False  # something took time since the queue was last empty
        self.is_paused = False

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def is_moving(self) -> bool:
        """Whether the joints move."""
        return self._going is not None

    @property
    def is_done(self) -> bool:
        """Whether nothing is queued or under way."""
        waits = self._held is not None or self._delay_left is not None
        return not self._entries and not self.is_moving and not waits

    def joints(self, t: float) -> Joints:
        """Joint angles at `t` [rad]."""
        return self._going.leg.path.joints(self._going.s(t)) if self._going else self._joints

    # --- commands ---------------------------------------------------------------------------------------------

    def add(self, t: float, entry: Entry) -> None:
        """Queue something."""
        self._entries.append(entry)
        self._step(t)

    def move(self, t: float, leg: Leg) -> None:
        """Set a motion going; called by an entry whose turn it is."""
        self._go(Going(leg, 0.0, t))

    def wait(self, t: float, seconds: float) -> None:
        """Do nothing for a while; called by an entry whose turn it is."""
        self._delay_left, self._worked = seconds, True
        self._delay_until = t + seconds
        self.timer.set(self._delay_until)

    def pause(self, t: float) -> None:
        """Stop as fast as it may, to go on later."""
        if self.is_paused:
            return
        self.is_paused = True
        if self._going:
            self._go(self._going.brake(t))
        elif self._delay_left is not None:
            self._delay_left = self._delay_until - t
            self.timer.clear()

    def resume(self, t: float) -> None:
        """Go on, from where it stands."""
        if not self.is_paused:
            return
        self.is_paused = False
        if self._delay_left is not None:
            self.wait(t, self._delay_left)
        elif not self._going:
            self._go_on(t)

    def clear(self, t: float) -> None:
        """Stop as fast as it may and forget everything that is queued."""
        self.pause(t)
        entries, self._entries = self._entries, deque()
        self._held, self._delay_left = None, None
        if self._going:
            self._going = replace(self._going, is_last=True)
        for entry in entries:
            entry.discard(t)
        self._tell_if_done(t)

    def freeze(self, t: float) -> None:
        """The brakes fall in: stand where it is and forget everything."""
        self._joints = self.joints(t)
        self._going = None
        self.timer.clear()
        self.clear(t)

    # --- inside -----------------------------------------------------------------------------------------------

    def _go(self, going: Going) -> None:
        self._going, self._worked = going, True
        self.timer.set(going.end())

    def _over(self, t: float) -> None:
        """A motion, a braking or a delay is over."""
        going, self._going, self._delay_left = self._going, None, None
        if going:
            s = going.s(going.end()) if going.braking else 1.0
            self._joints = going.leg.path.joints(s)
            if s < 1.0 and not going.is_last:
                self._held = Going(going.leg, s, t)
            self._rested(t)
        if self.is_paused:
            self._tell_if_done(t)
        else:
            self._go_on(t)

    def _go_on(self, t: float) -> None:
        if self._held:
            held, self._held = self._held, None
            self._go(Going(held.leg, held.base, t))
        else:
            self._step(t)

    def _step(self, t: float) -> None:
        """Begin what is next, as long as that takes no time."""
        while self._entries and not self._busy():
            try:
                self._entries.popleft().begin(t)
            except MotionFailed as error:
                self._failed(t, error)
                return
        self._tell_if_done(t)

    def _tell_if_done(self, t: float) -> None:
        if self._worked and self.is_done:
            self._worked = False
            self._idle(t)

    def _busy(self) -> bool:
        return bool(self.is_paused or self._going or self._held or self._delay_left is not None)
