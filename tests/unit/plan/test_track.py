"""When two moves on one rail collide: the interval against every instant of both."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cellctl.plan.track import Path, forbidden_offsets
from cellctl.plan.transport import Track

RAIL = Track({}, speed=1.0, spacing=1.0)


@st.composite
def paths(draw) -> Path:
    """Pick, travel at the rail's speed or slower, place; whole seconds and metres."""
    pick, place, slack = (draw(st.integers(0, 3)) for _ in range(3))
    begin, end = draw(st.integers(0, 7)), draw(st.integers(0, 7))
    travel = max(1, abs(end - begin) + slack)
    times = np.cumsum([0, pick, travel, place]).astype(float)
    return Path(times, np.array([begin, begin, end, end], float))


def collide(left: Path, right: Path, offset: float) -> bool:
    t, u = (np.arange(0.0, way.times[-1] + 1e-9, 0.25) for way in (left, right))
    x = np.interp(t, left.times, left.positions)[:, None]
    y = np.interp(u, right.times, right.positions)[None, :]
    return bool(np.any(x + 1.0 - y - np.abs(t[:, None] - u[None, :] - offset) > 1e-9))


@settings(max_examples=60, deadline=None)
@given(paths(), paths())
def test_moves_collide_just_inside_the_interval_and_not_outside(left, right):
    interval = forbidden_offsets(left, right, RAIL, neighbours=1)
    for offset in np.arange(-30.0, 30.0, 0.5):
        if interval is None or not interval[0] < offset < interval[1]:
            assert not collide(left, right, offset)
        elif min(offset - interval[0], interval[1] - offset) > 0.5:  # a sample sees it half a second late
            assert collide(left, right, offset)


def test_robots_far_apart_never_collide_and_places_between_them_widen_the_spacing():
    left, right = (Path(np.array([0.0, 0, 1, 1]), np.array([x, x, x + 1, x + 1])) for x in (0.0, 3.0))
    assert forbidden_offsets(left, right, RAIL, neighbours=1) is None
    assert forbidden_offsets(left, right, RAIL, neighbours=4) is not None
