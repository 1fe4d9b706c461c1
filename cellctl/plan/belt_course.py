"""How long a belt's commands take: ramps of its drive, stoppers, travel from eye to eye, and the looks at these.

The belt runs while any command is in hand. One that finds it standing waits for its ramp; a part is let go only then,
so that it travels at full speed.
"""

from __future__ import annotations

import math
from itertools import pairwise

from cellctl.device import Point
from cellctl.errors import UnknownName
from cellctl.kinds import OVERHANG, ConveyorOptions
from cellctl.line.model import Line, Module, Station, station_of
from cellctl.messages import Item, Move
from cellctl.plan.courses import Act, Asked, Course, guess, moved
from cellctl.plan.errors import BadPlan
from cellctl.plan.timing import NO_TIME, DriveTiming, Duration, IslandTiming, Timings

POLL = 0.02  # [s] between two looks at an eye, as `cellctl.modules.stops` does it
HALF = 0.015  # [m] half of what an eye sees of a part; the line file does not say it
LENGTH_UNKNOWN = 0.01  # [m] by which that may be more or less


class BeltCourse:
    """Fulfils `cellctl.plan.courses.Timed`."""

    def __init__(self, line: Line, module: Module, timings: Timings) -> None:
        assert isinstance(module.options, ConveyorOptions)
        self._module, self._options, self._timings = module, module.options, timings
        drive = timings.of(module.devices["drive"])
        if not isinstance(drive, DriveTiming):
            raise BadPlan(module.name, "its drive does not say how long its ramps take")
        self._ramps, self._stops = drive.run(module.options.speed), drive.stop(module.options.speed)
        self._runs_at = math.inf  # from when on the belt runs [s]
        self._expecting = 0  # parts that another belt gives: it runs on for them

    def course(self, asked: Asked, at: float) -> Course:
        """As `cellctl.modules.conveyor` does it when all goes well."""
        if asked.skill == "advance" and self._options.indexing:
            return self._index(asked)
        item, start = asked.items[0], self._start(at)
        match asked.skill:
            case "advance":
                return Course((start, *self._hops(item)))
            case "give":
                here = self._module.station(station_of(item.origin))
                leave, _ = self._leave(here, item)
                away = Act(f"deliver {item.id}", self._delivers(here), moved(asked)[:0])
                return Course((start, leave, away))
            case "expect":
                self._expecting += 1
                return Course((start,))
            case "collect":
                self._expecting -= 1
                there = self._module.station(station_of(item.target))
                way = (there.at or 0.0) / self._options.speed
                came = self._rests(Duration(0.0, way, way), there)
                return Course((start, Act(f"arrive {there.name}", came, moved(asked))))
            case skill:
                return guess(skill, None, moved(asked))

    def rest(self, at: float) -> float:
        """It ramps down, and takes no command before it stands."""
        if self._expecting > 0:
            return at
        self._runs_at = math.inf
        return at + self._stops.likely + self._timings.talk.action

    # --- its actions --------------------------------------------------------------------------------------------

    def _start(self, at: float) -> Act:
        talk = self._timings.talk
        if self._runs_at == math.inf:
            ramp = self._ramps
            self._runs_at = at + talk.record + ramp.likely
            return Act("run", ramp)
        return Act("run", NO_TIME + max(self._runs_at - at - talk.record, 0.0))

    def _hops(self, item: Item) -> list[Act]:
        acts = []
        for here, there in pairwise(self._route(item)):
            leave, since = self._leave(here, item)
            way = self._way(here, there)
            late = since + self._timings.talk.action
            way_time = Duration(way.least - late, way.likely - late, way.most - late)
            arrive = Act(f"arrive {there.name}", self._rests(way_time, there), (Move(item.id, there.name),))
            acts += [leave, arrive]
        return acts

    def _leave(self, here: Station, item: Item) -> tuple[Act, float]:
        """Until it has left its place, after its eye and with the stopper up again; how long it rides by then [s]."""
        eye, stopper = self._island(here.eye), self._island(here.stopper)
        lowered = eye.read + stopper.write / 2
        clears = self._seconds(HALF) + lowered
        seen = clears.seen(lowered + stopper.write / 2 + eye.read, POLL + eye.read) + stopper.write
        free = seen + self._runs_on
        return Act(f"release {here.name}", free, (Move(item.id, self._module.name),)), free.likely - lowered

    def _way(self, here: Station, there: Station) -> Duration:
        ahead = (there.at or 0.0) - (here.at or 0.0)
        if ahead <= 0.0:
            ahead += self._options.circuit or 0.0
        return self._seconds(ahead, -HALF)

    def _rests(self, way: Duration, there: Station) -> Duration:
        """Until its eye sees it, and it rests against the stopper."""
        eye = self._island(there.eye)
        seen = way.seen(eye.read, POLL + eye.read)
        return seen if there.sink else seen + self._runs_on

    def _delivers(self, here: Station) -> Duration:
        last = max(station.at or 0.0 for station in self._module.stations)
        rest = (self._options.end or last + OVERHANG) - (here.at or 0.0)
        return Duration.exactly(rest / self._options.speed + self._runs_on)

    def _index(self, asked: Asked) -> Course:
        """By one pitch, from standstill to standstill; where the drive stops exactly, its indexing says."""
        travel = (self._options.pitch or 0.0) / self._options.speed
        acts = self._ramps + travel + self._stops
        about = Duration(travel, acts.likely, acts.most + POLL)
        return Course((Act("index", about, moved(asked)),))

    # --- its things -----------------------------------------------------------------------------------------------

    @property
    def _runs_on(self) -> float:
        """Until a part rests at a stopper, or has left its place; then the drive is asked for its state and fault."""
        return self._options.run_on / self._options.speed + 2 * self._timings.talk.exchange

    def _seconds(self, way: float, edge: float = 0.0) -> Duration:
        """Over a way that ends at the edge of a part."""
        speed = self._options.speed
        likely = (way + edge) / speed
        unsure = LENGTH_UNKNOWN / speed
        return Duration(max(likely - unsure, 0.0), likely, likely + unsure)

    def _island(self, point: str) -> IslandTiming:
        """How long its eye or stopper takes; nothing where it has none."""
        if not point:
            return IslandTiming(0.0, 0.0)
        try:
            timing = self._timings.of(Point.parse(point).device)
        except UnknownName:
            timing = None
        exchange = self._timings.talk.exchange
        return timing if isinstance(timing, IslandTiming) else IslandTiming(exchange, 2 * exchange)

    def _route(self, item: Item) -> tuple[Station, ...]:
        target = self._module.station(station_of(item.target))
        if item.origin == self._module.name:
            return (target, target)
        origin = self._module.station(station_of(item.origin))
        stops = sorted((s for s in self._module.stations if s.at is not None), key=lambda s: s.at or 0.0)
        first, last = stops.index(origin), stops.index(target)
        return tuple(stops[first : last + 1] if first < last else stops[first:] + stops[: last + 1])
