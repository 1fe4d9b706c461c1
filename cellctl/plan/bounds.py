"""Periods that no schedule can undercut, each with the station or robot that is its reason: the bottleneck.

Relaxations, quickly computed: each looks at one station, or at the robots alone. What the constraints together cost
beyond the greatest of them is the gap that `cellctl.plan.schedule` closes or proves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from cellctl.plan.transport import Exchange, Move, Stay, TransportCell


@dataclass(frozen=True, slots=True, order=True)
class Bound:
    """No period is below `period` [s], because of `who`."""

    period: float
    who: str


def lower_bounds(cell: TransportCell) -> tuple[Bound, ...]:
    """All bounds of a cell, the greatest first: its `who` is the bottleneck."""
    moves = cell.moves()
    bounds = [*_stations(cell, moves), *_robots(cell, moves)]
    return tuple(sorted(bounds, key=lambda bound: (-bound.period, bound.who)))


def gap(period: float, bound: float) -> float:
    """How much longer a period is than a bound, relative to the bound; 0 means that nothing can be gained."""
    return period / bound - 1.0


def visits(cell: TransportCell, moves: Sequence[Move]) -> list[tuple[Stay, int, int]]:
    """Every stay that counts, with the indices of the move that brings the part and of the one that fetches it."""
    found = []
    for number, route in enumerate(cell.routes):
        own = [k for k, move in enumerate(moves) if move.route == number]
        found += [(route.stays[i], own[i - 1], own[i]) for i in range(1, len(own))]
        if route.returns:
            found.append((route.stays[0], own[-1], own[0]))
    return found


def _stations(cell: TransportCell, moves: Sequence[Move]) -> list[Bound]:
    """A place of a station is taken for the least stay, and empty until a robot has brought the next part."""
    loads: dict[str, float] = {}
    all_visits = visits(cell, moves)
    for stay, _, fetching in all_visits:
        brings = [moves[bring] for other, bring, _ in all_visits if other.station == stay.station]
        reload = min(_reload(cell, moves[fetching], bring) for bring in brings)
        loads[stay.station] = loads.get(stay.station, 0.0) + stay.least + reload
    return [Bound(load / cell.stations[name], name) for name, load in loads.items()]


def _reload(cell: TransportCell, fetch: Move, bring: Move) -> float:
    """From the instant that a part leaves a place until the next one can stand there [s]."""
    if not set(fetch.robots) & set(bring.robots):
        return cell.pick + cell.place
    if cell.exchange is Exchange.SWAP:
        return 0.0
    round_trip = fetch.duration + cell.empty_time(fetch.target, bring.origin) + bring.duration
    alone = len(fetch.robots) == len(bring.robots) == 1
    return round_trip if alone else min(round_trip, cell.pick + cell.place)


def _robots(cell: TransportCell, moves: Sequence[Move]) -> list[Bound]:
    """What only one robot can do, it must do; what all of them must do, they can at best share evenly."""
    alone = [
        Bound(_work(cell, [move for move in moves if move.robots == (r,)]), robot.name)
        for r, robot in enumerate(cell.robots)
    ]
    if len(cell.robots) == 1:
        return alone
    names = ", ".join(robot.name for robot in cell.robots)
    return [*alone, Bound(_work(cell, moves) / len(cell.robots), f"{names} together")]


def _work(cell: TransportCell, moves: Sequence[Move]) -> float:
    """Loaded moves, and the least empty travel that joins each to some next one (an assignment) [s]."""
    if not moves:
        return 0.0
    between = np.array([[cell.empty_time(a.target, b.origin) for b in moves] for a in moves])
    rows, columns = linear_sum_assignment(between)
    return math.fsum(move.duration for move in moves) + float(between[rows, columns].sum())
