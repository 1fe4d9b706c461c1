"""Paths of the tool, the joints that follow them, and corners: where they go, whatever the time."""

from __future__ import annotations

import numpy as np
import pytest

from cellctl.motion import transforms as tf
from cellctl.motion.corners import Chain, joint_chain, progress
from cellctl.motion.errors import BadMotionLimit
from cellctl.motion.path import Arc, BrokenPath, Line, arc_through, follow, follow_poses
from cellctl.motion.robots import robot

DOWN = (np.pi, 0.0, np.pi)
S = np.linspace(0.0, 1.0, 101)
T_LEFT, T_RIGHT = tf.from_xyz_euler([[0.35, -0.15, 0.25], [0.35, 0.15, 0.25]], DOWN)


def places(path: object, s: np.ndarray = S) -> np.ndarray:
    return path.poses(s)[..., :3, 3]  # type: ignore[attr-defined,no-any-return]


# --- lines and arcs ---------------------------------------------------------------------------------------


def test_a_line_goes_straight_and_turns_evenly() -> None:
    T_to = tf.from_xyz_euler([0.35, 0.15, 0.25], (np.pi, 0.0, np.pi / 3))
    poses = Line(T_LEFT, T_to).poses(S)
    np.testing.assert_allclose(poses[[0, -1]], [T_LEFT, T_to], atol=1e-15)
    np.testing.assert_allclose(np.diff(poses[:, :3, 3], n=2, axis=0), 0.0, atol=1e-15)
    turned = tf.rotation_angle(poses[:-1], poses[1:])
    np.testing.assert_allclose(turned, tf.rotation_angle(T_LEFT, T_to) / 100, rtol=1e-9)


def test_an_arc_keeps_its_distance_from_the_axis_and_a_whole_turn_comes_home() -> None:
    centre, turn = np.array([0.4, 0.0, 0.0]), np.array([0.0, 0.0, 2 * np.pi])
    p = places(Arc(T_LEFT, centre, turn))
    np.testing.assert_allclose(
        np.linalg.norm(p[:, :2] - centre[:2], axis=1), np.hypot(0.05, 0.15), rtol=1e-14
    )
    np.testing.assert_allclose(p[:, 2], 0.25, rtol=1e-14)
    np.testing.assert_allclose(p[-1], p[0], atol=1e-15)


@pytest.mark.parametrize("turns_tool", [True, False])
def test_the_tool_turns_with_an_arc_or_keeps_its_orientation(turns_tool: bool) -> None:
    arc = Arc(T_LEFT, np.zeros(3), np.array([0.0, 0.0, 0.8]), turns_tool)
    assert tf.rotation_angle(T_LEFT, arc.poses(S)[-1]) == pytest.approx(0.8 if turns_tool else 0.0, abs=1e-9)


@pytest.mark.parametrize("way", ["shorter", "longer"])
def test_the_arc_through_three_points_passes_them_in_order(way: str) -> None:
    rng = np.random.default_rng(3)
    centre, axis = rng.normal(size=3), np.linalg.qr(rng.normal(size=(3, 3)))[0]
    angles = np.array([0.0, 0.7, 1.9] if way == "shorter" else [0.0, 2.0, 5.5])
    points = centre + 0.3 * (np.cos(angles)[:, None] * axis[0] + np.sin(angles)[:, None] * axis[1])
    T_from = np.eye(4)
    T_from[:3, 3] = points[0]
    arc = arc_through(T_from, points[1], points[2])
    np.testing.assert_allclose(arc.centre, centre, atol=1e-12)
    assert np.linalg.norm(arc.turn) == pytest.approx(angles[2])
    np.testing.assert_allclose(places(arc, angles / angles[2]), points, atol=1e-12)


def test_three_points_on_one_line_are_no_arc() -> None:
    with pytest.raises(BadMotionLimit, match="three points on one line: move straight"):
        arc_through(T_LEFT, [0.35, 0.0, 0.25], [0.35, 0.15, 0.25])


# --- joints that follow -----------------------------------------------------------------------------------


def test_the_joints_keep_the_tool_on_the_path_between_the_grid_points_too() -> None:
    arm = robot("irb120")
    path = Line(T_LEFT, T_RIGHT)
    joints = follow(arm, path, arm.joints_near(T_LEFT, np.zeros(6)))
    s = np.linspace(0.0, 1.0, 777)
    np.testing.assert_allclose(arm.fk(joints.joints(s)), path.poses(s), atol=1e-8)


def test_a_batch_of_paths_is_followed_as_each_alone() -> None:
    arm = robot("irb120")
    T_to = np.stack([T_RIGHT, tf.from_xyz_euler([0.3, 0.1, 0.2], DOWN)])
    q = arm.joints_near(T_LEFT, np.zeros(6))
    poses = Line(np.broadcast_to(T_LEFT, (2, 4, 4)), T_to).poses(S)
    both = follow_poses(arm, poses, np.broadcast_to(q, (2, 6)))
    for row in range(2):
        np.testing.assert_allclose(
            both[row], follow_poses(arm, Line(T_LEFT, T_to[row]).poses(S), q), atol=1e-12
        )


def test_a_path_that_leaves_the_workspace_says_how_much_of_it_can_be_followed() -> None:
    arm = robot("irb120")
    far = tf.from_xyz_euler([0.95, -0.15, 0.25], DOWN)
    with pytest.raises(
        BrokenPath, match=r"irb120: the tool's path cannot be followed beyond \d\d% of its"
    ) as caught:
        follow(arm, Line(T_LEFT, far), arm.joints_near(T_LEFT, np.zeros(6)))
    reached = arm.ik_near(
        Line(T_LEFT, far).poses(np.array([caught.value.at, caught.value.at + 0.02])), np.zeros(6)
    )
    assert np.isnan(reached).any(axis=1).tolist() == [False, True]


# --- corners ----------------------------------------------------------------------------------------------

CORNERS = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 0.1], [0.0, 0.3, 0.1], [0.2, 0.3, 0.1]])


def corner_chain(zones: tuple[float, float]) -> Chain:
    return Chain(tf.from_xyz_euler(CORNERS), np.array(zones))


def test_outside_its_zones_the_chain_is_on_its_legs_at_even_pace() -> None:
    zones = (0.05, 0.1)
    s = np.linspace(0.0, 1.0, 1201)
    p, way = places(corner_chain(zones), s), 0.6 * s
    on_legs = np.stack([np.interp(way, [0.0, 0.1, 0.4, 0.6], CORNERS[:, axis]) for axis in range(3)], axis=-1)
    apart = np.linalg.norm(p - on_legs, axis=1)
    in_zone = (np.abs(way - 0.1) < zones[0] - 1e-9) | (np.abs(way - 0.4) < zones[1] - 1e-9)
    assert apart[~in_zone].max() < 1e-15
    assert apart[in_zone].max() > 1e-3


def test_a_square_corner_is_cut_by_the_share_of_its_zone_that_is_promised() -> None:
    p = places(corner_chain((0.1, 0.1)), np.linspace(0.0, 1.0, 6001))
    nearest = np.linalg.norm(p - CORNERS[1], axis=1).min()
    assert nearest == pytest.approx(3 / 16 * np.sqrt(2) * 0.1, rel=1e-6)


def test_a_blended_chain_bends_without_a_kink_in_its_slope_or_a_jump_in_its_bend() -> None:
    s = np.linspace(0.0, 1.0, 40_001)
    p = places(corner_chain((0.05, 0.1)), s)
    bend = np.diff(p, n=2, axis=0) / s[1] ** 2
    assert np.abs(np.diff(bend, axis=0)).max() < 0.002 * np.abs(bend).max()


def test_orientations_are_blended_too_and_the_ends_are_exact() -> None:
    T = tf.from_xyz_euler(CORNERS, [[0, 0, 0], [0, 0.4, 0], [0.3, 0.4, 1.0], [0.3, 0, 1.0]])
    poses = Chain(T, np.array([0.05, 0.1])).poses(S)
    np.testing.assert_allclose(poses[[0, -1]], T[[0, -1]], atol=1e-14)
    assert np.diff(tf.rotation_angle(poses[:-1], poses[1:])).max() < 0.01


def test_a_leg_that_only_turns_has_a_length() -> None:
    T = tf.from_xyz_euler(CORNERS[[0, 0, 1]], [[0, 0, 0], [0, 0, 1.0], [0, 0, 1.0]])
    np.testing.assert_allclose(Chain(T, np.array([0.02])).lengths, [0.1, 0.1], atol=1e-12)


@pytest.mark.parametrize(
    ("zones", "message"),
    [
        ([-0.01, 0.0], "corner zone .* -0.01 is not at least 0"),
        ([0.11, 0.0], "corner zones .* 0.11 are longer together than the leg of 0.1 m"),
        ([0.05, 0.26], "corner zones .* 0.31 are longer together than the leg of 0.3 m"),
    ],
)
def test_zones_that_do_not_fit_are_refused(zones: list[float], message: str) -> None:
    with pytest.raises(BadMotionLimit, match=message):
        progress([0.1, 0.3, 0.4], zones, S)


def test_joints_are_blended_between_their_stops() -> None:
    q = np.array([[0.0, 0.0], [1.0, 0.2], [1.0, 1.0]])
    path = joint_chain(q, [1.0, 1.0], blend=0.5)
    np.testing.assert_allclose(path.joints([0.0, 1.0]), q[[0, 2]], atol=1e-14)
    nearest = np.linalg.norm(path.joints(np.linspace(0, 1, 2001)) - q[1], axis=1).min()
    assert 0.0 < nearest < 0.2
    with pytest.raises(BadMotionLimit, match=r"blend 1.1 is not between 0 and 1"):
        joint_chain(q, [1.0, 1.0], blend=1.1)
