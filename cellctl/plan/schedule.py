"""The best cyclic schedule of a transport cell: which robot moves which part when, with the least period.

One event per move; the whole numbers say which of two moves of a robot comes first, how many periods a part stays,
and how many parts came and went at a station before another arrives.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise, product

from cellctl.plan.bounds import lower_bounds, visits
from cellctl.plan.cyclic import Cycle, CyclicProgram, Whole
from cellctl.plan.track import forbidden_offsets, path
from cellctl.plan.transport import Exchange, Move, Stay, TransportCell


@dataclass(frozen=True, slots=True)
class ScheduledMove:
    """A robot takes the part of a route from its stay `stage` to the next; for part k all is k periods later."""

    route: str
    stage: int
    robot: str
    origin: str
    target: str
    start: float  # [s] for part 0, from the begin of picking
    duration: float  # [s]


@dataclass(frozen=True, slots=True)
class CyclicSchedule:
    """A timetable that repeats.

    Args:
        period: in which one part of each route is begun and one ended [s].
        moves: of part 0 of each route, route by route and stage by stage; later stages may fall into later periods.
        carriers: how many go round on each route that returns.
        bound: the period that no schedule of this cell can undercut [s]; equal to `period` if that is the optimum.
        critical: the moves and limits that, one after the other, make the period as long as it is.
    """

    period: float
    moves: tuple[ScheduledMove, ...]
    carriers: Mapping[str, int]
    bound: float
    critical: tuple[str, ...] = ()


def best_schedule(cell: TransportCell, time_limit: float = math.inf) -> CyclicSchedule:
    """The schedule of least period, or the best that was found within the time limit [s], with what is proved.

    One part of each route is begun in a period; `best_schedule(cell.repeated(2))` lets two parts alternate.

    Raises:
        NoSchedule: the windows and travel times exclude every period.
        NotProved: nothing was found within the time limit.
    """
    return _Model(cell).solve(time_limit)


class _Model:
    """The cyclic program of a cell; the methods are the kinds of constraint."""

    def __init__(self, cell: TransportCell) -> None:
        self.cell, self.moves = cell, cell.moves()
        self.visits = visits(cell, self.moves)
        self.program = CyclicProgram(len(self.moves), lower_bounds(cell)[0].period)
        self.chosen = [self._choose_robot(move) for move in self.moves]
        self.rounds: dict[tuple[int, int], Whole] = {}  # how many rounds b comes behind a, for a < b
        self._keep_robots_apart()
        self.stayed = [self._keep_window(*visit) for visit in self.visits]
        for station in cell.stations:
            self._keep_capacity(station)
        self._count_carriers()
        self._order_equal_routes()

    def solve(self, time_limit: float) -> CyclicSchedule:
        cycle = self.program.solve(time_limit)
        starts = self._absolute_starts(cycle)
        moves = tuple(
            ScheduledMove(
                self.cell.routes[move.route].name,
                move.stage,
                self.cell.robots[self._robot(k, cycle)].name,
                move.origin,
                move.target,
                starts[k],
                move.duration,
            )
            for k, move in enumerate(self.moves)
        )
        carriers = {
            route.name: self._total_stay(number).value(cycle.wholes)
            for number, route in enumerate(self.cell.routes)
            if route.returns
        }
        critical = tuple(one.why for one in cycle.critical)
        return CyclicSchedule(cycle.period, moves, carriers, cycle.bound, critical)

    # --- who does it --------------------------------------------------------------------------------------

    def _choose_robot(self, move: Move) -> dict[int, Whole]:
        """1 for the robot that makes the move, 0 for the others that could."""
        if len(move.robots) == 1:
            return {move.robots[0]: Whole(1)}
        chosen = {r: self.program.whole(0, 1) for r in move.robots}
        total = sum(chosen.values(), Whole())
        self.program.require_sum(total, 1)
        self.program.require_sum(-total, -1)
        return chosen

    def _robot(self, move: int, cycle: Cycle) -> int:
        return next(r for r, chosen in self.chosen[move].items() if chosen.value(cycle.wholes))

    def _waived(self, a: int, r: int, b: int, s: int) -> Whole:
        """0 if robot r makes move a and robot s move b."""
        return Whole(2) - self.chosen[a][r] - self.chosen[b][s]

    def _surely_same_robot(self, a: int, b: int) -> bool:
        return len(self.chosen[a]) == 1 and self.chosen[a].keys() == self.chosen[b].keys()

    # --- robots -------------------------------------------------------------------------------------------

    def _keep_robots_apart(self) -> None:
        for k, move in enumerate(self.moves):
            back = self._behind(move, move)
            self.program.require(k, k, back, Whole(1), f"{_name(move)} once in a period")
        for a, b in combinations(range(len(self.moves)), 2):
            pairs = product(self.chosen[a], self.chosen[b])
            forbidden = {(r, s): self._forbidden(a, r, b, s) for r, s in pairs}
            self._keep_out(a, b, {pair: times for pair, times in forbidden.items() if times})

    def _keep_out(self, a: int, b: int, forbidden: Mapping[tuple[int, int], tuple[float, float]]) -> None:
        """The begin of b less the begin of a lies in no forbidden interval, in whatever round."""
        if not forbidden:
            return
        least = self.program.at_least
        lower = min(-1 - max(0, math.ceil(low / least)) for low, _ in forbidden.values())
        upper = max(max(0, math.ceil(-high / least)) for _, high in forbidden.values())
        rounds = self.rounds[a, b] = self.program.whole(lower, upper)
        first, second = _name(self.moves[a]), _name(self.moves[b])
        for (r, s), (low, high) in forbidden.items():
            who = self.cell.robots[r].name if r == s else "the track"
            waived = self._waived(a, r, b, s)
            self.program.require(a, b, high, -rounds, f"{who}: {first} before {second}", waived)
            self.program.require(b, a, -low, rounds + 1, f"{who}: {second} before {first}", waived)

    def _forbidden(self, a: int, r: int, b: int, s: int) -> tuple[float, float] | None:
        """(Begin of b) - (begin of a) may not lie between these [s], if robots r and s make them."""
        first, second, track = self.moves[a], self.moves[b], self.cell.track
        if r == s:
            return -self._behind(second, first), self._behind(first, second)
        if track is None:
            return None
        paths = path(self.cell, track, first), path(self.cell, track, second)
        if r < s:
            return forbidden_offsets(*paths, track, s - r)
        mirrored = forbidden_offsets(paths[1], paths[0], track, r - s)
        return (-mirrored[1], -mirrored[0]) if mirrored else None

    def _behind(self, first: Move, second: Move) -> float:
        """One robot can begin the second move so long after the begin of the first [s]."""
        return first.duration + self.cell.empty_time(first.target, second.origin)

    # --- stations -----------------------------------------------------------------------------------------

    def _keep_window(self, stay: Stay, bring: int, fetch: int) -> Whole:
        """The part stays for its time; returns the rounds that lie between its coming and its going."""
        arrives = self.moves[bring].duration
        rounds = self.program.whole(0, self.cell.stations[stay.station] + 1)
        why = f"{stay.station}: at least {stay.least:g} s"
        self.program.require(bring, fetch, arrives + stay.least, rounds, why)
        if math.isfinite(stay.most):
            why = f"{stay.station}: at most {stay.most:g} s"
            self.program.require(fetch, bring, -arrives - stay.most, -rounds, why)
        if self._surely_same_robot(bring, fetch):  # it follows, but the search is twice as fast for it
            self.program.require_sum(rounds + self._rounds_between(bring, fetch), 0)
        return rounds

    def _keep_capacity(self, station: str) -> None:
        """When a part arrives, those that came before it and have not gone leave room for it."""
        here = [k for k, (stay, _, _) in enumerate(self.visits) if stay.station == station]
        came = {(u, u): Whole() for u in here}
        for u, v in combinations(here, 2):
            came[u, v] = self._came_before(u, v)
            came[v, u] = Whole(-1) - came[u, v]
        for u in here:
            present = Whole()
            for v in here:
                still = came[u, v] - self._gone_before(u, v) + self.stayed[v]
                self.program.require_sum(still, int(u == v))  # nobody goes before he came
                present = present + still
            self.program.require_sum(-present, -self.cell.stations[station])

    def _came_before(self, u: int, v: int) -> Whole:
        """The round of the last arrival of visit v before (or with) the arrival of visit u in round 0."""
        a, b = self.visits[u][1], self.visits[v][1]
        if self._surely_same_robot(a, b):
            return self._rounds_between(b, a)
        came = self.program.whole(-2, 1)
        later = self.moves[b].duration - self.moves[a].duration
        why = f"{self.moves[a].target}: one after the other"
        self.program.require(b, a, later, -came, why)
        self.program.require(a, b, -later, came + 1, why)
        return came

    def _gone_before(self, u: int, v: int) -> Whole:
        """The round of the last fetching of visit v's part that is over before visit u's part comes in round 0."""
        bring, fetch = self.visits[u][1], self.visits[v][2]
        strict = self.cell.exchange is Exchange.STRICT
        same = self._surely_same_robot(bring, fetch)
        if strict and same:
            return self._rounds_between(fetch, bring)
        gone = self.program.whole(-2, 1)
        clear = 0.0 if same else self.cell.pick + self.cell.place
        why = f"{self.moves[bring].target}: empty before the next part comes"
        self.program.require(fetch, bring, clear - self.moves[bring].duration, -gone, why)
        if strict and not same:
            self._not_with_one_gripper(bring, fetch, gone)
        return gone

    def _not_with_one_gripper(self, bring: int, fetch: int, gone: Whole) -> None:
        """If one robot makes both moves, the fetching must be over before the bringing begins."""
        for r in self.chosen[bring].keys() & self.chosen[fetch].keys():
            waived = self._waived(bring, r, fetch, r)
            self.program.require_sum(self._rounds_between(fetch, bring) - gone + waived * 3, 0)

    def _rounds_between(self, a: int, b: int) -> Whole:
        """The round of the last begin of move a before the begin of move b in round 0."""
        return self.rounds[a, b] if a < b else Whole(-1) - self.rounds[b, a]

    # --- routes -------------------------------------------------------------------------------------------

    def _total_stay(self, route: int) -> Whole:
        own = (self.stayed[k] for k, visit in enumerate(self.visits) if self.moves[visit[1]].route == route)
        return sum(own, Whole())

    def _count_carriers(self) -> None:
        for number, route in enumerate(self.cell.routes):
            if route.carriers is not None:
                total = self._total_stay(number) - route.carriers
                self.program.require_sum(total, 0)
                self.program.require_sum(-total, 0)

    def _order_equal_routes(self) -> None:
        """Of parts that are alike the first comes first: otherwise every schedule is found many times."""
        firsts = {move.route: k for k, move in reversed(list(enumerate(self.moves)))}
        for (a, one), (b, other) in pairwise(enumerate(self.cell.routes)):
            if (one.stays, one.returns, one.carriers) == (other.stays, other.returns, other.carriers):
                self.program.require(firsts[a], firsts[b], 0.0, Whole(), "parts alike in their order")

    def _absolute_starts(self, cycle: Cycle) -> list[float]:
        """The begin of each move of part 0 [s]: phases, and the rounds that the part has stayed until then."""
        rounds = [0] * len(self.moves)
        for (_, bring, fetch), stayed in zip(self.visits, self.stayed, strict=True):
            if fetch > bring:
                rounds[fetch] = rounds[bring] + stayed.value(cycle.wholes)
        return [float(x) + k * cycle.period for x, k in zip(cycle.times, rounds, strict=True)]


def _name(move: Move) -> str:
    return f"{move.origin} -> {move.target}"
