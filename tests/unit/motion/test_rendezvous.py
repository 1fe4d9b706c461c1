"""Meetings of an arm with parts on a belt, against a search through all moments with another time law."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cellctl.motion import transforms as tf
from cellctl.motion.belt import BeltRun, SpeedDrive, belt_run
from cellctl.motion.errors import BadMotionLimit
from cellctl.motion.rendezvous import Readiness, Rendezvous, Track, approach, leaving, meet, meet_from_rest
from cellctl.motion.robots import robot

ARM = robot("irb120")
DOWN = (np.pi, 0.0, np.pi)
TRACK = Track(tf.from_xyz_euler([0.35, 0.0, 0.2], DOWN), np.array([0.0, 1.0, 0.0]), enter=-0.2, leave=0.25)
HOME = ARM.joints_near(tf.from_xyz_euler([0.3, 0.0, 0.35], DOWN), np.zeros(6))
DRIVE = SpeedDrive(0.5, 0.8, jerk=5.0)
STEADY = belt_run(DRIVE, [(0.0, 0.2)], speed=0.2)
UNSTEADY = belt_run(DRIVE, [(0.0, 0.15), (3.0, 0.4), (6.0, 0.0), (8.0, 0.2)])
PARTS = np.linspace(-1.4, 0.3, 18)


def first_by_search(ruckig, ready: Readiness, run: BeltRun, part: float, step: float) -> float:  # type: ignore[no-untyped-def]
    """The first moment of a grid in which Ruckig has the arm at the part with its speed; NaN when none."""
    otg, trajectory, wanted = ruckig.Ruckig(6), ruckig.Trajectory(6), ruckig.InputParameter(6)
    wanted.current_position = ready.q.tolist()
    wanted.current_velocity = np.broadcast_to(ready.dq, 6).tolist()
    wanted.max_velocity, wanted.max_acceleration, wanted.max_jerk = (
        limit.tolist() for limit in (ARM.v_max, ARM.a_max, ARM.j_max)
    )
    t = np.arange(float(ready.time), 20.0, step)
    moved, speed, _ = run.at(t)
    there = (part + moved >= TRACK.enter) & (part + moved <= TRACK.leave)
    t, place, speed = t[there], (part + moved)[there], speed[there]
    q = ARM.ik_near(TRACK.pose(place), ready.q)
    dq = np.linalg.solve(ARM.jacobian(q), np.array([0, 1.0, 0, 0, 0, 0])[:, None])[..., 0] * speed[:, None]
    for row in range(len(t)):
        wanted.target_position, wanted.target_velocity = q[row].tolist(), dq[row].tolist()
        otg.calculate(wanted, trajectory)
        if trajectory.duration <= t[row] - float(ready.time) + 1e-12:
            return float(t[row])
    return math.nan


@pytest.mark.parametrize("run", [STEADY, UNSTEADY], ids=["steady", "unsteady"])
@pytest.mark.parametrize("moving", [False, True])
def test_the_meeting_is_the_first_that_a_search_through_all_moments_finds(run: BeltRun, moving: bool) -> None:
    ruckig = pytest.importorskip("ruckig")
    ready = Readiness(HOME, 0.15 * ARM.v_max * np.array([1, -1, 1, 1, -1, 1]) if moving else 0.0, time=0.5)
    found = meet(ARM, ready, TRACK, run, PARTS)
    step = 5e-3
    for part, time in zip(PARTS.tolist(), found.time.tolist(), strict=True):
        searched = first_by_search(ruckig, ready, run, part, step)
        assert math.isnan(searched) == math.isnan(time)
        assert math.isnan(time) or searched - step - 1e-6 <= time <= searched + 1e-6


def test_the_arm_then_is_where_the_part_is_and_moves_as_it_does() -> None:
    found = possible(meet(ARM, Readiness(HOME), TRACK, UNSTEADY, PARTS))
    part = PARTS[: len(found.time)]
    np.testing.assert_allclose(found.position, part + UNSTEADY.at(found.time)[0], atol=1e-12)
    np.testing.assert_allclose(ARM.fk(found.q), TRACK.pose(found.position), atol=1e-9)
    twist = (ARM.jacobian(found.q) @ found.dq[..., None])[..., 0]
    expected = np.zeros_like(twist)
    expected[:, 1] = UNSTEADY.at(found.time)[1]
    np.testing.assert_allclose(twist, expected, atol=1e-6)


def test_the_way_to_the_meeting_keeps_all_limits_and_ends_in_it() -> None:
    ready = Readiness(HOME, time=0.25)
    found = possible(meet(ARM, ready, TRACK, UNSTEADY, PARTS))
    motion = approach(ARM, ready, found)
    t = np.linspace(0.0, 1.0, 401)[:, None, None] * motion.duration
    q, dq, ddq = motion.at(t)
    np.testing.assert_allclose(HOME + q[-1], found.q, atol=1e-9)
    np.testing.assert_allclose(dq[-1], found.dq, atol=1e-9)
    np.testing.assert_allclose(0.25 + motion.duration[:, 0], found.time)
    assert np.abs(dq / ARM.v_max).max() <= 1 + 1e-9
    assert np.abs(ddq / ARM.a_max).max() <= 1 + 1e-9
    assert np.abs(np.diff(ddq, axis=0) / (motion.duration / 400) / ARM.j_max).max() <= 1 + 1e-6


def test_a_part_that_comes_late_is_awaited_at_the_entry_and_one_that_has_left_is_not_met() -> None:
    found = meet(ARM, Readiness(HOME), TRACK, STEADY, [-2.0, 0.6])
    assert float(found.time[0]) == pytest.approx(1.8 / 0.2)
    assert float(found.position[0]) == pytest.approx(TRACK.enter)
    assert found.is_possible.tolist() == [True, False]
    assert np.isnan(found.time[1])
    with pytest.raises(BadMotionLimit, match="cannot meet every part"):
        approach(ARM, Readiness(HOME), found)


def test_a_part_must_leave_time_to_stay_with_it() -> None:
    met = [
        bool(meet(ARM, Readiness(HOME), TRACK, STEADY, 0.05, stay=stay).is_possible)
        for stay in (0.0, 0.3, 0.9)
    ]
    assert met == [True, True, False]


def test_a_belt_that_stops_with_its_part_out_of_reach_is_waited_for_no_longer_than_the_horizon() -> None:
    stopping = belt_run(DRIVE, [(0.0, 0.2), (1.0, 0.0), (100.0, 0.2)])
    assert not meet(ARM, Readiness(HOME), TRACK, stopping, 0.1, horizon=10.0).position > 0.4
    assert bool(meet(ARM, Readiness(HOME), TRACK, stopping, -0.1, horizon=10.0).is_possible)


def test_a_belt_too_fast_for_the_joints_is_never_met() -> None:
    fast = belt_run(SpeedDrive(50.0, 50.0), [(0.0, 40.0)], speed=40.0)
    assert not bool(meet(ARM, Readiness(HOME), TRACK, fast, -20.0).is_possible)


def test_taking_up_the_speed_from_rest_comes_later_than_arriving_with_it() -> None:
    with_speed = meet(ARM, Readiness(HOME), TRACK, STEADY, PARTS)
    from_rest = meet_from_rest(ARM, Readiness(HOME), TRACK, STEADY, PARTS, acceleration=2.0)
    both = with_speed.is_possible & from_rest.is_possible
    assert both.sum() >= 5
    assert np.all(from_rest.time[both] >= with_speed.time[both] - 1e-9)


def test_from_rest_the_arm_waits_ahead_of_the_part_by_half_the_way_that_the_part_goes_meanwhile() -> None:
    found = meet_from_rest(ARM, Readiness(HOME), TRACK, STEADY, -1.0, acceleration=2.0)
    # the part is met when it has come 0.2^2 / (2 * 2) = 10 mm beyond the entry, where the arm waited
    assert float(found.position) == pytest.approx(TRACK.enter + 0.01, abs=1e-9)


def test_each_part_may_lie_turned_as_it_likes() -> None:
    turned = tf.from_xyz_euler([0.35, 0.0, 0.2], [(np.pi, 0.0, np.pi + angle) for angle in (0.0, 0.4, -0.4)])
    track = Track(turned, TRACK.direction, TRACK.enter, TRACK.leave)
    found = meet(ARM, Readiness(HOME), track, STEADY, -0.3)
    for row in range(3):
        alone = meet(ARM, Readiness(HOME), Track(turned[row], TRACK.direction, -0.2, 0.25), STEADY, -0.3)
        assert float(alone.time) == pytest.approx(float(found.time[row]), abs=1e-9)


def test_a_part_goes_from_one_moving_belt_to_another_without_a_stop() -> None:
    other = Track(tf.from_xyz_euler([0.3, 0.25, 0.25], DOWN), np.array([1.0, 0.0, 0.0]), -0.1, 0.25)
    picked = meet(ARM, Readiness(HOME), TRACK, STEADY, -0.3, stay=0.1)
    ready = leaving(ARM, picked, TRACK, STEADY, -0.3, stay=0.1)
    np.testing.assert_allclose(ARM.fk(ready.q), TRACK.pose(picked.position + 0.1 * 0.2), atol=1e-9)
    nests = np.array([-0.4, -0.3, -0.2])
    placed = meet(ARM, ready, other, STEADY, nests)
    assert placed.is_possible.all()
    assert np.all(placed.time > ready.time)
    motion = approach(ARM, ready, placed)
    _, dq, _ = motion.at(0.0)
    np.testing.assert_allclose(dq, np.broadcast_to(ready.dq, dq.shape), atol=1e-9)
    _, dq, ddq = motion.at(np.linspace(0.0, 1.0, 201)[:, None, None] * motion.duration)
    assert np.abs(dq / ARM.v_max).max() <= 1 + 1e-9
    assert np.abs(ddq / ARM.a_max).max() <= 1 + 1e-9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.array([0.0, 2.0, 0.0]), -0.2, 0.2), "length of the belt's direction 2 is not 1"),
        ((np.array([0.0, 1.0, 0.0]), 0.2, 0.2), r"entry of the track \[m\] 0.2 is not before its end at 0.2"),
    ],
)
def test_tracks_that_cannot_be_are_refused(arguments: tuple[np.ndarray, float, float], message: str) -> None:
    with pytest.raises(BadMotionLimit, match=message):
        Track(np.eye(4), *arguments)


def possible(found: Rendezvous) -> Rendezvous:
    """The meetings that are possible."""
    can = found.is_possible
    return Rendezvous(found.time[can], found.position[can], found.q[can], found.dq[can], can[can])
