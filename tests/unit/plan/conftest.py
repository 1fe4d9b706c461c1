"""Cells that several tests schedule."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from cellctl.plan.transport import Exchange, Robot, Route, Stay, TransportCell

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="session")
def phillips_unger() -> TransportCell:
    """Twelve tanks, one hoist: the benchmark of hoist scheduling."""
    figures = json.loads((DATA / "phillips_unger_1976.json").read_text())
    names = ["load", *(f"tank {i}" for i in range(1, 13))]
    windows = zip(names[1:], figures["least"], figures["most"], strict=True)
    tanks = (Stay(name, least, math.inf if most is None else most) for name, least, most in windows)
    loaded = np.full((13, 13), np.nan)
    loaded[np.arange(13), (np.arange(13) + 1) % 13] = figures["loaded"]
    return TransportCell(
        stations=dict.fromkeys(names, 1),
        routes=(Route("part", (Stay("load"), *tanks, Stay("load"))),),
        robots=(Robot("hoist", frozenset(names)),),
        loaded=loaded,
        empty=np.array(figures["empty"], float),
    )


@pytest.fixture(scope="session")
def robotic_cell() -> Callable[..., TransportCell]:
    """Machines in a row and one robot: `eps` to pick or to place, `delta` from a place to its neighbour."""

    def build(
        work: Sequence[float], eps: float, delta: float, exchange: Exchange = Exchange.STRICT
    ) -> TransportCell:
        machines = [f"m{k + 1}" for k in range(len(work))]
        names = ["in", *machines, "out"]
        place = np.arange(len(names))
        empty = delta * np.abs(place[:, None] - place[None, :]).astype(float)
        stays = (Stay(name, time) for name, time in zip(machines, work, strict=True))
        return TransportCell(
            stations=dict.fromkeys(names, 1),
            routes=(Route("part", (Stay("in"), *stays, Stay("out"))),),
            robots=(Robot("robot", frozenset(names)),),
            loaded=empty + 2 * eps,
            empty=empty,
            exchange=exchange,
        )

    return build


@pytest.fixture(scope="session")
def carrier_line() -> Callable[..., TransportCell]:
    """A line whose carriers return to station 0; `empty` by the number of stations passed."""

    def build(
        least: Sequence[float], most: Sequence[float], loaded: Sequence[float], empty: Sequence[float]
    ) -> TransportCell:
        count = len(least)
        names = [f"s{k}" for k in range(count)]
        place = np.arange(count)
        table = np.full((count, count), np.nan)
        table[place, (place + 1) % count] = loaded
        stays = tuple(Stay(*stay) for stay in zip(names, least, most, strict=True))
        return TransportCell(
            stations=dict.fromkeys(names, 1),
            routes=(Route("carrier", stays, returns=True),),
            robots=(Robot("hoist", frozenset(names)),),
            loaded=table,
            empty=np.array(empty, float)[np.abs(place[:, None] - place[None, :])],
        )

    return build
