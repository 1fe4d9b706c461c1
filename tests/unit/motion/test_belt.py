"""Where a belt is, when it is somewhere, and when two who move are both there."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cellctl.motion.belt import BeltRun, SpeedDrive, belt_run
from cellctl.motion.errors import BadMotionLimit
from cellctl.motion.handover import Window, pairs, passing

DRIVE = SpeedDrive(acceleration=0.5, deceleration=1.0)


def steady(speed: float) -> BeltRun:
    return belt_run(DRIVE, [(0.0, speed)], speed=speed)


# --- one belt ---------------------------------------------------------------------------------------------


def test_a_start_and_a_stop_go_as_far_as_their_triangles_and_rectangle() -> None:
    run = belt_run(DRIVE, [(1.0, 0.2), (3.0, 0.0)])
    # up to 0.2 m/s in 0.4 s over 0.04 m, 1.6 s on, down in 0.2 s over 0.02 m
    for t, place in ((0.0, 0.0), (1.0, 0.0), (1.4, 0.04), (3.0, 0.36), (3.2, 0.38), (9.0, 0.38)):
        assert float(run.at(t)[0]) == pytest.approx(place, abs=1e-15)


def test_a_rounded_ramp_takes_longer_by_its_jerk_time() -> None:
    run = belt_run(SpeedDrive(0.5, 1.0, jerk=2.5), [(0.0, 0.2)])
    t = np.array([0.6, 0.6 - 1e-6, 0.3])  # 0.2 / 0.5 + 0.5 / 2.5
    _, speed, acceleration = run.at(t)
    assert speed[0] == 0.2
    assert speed[1] < 0.2
    assert speed[2] == pytest.approx(0.1)
    assert acceleration[2] == pytest.approx(0.5)


def test_a_command_during_a_ramp_goes_on_from_the_speed_reached() -> None:
    run = belt_run(DRIVE, [(0.0, 0.4), (0.4, 0.1)])
    assert float(run.at(0.4)[1]) == pytest.approx(0.2)
    assert float(run.at(0.5)[1]) == pytest.approx(0.1)
    assert float(run.at(0.5)[0]) == pytest.approx(0.04 + 0.015)


@pytest.mark.parametrize("jerk", [math.inf, 3.0])
def test_the_time_at_a_place_is_the_inverse_of_the_place_at_a_time(jerk: float) -> None:
    run = belt_run(SpeedDrive(0.5, 1.0, jerk), [(0.5, 0.3), (2.0, 0.1), (2.1, 0.25), (6.0, 0.05)])
    t = np.linspace(0.51, 12.0, 1001)
    np.testing.assert_allclose(run.when(run.at(t)[0]), t, atol=1e-8)


def test_of_a_stand_the_first_moment_counts_and_a_place_never_reached_is_never() -> None:
    run = belt_run(DRIVE, [(0.0, 0.2), (1.0, 0.0), (5.0, 0.2), (8.0, 0.0)])
    stands_at = float(run.at(3.0)[0])
    assert float(run.when(stands_at)) == pytest.approx(1.2)
    assert float(run.when(stands_at + 1e-9)) > 5.0
    assert run.when([9.9, -0.1]).tolist() == [math.inf, -math.inf]


def test_before_the_first_command_a_running_belt_ran() -> None:
    run = steady(0.2)
    assert float(run.at(-2.0)[0]) == pytest.approx(-0.4)
    assert float(run.when(-0.4)) == pytest.approx(-2.0)


def test_many_belts_at_once_are_each_as_alone() -> None:
    speeds = np.array([0.1, 0.2, 0.4])
    runs = belt_run(DRIVE, [(0.0, speeds), (2.0, 0.15)])
    for row, speed in enumerate(speeds.tolist()):
        alone = belt_run(DRIVE, [(0.0, speed), (2.0, 0.15)])
        t = np.linspace(0, 4, 50)
        np.testing.assert_allclose(runs.at(t[:, None])[0][:, row], alone.at(t)[0])
        assert float(runs.when(0.3)[row]) == pytest.approx(float(alone.when(0.3)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SpeedDrive(0.0, 1.0), "acceleration of the belt's drive 0 is not above 0"),
        (lambda: belt_run(DRIVE, [(0.0, -0.1)]), r"belt speed \[m/s\] -0.1 is not at least 0"),
        (lambda: belt_run(DRIVE, [(1.0, 0.1), (0.5, 0.2)]), r"time between commands \[s\] -0.5 is below 0"),
    ],
)
def test_belts_that_cannot_be_are_refused(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BadMotionLimit, match=message):
        make()


# --- handing over -----------------------------------------------------------------------------------------


def test_a_part_is_present_while_it_passes() -> None:
    window = passing(steady(0.2), [-0.1, 0.5], 0.0, 0.3)
    np.testing.assert_allclose(window.start, [0.5, -2.5])
    np.testing.assert_allclose(window.end, [2.0, -1.0])
    np.testing.assert_allclose(window.length, 1.5)


def test_a_part_that_stays_before_the_reach_is_never_present() -> None:
    run = belt_run(DRIVE, [(0.0, 0.2), (1.0, 0.0)])
    window = passing(run, -9.0, 0.0, 0.3)
    assert float(window.length) == 0.0
    assert math.isnan(float(window.earliest(0.1)))


def test_windows_have_in_common_what_is_in_both() -> None:
    both = Window(np.array([0.0, 0.0]), np.array([2.0, 1.0])) & Window(np.array(1.0), np.array(3.0))
    np.testing.assert_allclose(both.length, [1.0, 0.0])
    np.testing.assert_allclose(both.earliest(0.5), [1.0, math.nan])


def test_parts_and_nests_of_two_belts_meet_where_both_pass_long_enough() -> None:
    parts = passing(steady(0.1), np.array([0.0, -0.5, -1.0]), 0.2, 0.4)  # 2 to 4, 7 to 9, 12 to 14
    nests = passing(steady(0.05), np.array([0.0, -0.4]), 0.1, 0.2)  # 2 to 4, 10 to 12
    times = pairs(parts, nests, lasting=1.5)
    np.testing.assert_allclose(times, [[2.0, math.nan], [math.nan, math.nan], [math.nan, math.nan]])
    np.testing.assert_allclose(pairs(parts, nests, 0.0)[2, 1], 12.0)
