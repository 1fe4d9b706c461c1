"""Grippers: fingers that take time, and hold what is between them when they close. Where they are, the arm says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import dist, inf

from cellctl.runtime import RandomStream
from cellctl_sim.plant.agenda import Agenda
from cellctl_sim.plant.items import FLOOR, Item
from cellctl_sim.plant.spots import GRASP, Spot

Position = tuple[float, float, float]  # [m], in the line's frame


@dataclass(frozen=True, slots=True)
class Chances:
    """How often a gripper fails."""

    miss: float = 0.0  # closing beside the item although it is there
    drop: float = 0.0  # the item slips out at once


RELIABLE = Chances()
USUAL_SPEED = 0.4


class Fixings:
    """All spots that an arm can reach into, with their positions, and all grippers."""

    def __init__(self) -> None:
        self._spots: list[tuple[str, Position, Spot]] = []
        self.grippers: list[Gripper] = []

    def add(self, arm: str, position: Position, spot: Spot) -> None:
        """`spot` is where `arm` reaches `position` with its tool point; "" for every arm."""
        self._spots.append((arm, position, spot))

    def spot_near(self, arm: str, position: Position) -> Spot | None:
        """The spot nearest to `position` within its own tolerance."""
        best, found = inf, None
        for whose, at, spot in self._spots:
            off = dist(at, position)
            if whose in ("", arm) and off < best and off <= spot.tolerance:
                best, found = off, spot
        return found

    def grasp_near(self, t: float, arm: str, position: Position) -> Spot | None:
        """The spot with an item so near to `position` that fingers closing there hold it."""
        for whose, at, spot in self._spots:
            if whose in ("", arm):
                off = dist(at, position)
                if off <= GRASP and spot.look(t)[0] and off + spot.look(t)[1] <= GRASP:
                    return spot
        return None

    def held_at(self, t: float, spot: Spot) -> tuple[Item | None, float]:
        """What a gripper holds where things lie at `spot`, and how far off that is [m]."""
        for gripper in self.grippers:
            if gripper.item is None:
                continue
            here = gripper.where(t)
            for whose, at, other in self._spots:
                if other is spot and whose in ("", gripper.arm) and dist(at, here) <= GRASP:
                    return gripper.item, dist(at, here)
        return None, inf


class Gripper:
    """Two fingers on an arm. `where(t)` is the tool point. Positions of the fingers: 1 open, 0 closed on nothing."""

    def __init__(
        self,
        name: str,
        arm: str,
        agenda: Agenda,
        fixings: Fixings,
        where: Callable[[float], Position],
        random: RandomStream,
        count: Callable[[str], None] = lambda name: None,
        note: Callable[[float, str], None] = lambda t, text: None,
        chances: Chances = RELIABLE,
        time: float = 0.1,  # [s] from open to closed
        width: float = 0.5,  # how far open the fingers stand around an item
    ) -> None:
        self.name, self.arm = name, arm
        self.item: Item | None = None
        self.next_misses = 0  # how many of the next closings miss
        self._fixings, self.where, self._random = fixings, where, random
        self._count, self._note = count, note
        self._chances, self._width = chances, width
        self._time_as_made = self._time = time
        self._timer = agenda.timer(self._arrive)
        self._from, self._to, self._since = 1.0, 1.0, 0.0
        self.rests_at = 0.0  # when the fingers come, or came, to rest [s]
        fixings.grippers.append(self)

    def close(self, t: float) -> None:
        """Close the fingers until they meet what is between them, or each other."""
        if self._to == 0.0 or self.item is not None:
            return
        here = self._move(t, 0.0)
        if here > self._width:
            self._timer.set(t + self._time * (here - self._width))

    def open(self, t: float) -> None:
        """Open the fingers; what they held is free at once."""
        if self._to != 1.0:
            self._move(t, 1.0)
            self._release(t)

    def opening(self, t: float) -> float:
        """How far open the fingers stand: 1 open, 0 closed."""
        if t >= self.rests_at:
            return self._to
        return self._from + (self._to - self._from) * (t - self._since) / (self.rests_at - self._since)

    def set_speed(self, fraction: float) -> None:
        """How fast the fingers go from now on; as made they go at `USUAL_SPEED` of the greatest."""
        self._time = self._time_as_made * USUAL_SPEED / fraction

    def drop(self, t: float) -> None:
        """Lose what is held, wherever the arm is; the fingers close on nothing."""
        if self.item is not None:
            self._lose(t, "slipped out")
            self._move(t, 0.0)

    def _move(self, t: float, to: float) -> float:
        """Set out for `to`; how far open the fingers are now."""
        here = self.opening(t)
        self._from, self._to, self._since = here, to, t
        self.rests_at = round(t + self._time * abs(to - here), 6)
        self._timer.set(self.rests_at)
        return here

    def _arrive(self, t: float) -> None:
        if self._to == 1.0:
            self._count(f"{self.name}.opened")
        elif t < self.rests_at:
            self._touch(t)
        else:
            self._count(f"{self.name}.closed")

    def _touch(self, t: float) -> None:
        """The fingers are as near to each other as an item between them would let them come."""
        item = self._within(t, self.where(t))
        if item is None:
            self._timer.set(self.rests_at)
            return
        self.item, item.place = item, self.name
        item.record(t, f"gripped by {self.name}")
        self._from = self._to = self._width
        self.rests_at = t
        self._count(f"{self.name}.gripped")
        if self._random.random() < self._chances.drop:
            self.drop(t)

    def _within(self, t: float, position: Position) -> Item | None:
        """What the fingers hold when they close here: out of a spot, or out of another gripper's hand."""
        spot = self._fixings.grasp_near(t, self.arm, position)
        if spot is not None:
            return None if self._misses() else spot.take(t)
        return next(
            (other.item for other in self._fixings.grippers if other._offers(t, self, position)), None
        )

    def _misses(self) -> bool:
        if not self.next_misses and self._random.random() >= self._chances.miss:
            return False
        self.next_misses = max(self.next_misses - 1, 0)
        self._count(f"{self.name}.missed")
        return True

    def _offers(self, t: float, taker: Gripper, position: Position) -> bool:
        return self is not taker and self.item is not None and dist(self.where(t), position) <= GRASP

    def _release(self, t: float) -> None:
        if self.item is None:
            return
        self._count(f"{self.name}.released")
        item, self.item = self.item, None
        if any(other.item is item for other in self._fixings.grippers):
            return  # handed over: the other one holds it
        spot = self._fixings.spot_near(self.arm, self.where(t))
        if spot is None:
            self.item = item
            self._lose(t, "let go in mid-air")
        else:
            item.record(t, f"put down at {spot.name}")
            spot.put(t, item)

    def _lose(self, t: float, how: str) -> None:
        assert self.item is not None
        item, self.item = self.item, None
        if any(other.item is item for other in self._fixings.grippers):
            return
        item.place = FLOOR
        item.record(t, f"{how} from {self.name}")
        self._count(f"{self.name}.dropped")
        x, y, z = (1000 * value for value in self.where(t))
        self._note(t, f"{self.name}: {how} at ({x:.1f}, {y:.1f}, {z:.1f}) mm")
