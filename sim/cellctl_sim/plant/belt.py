"""A belt: parts ride on it, are held by raised stoppers, queue behind each other, cover eyes and fall off its end.

Exact: while the belt's speed ramps or stays, a part's place is a closed formula, and each time at which a part
reaches an eye's edge, a stopper, the part before it or the belt's end is computed, not stepped to.

Positions are of a part's middle, along the belt [m]. The belt runs forwards only. A closed one has no end: what
comes to the end of its circuit goes on at its beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf
from typing import Protocol

from cellctl.kinds import OVERHANG
from cellctl_sim.plant.agenda import Agenda
from cellctl_sim.plant.items import FLOOR, PART, Item
from cellctl_sim.plant.pallets import Pallet
from cellctl_sim.plant.ramp import Ramp
from cellctl_sim.plant.spots import GRASP
from cellctl_sim.plant.stops import HALF, BeltStop

NEAR = 2e-6  # [m] nearer than this is there: times are rounded to a microsecond, belts run at 2 m/s at most
FALL = 0.3  # [s] for which what falls off the end covers the eye below it


@dataclass(slots=True, eq=False)
class Rider:
    """A part or a pallet on the belt. Riding, it is at `anchor` + travel of the belt; standing, at `anchor`."""

    load: Item | Pallet
    anchor: float
    riding: bool = False
    passed: float = -inf  # the last mark that it has reached


class Receiver(Protocol):
    """What a belt's end leads to."""

    def receive(self, t: float, item: Item) -> None:
        """An item comes over the end."""


class Belt:
    """One belt with its stops in running order. `count(name)` counts, `note(t, text)` reports what must not happen."""

    def __init__(
        self,
        name: str,
        agenda: Agenda,
        count: Callable[[str], None] = lambda name: None,
        note: Callable[[float, str], None] = lambda t, text: None,
        end: float | None = None,  # [m]
        circuit: float | None = None,  # [m] once around, of a closed belt
    ) -> None:
        self._end, self.circuit = end, circuit
        self.name, self._agenda, self._count, self._note = name, agenda, count, note
        self.stops: list[BeltStop] = []
        self.riders: list[Rider] = []  # the foremost first
        self._speed = Ramp(agenda.now, 0.0, 0.0)
        self._travelled = 0.0  # when the speed last changed
        self._timer = agenda.timer(self._happen)
        self.onto: Receiver | None = None  # where parts go over the end
        self.has_pallets = False
        self._falling: list[float] = []  # until when each falling part covers the eye below the end

    def add_stop(self, name: str, at: float, has_stopper: bool = False, sink: bool = False) -> BeltStop:
        """A station at `at` [m]."""
        stop = BeltStop(self, name, at, has_stopper, sink)
        self.stops = sorted([*self.stops, stop], key=lambda other: other.at)
        return stop

    @property
    def end(self) -> float:
        """Where a part's middle leaves the belt [m]: just before the sink's eye, or behind the last stop."""
        if self.circuit is not None:
            return self.circuit
        last = self.stops[-1]
        return last.at - HALF if last.is_sink else self._end or last.at + OVERHANG

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
        """Lay `item` down at `stop`; it joins what lies there within the grasp, or lies in the pallet's nest."""
        beside, off = self.nearest(t, stop.at)
        if beside and off <= GRASP:
            if isinstance(beside.load, Pallet):
                beside.load.nests[0].put(t, item)
            else:
                beside.load.join(t, item)
            return
        if beside and off < 0.5 * (beside.load.length + PART) - NEAR:
            self._note(t, f"{stop.name}: put down onto the edge of a part {off * 1000:.1f} mm away")
        elif self.has_pallets:
            self._note(t, f"{stop.name}: put down onto the bare belt, no pallet stands there")
        self._lay(t, stop.at, item)
        item.place = stop.name

    def set_down(self, t: float, stop: BeltStop, pallet: Pallet) -> None:
        """A pallet begins its life on the belt at `stop`."""
        self.has_pallets = True
        self._lay(t, stop.at, pallet)

    def _lay(self, t: float, at: float, load: Item | Pallet) -> None:
        ahead = sum(self.position(t, rider) >= at for rider in self.riders)
        self.riders.insert(ahead, Rider(load, at, passed=at))
        self._happen(t)

    def take(self, t: float, at: float) -> Item:
        """Lift off the part nearest to `at`; out of its nest where it is on a pallet, which stays."""
        rider, _ = self.nearest(t, at)
        assert rider is not None, f"nothing lies on {self.name}"
        if isinstance(rider.load, Pallet):
            return rider.load.nests[0].take(t)
        self.riders.remove(rider)
        self._happen(t)
        return rider.load

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
        """The part or pallet nearest to `at`, and its distance [m]."""
        found: tuple[Rider | None, float] = (None, inf)
        for rider in self.riders:
            off = abs(self.position(t, rider) - at)
            if off < found[1]:
                found = rider, off
        return found

    def report(self, t: float) -> list[tuple[Item, str]]:
        """Each part on the belt and its place in words: the stop that it covers, or where it is on the way."""
        return [
            (item, self._place(self.position(t, rider))) for rider in self.riders for item in _items(rider)
        ]

    def pallets(self, t: float) -> dict[str, str]:
        """Each pallet on the belt and its place in words."""
        return {
            rider.load.id: self._place(self.position(t, rider))
            for rider in self.riders
            if isinstance(rider.load, Pallet)
        }

    def _place(self, x: float) -> str:
        near = next((stop.name for stop in self.stops if abs(stop.at - x) < HALF), "")
        return near or f"{self.name} at {x * 1000:.1f} mm"

    # --- what happens by itself ---------------------------------------------------------------------------------

    def _happen(self, t: float) -> None:
        """Bring everything in line with what is so at `t`, and find out when something will change."""
        travelled = self.travel(t)
        for _ in range(1 if self.circuit is None else 2):  # around a circuit the first is behind the last
            self._advance_riders(travelled)
        self._drop(t, travelled)
        self._see(t, travelled)
        self._plan(t, travelled)

    def _advance_riders(self, travelled: float) -> None:
        for rider, ahead, lap in self._one_after_another():
            x = rider.anchor + travelled if rider.riding else rider.anchor
            self._pass_marks(rider, x)
            limit = self._limit(rider, x, ahead, lap)
            if limit - x <= NEAR:
                rider.anchor, rider.riding = (limit if abs(limit - x) <= NEAR else x), False
            elif not rider.riding:
                rider.anchor, rider.riding = x - travelled, True

    def _one_after_another(self) -> Iterator[tuple[Rider, Rider | None, float]]:
        """Each with the one ahead of it, and how much farther around the circuit that one is [m]."""
        is_circle = self.circuit is not None and len(self.riders) > 1
        ahead = self.riders[-1] if is_circle else None
        lap = self.circuit or 0.0
        for rider in self.riders:
            yield rider, ahead, lap
            ahead, lap = rider, 0.0

    def _limit(self, rider: Rider, x: float, ahead: Rider | None, lap: float) -> float:
        """How far a part at `x` can ride: to a raised stopper or up to the part ahead, if that one stands."""
        raised = (stop.at for stop in self.stops if stop.raised and stop.at >= x - NEAR)
        queue = inf
        if ahead and not ahead.riding:
            queue = ahead.anchor + lap - 0.5 * (ahead.load.length + rider.load.length)
        return min(next(raised, inf), queue)

    def _pass_marks(self, rider: Rider, x: float) -> None:
        """Count the stops that the part has left since it was last looked at."""
        for stop in self.stops:
            if rider.passed < stop.at + HALF <= x + NEAR:
                self._count(f"{stop.name}.passed")
        rider.passed = max(rider.passed, x + NEAR)

    def _drop(self, t: float, travelled: float) -> None:
        """Let fall what has come to the end."""
        while self.riders and self.riders[0].riding and self.riders[0].anchor + travelled >= self.end - NEAR:
            rider = self.riders.pop(0)
            if self.circuit is not None:
                rider.anchor, rider.passed = rider.anchor - self.circuit, 0.0
                self.riders.append(rider)
                continue
            if isinstance(rider.load, Pallet):
                self._note(t, f"the pallet {rider.load.id} fell off the end of {self.name}")
            for item in _items(rider):
                self._leave(t, item)

    def _leave(self, t: float, item: Item) -> None:
        """Over the end, onto the next belt, into the sink or to the floor."""
        last = self.stops[-1]
        if self.onto is not None:
            self.onto.receive(t, item)
        elif last.is_sink:
            self._falling.append(round(t + FALL, 6))
            self._count(f"{last.name}.swallowed")
            item.place = last.name
            item.record(t, f"left at {last.name}")
        else:
            self._note(t, f"a part fell off the end of {self.name}")
            item.place = FLOOR
            item.record(t, f"fell off {self.name}")

    def _see(self, t: float, travelled: float) -> None:
        places = [rider.anchor + travelled if rider.riding else rider.anchor for rider in self.riders]
        self._falling = [until for until in self._falling if until > t]
        for stop in self.stops:
            stop.covered = any(-HALF - NEAR <= x - stop.at < HALF - NEAR for x in places)
        if self.stops and self.stops[-1].is_sink:
            self.stops[-1].covered = bool(self._falling)

    def _plan(self, t: float, travelled: float) -> None:
        """Set the timer to the first moment at which a riding part reaches a mark, or a fallen one clears the eye."""
        distance = inf
        for rider, ahead, lap in self._one_after_another():
            if rider.riding:
                x = rider.anchor + travelled
                limit = self._limit(rider, x, ahead, lap)
                distance = min(distance, min(limit, *self._marks(x)) - x)
        reached = self._speed.when(self._speed.integral(t) + distance) if distance < inf else inf
        self._timer.set(min([reached, *self._falling]))

    def _marks(self, x: float) -> Iterator[float]:
        """Places beyond `x` at which something changes for a part."""
        yield self.end
        for stop in self.stops:
            for mark in (stop.at - HALF, stop.at + HALF):
                if mark > x + NEAR:
                    yield mark


def _items(rider: Rider) -> Iterator[Item]:
    """What rides there: the part, or those in the pallet's nests."""
    return rider.load.items() if isinstance(rider.load, Pallet) else iter((rider.load,))
