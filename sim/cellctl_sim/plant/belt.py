"""A belt: parts ride on it, are held by raised stoppers, queue behind each other, cover eyes and fall off its end.

Exact: while the belt's speed ramps or stays, a part's place is a closed formula, and each time at which a part
reaches an eye's edge, a stopper, the part before it or the belt's end is computed, not stepped to.

Positions are of a part's middle, along the belt [m]. The belt runs forwards only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf

from cellctl_sim.plant.agenda import Agenda
from cellctl_sim.plant.items import FLOOR, Item
from cellctl_sim.plant.ramp import Ramp
from cellctl_sim.plant.spots import GRASP

PART = 0.04  # [m] length of a part, from bumper to bumper: the distance of parts in a queue
HALF = 0.015  # [m] before and behind a station in which a part's middle covers the eye: parts in a queue show a gap
NEAR = 2e-6  # [m] nearer than this is there: times are rounded to a microsecond, belts run at 2 m/s at most
FALL = 0.3  # [s] for which what falls off the end covers the eye below it


@dataclass(slots=True, eq=False)
class Rider:
    """A part on the belt. Riding, it is at `anchor` + travel of the belt; standing, at `anchor`."""

    item: Item
    anchor: float
    riding: bool = False
    passed: float = -inf  # the last mark that it has reached


class BeltStop:
    """A station of the belt: a spot, with an eye and a stopper perhaps; a sink has its place at the end."""

    tolerance = GRASP

    def __init__(
        self, belt: Belt, name: str, at: float, has_stopper: bool = False, sink: bool = False
    ) -> None:
        self.belt, self.name, self.at = belt, name, at
        self.raised = has_stopper
        self.is_sink = sink
        self.covered = False  # what the eye sees

    def lower(self, t: float, on: bool) -> None:
        """Its stopper's output: on lowers it, so that parts pass; off raises it."""
        self.belt.raise_stopper(t, self, not on)

    def is_covered(self) -> bool:
        """What its eye sees."""
        return self.covered

    def look(self, t: float) -> tuple[Item | None, float]:
        """The item nearest to the station that covers it, and how far from it its middle is [m]."""
        rider, off = self.belt.nearest(t, self.at)
        return (rider.item, off) if rider and off < HALF else (None, inf)

    def take(self, t: float) -> Item:
        """Lift the nearest item off the belt."""
        return self.belt.take(t, self.at)

    def put(self, t: float, item: Item) -> None:
        """Lay an item on the belt, or on the item that is there."""
        self.belt.put(t, self, item)


class Belt:
    """One belt with its stops in running order. `count(name)` counts, `note(t, text)` reports what must not happen."""

    def __init__(
        self,
        name: str,
        agenda: Agenda,
        count: Callable[[str], None] = lambda name: None,
        note: Callable[[float, str], None] = lambda t, text: None,
    ) -> None:
        self.name, self._agenda, self._count, self._note = name, agenda, count, note
        self.stops: list[BeltStop] = []
        self.riders: list[Rider] = []  # the foremost first
        self._speed = Ramp(agenda.now, 0.0, 0.0)
        self._travelled = 0.0  # when the speed last changed
        self._timer = agenda.timer(self._happen)
        self.onto: Belt | None = None  # where parts go over the end
        self._falling: list[float] = []  # until when each falling part covers the eye below the end

    def add_stop(self, name: str, at: float, has_stopper: bool = False, sink: bool = False) -> BeltStop:
        """A station at `at` [m]."""
        stop = BeltStop(self, name, at, has_stopper, sink)
        self.stops = sorted([*self.stops, stop], key=lambda other: other.at)
        return stop

    @property
    def end(self) -> float:
        """Where a part's middle leaves the belt [m]: just before the sink's eye, or behind the last stop."""
        last = self.stops[-1]
        return last.at - HALF if last.is_sink else last.at + 0.1

    # --- what the devices do to it ----------------------------------------------------------------------------

    def run(self, t: float, speed: Ramp) -> None:
        """The drive gives the belt this speed from `t` on [m/s]."""
        self._travelled = self.travel(t)
        self._speed = speed
        self._happen(t)

    def raise_stopper(self, t: float, stop: BeltStop, raised: bool) -> None:
        """A raised stopper holds each part whose middle is not yet beyond it."""
        stop.raised = raised
        self._happen(t)

    def put(self, t: float, stop: BeltStop, item: Item) -> None:
        """Lay `item` down at `stop`; it joins what lies there within the grasp."""
        beside, off = self.nearest(t, stop.at)
        if beside and off <= GRASP:
            beside.item.join(t, item)
            return
        if beside and off < PART - NEAR:
            self._note(t, f"{stop.name}: put down onto the edge of a part {off * 1000:.1f} mm away")
        ahead = sum(self.position(t, rider) >= stop.at for rider in self.riders)
        self.riders.insert(ahead, Rider(item, stop.at, passed=stop.at))
        item.place = stop.name
        self._happen(t)

    def take(self, t: float, at: float) -> Item:
        """Lift off the part nearest to `at`."""
        rider, _ = self.nearest(t, at)
        assert rider is not None, f"nothing lies on {self.name}"
        self.riders.remove(rider)
        self._happen(t)
        return rider.item

    def receive(self, t: float, item: Item) -> None:
        """Another belt lets `item` go over its end onto the beginning of this one."""
        self.riders.append(Rider(item, 0.0, passed=0.0))
        self._count(f"{self.name}.received")
        self._happen(t)

    # --- where things are -------------------------------------------------------------------------------------

    def travel(self, t: float) -> float:
        """How far the belt has run by `t` [m]."""
        return self._travelled + self._speed.integral(t)

    def position(self, t: float, rider: Rider) -> float:
        """Where a part's middle is at `t` [m]."""
        return rider.anchor + self.travel(t) if rider.riding else rider.anchor

    def nearest(self, t: float, at: float) -> tuple[Rider | None, float]:
        """The part nearest to `at`, and its distance [m]."""
        found: tuple[Rider | None, float] = (None, inf)
        for rider in self.riders:
            off = abs(self.position(t, rider) - at)
            if off < found[1]:
                found = rider, off
        return found

    def report(self, t: float) -> list[tuple[Item, str]]:
        """Each part on the belt and its place in words: the stop that it covers, or where it is on the way."""
        return [(rider.item, self._place(self.position(t, rider))) for rider in self.riders]

    def _place(self, x: float) -> str:
        near = next((stop.name for stop in self.stops if abs(stop.at - x) < HALF), "")
        return near or f"{self.name} at {x * 1000:.1f} mm"

    # --- what happens by itself ---------------------------------------------------------------------------------

    def _happen(self, t: float) -> None:
        """Bring everything in line with what is so at `t`, and find out when something will change."""
        self._advance_riders(t)
        self._drop(t)
        self._see(t)
        self._plan(t)

    def _advance_riders(self, t: float) -> None:
        travelled = self.travel(t)
        ahead: Rider | None = None
        for rider in self.riders:
            x = rider.anchor + travelled if rider.riding else rider.anchor
            self._pass_marks(rider, x)
            limit = self._limit(x, ahead)
            if limit - x <= NEAR:
                rider.anchor, rider.riding = (limit if abs(limit - x) <= NEAR else x), False
            elif not rider.riding:
                rider.anchor, rider.riding = x - travelled, True
            ahead = rider

    def _limit(self, x: float, ahead: Rider | None) -> float:
        """How far a part at `x` can ride: to a raised stopper or up to the part ahead, if that one stands."""
        raised = (stop.at for stop in self.stops if stop.raised and stop.at >= x - NEAR)
        queue = ahead.anchor - PART if ahead and not ahead.riding else inf
        return min(next(raised, inf), queue)

    def _pass_marks(self, rider: Rider, x: float) -> None:
        """Count the stops that the part has left since it was last looked at."""
        for stop in self.stops:
            if rider.passed < stop.at + HALF <= x + NEAR:
                self._count(f"{stop.name}.passed")
        rider.passed = max(rider.passed, x + NEAR)

    def _drop(self, t: float) -> None:
        """Let fall what has come to the end."""
        travelled = self.travel(t)
        while self.riders and self.riders[0].riding and self.riders[0].anchor + travelled >= self.end - NEAR:
            item = self.riders.pop(0).item
            last = self.stops[-1]
            if self.onto is not None:
                self.onto.receive(t, item)
                continue
            if last.is_sink:
                self._falling.append(round(t + FALL, 6))
                self._count(f"{last.name}.swallowed")
                item.place = last.name
            else:
                self._note(t, f"a part fell off the end of {self.name}")
                item.place = FLOOR
            item.record(t, f"left at {last.name}" if last.is_sink else f"fell off {self.name}")

    def _see(self, t: float) -> None:
        travelled = self.travel(t)
        places = [rider.anchor + travelled if rider.riding else rider.anchor for rider in self.riders]
        self._falling = [until for until in self._falling if until > t]
        for stop in self.stops:
            stop.covered = any(-HALF - NEAR <= x - stop.at < HALF - NEAR for x in places)
        if self.stops and self.stops[-1].is_sink:
            self.stops[-1].covered = bool(self._falling)

    def _plan(self, t: float) -> None:
        """Set the timer to the first moment at which a riding part reaches a mark, or a fallen one clears the eye."""
        travelled = self.travel(t)
        distance = inf
        ahead: Rider | None = None
        for rider in self.riders:
            if rider.riding:
                x = rider.anchor + travelled
                distance = min(distance, min(self._marks(x, ahead)) - x)
            ahead = rider
        reached = self._speed.when(self._speed.integral(t) + distance) if distance < inf else inf
        self._timer.set(min([reached, *self._falling]))

    def _marks(self, x: float, ahead: Rider | None) -> Iterator[float]:
        """Places beyond `x` at which something changes for a part."""
        yield self.end
        yield self._limit(x, ahead)
        for stop in self.stops:
            for mark in (stop.at - HALF, stop.at + HALF):
                if mark > x + NEAR:
                    yield mark
