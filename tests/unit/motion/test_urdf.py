"""The URDF reader: what it takes, what it refuses, and what it says then."""

from __future__ import annotations

import numpy as np
import pytest

from cellctl.motion.errors import BadUrdf, JointLimit, MotionError
from cellctl.motion.urdf import robot_from_urdf

LIMIT = '<limit lower="-1" upper="1" velocity="2" effort="5"/>'


def joint(
    number: int,
    kind: str = "revolute",
    inner: str = LIMIT,
    parent: str | None = None,
    child: str | None = None,
) -> str:
    return (
        f'<joint name="j{number}" type="{kind}"><parent link="{parent or f"l{number - 1}"}"/>'
        f'<child link="{child or f"l{number}"}"/><origin xyz="0 0 0.5"/><axis xyz="0 2 0"/>{inner}</joint>'
    )


def urdf(*joints: str) -> str:
    return f'<robot name="arm">{"".join(joints)}</robot>'


def test_limits_and_names_are_those_written() -> None:
    arm = robot_from_urdf(urdf(joint(1), joint(2, "prismatic"), joint(3, "continuous")), speed_time=0.5)
    assert arm.name == "arm"
    np.testing.assert_array_equal(arm.lower, [-1, -1, -np.inf])
    np.testing.assert_array_equal(arm.v_max, [2, 2, 2])
    np.testing.assert_array_equal(arm.a_max, [4, 4, 4])
    with pytest.raises(JointLimit, match=r"joint 2 at 1500 mm is outside -1000 mm to 1000 mm"):
        arm.check_limits([0, 1.5, 100])


def test_a_limb_beside_the_row_does_not_matter() -> None:
    mimic = joint(9, inner=f'{LIMIT}<mimic joint="j1"/>', parent="l1", child="piston")
    arm = robot_from_urdf(urdf(joint(1), mimic, joint(2)), tip="l2")
    assert arm.dof == 2
    np.testing.assert_allclose(arm.fk([0.0, 0.0])[:3, 3], [0, 0, 1.0])


def test_a_base_in_the_middle_starts_the_row_there() -> None:
    assert robot_from_urdf(urdf(joint(1), joint(2), joint(3)), base="l1").dof == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<robot", "not well-formed XML"),
        ("\x00", "not well-formed XML"),
        ("<model/>", "outermost element is 'model'"),
        ('<!DOCTYPE robot><robot name="arm"/>', "document type"),
        (
            '<!DOCTYPE robot [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><robot name="&b;"/>',
            "document type",
        ),
        ('<!DOCTYPE robot SYSTEM "file:///etc/passwd"><robot/>', "document type"),
        (
            '<robot xmlns:xacro="http://ros.org/wiki/xacro"><xacro:macro name="m"/></robot>',
            "expand it first",
        ),
        (urdf(), "name the tip link, one of: none"),
        (urdf(joint(1), joint(2, parent="l0")), "name the tip link, one of: l1, l2"),
        (urdf(joint(1, "floating")), "joint j1 is of type 'floating'; known are revolute"),
        (urdf(joint(1, inner=f'{LIMIT}<mimic joint="j2"/>')), "joint j1 mimics another one"),
        (urdf(joint(1, inner="")), "joint j1 has no limit"),
        (urdf(joint(1, inner='<limit lower="0" upper="1" effort="1"/>')), "needs a velocity limit above 0"),
        (
            urdf(joint(1, inner='<limit lower="0" upper="x" velocity="1"/>')),
            "upper='x' is not 1 finite numbers",
        ),
        (urdf(joint(1, inner='<limit lower="nan" upper="1" velocity="1"/>')), "lower='nan' is not"),
        (urdf(joint(1, "fixed", "")), "none of its 1 joints moves"),
        (urdf(joint(1), joint(2, child="l1")), "joint j2 is the second that link l1 hangs on"),
        (urdf('<joint name="j1" type="revolute"><child link="a"/></joint>'), "j1 names no parent link"),
        (urdf(joint(1).replace("0 2 0", "0 0 0")), "axis of no length"),
        (urdf(joint(1).replace("0 0 0.5", "0 0")), "xyz='0 0' is not 3 finite numbers"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(text: str, says: str) -> None:
    with pytest.raises(BadUrdf) as caught:
        robot_from_urdf(text)
    assert says in str(caught.value)
    assert isinstance(caught.value, MotionError)


def test_links_in_a_circle_are_refused() -> None:
    with pytest.raises(BadUrdf, match="stand in a circle"):
        robot_from_urdf(urdf(joint(1, parent="l2"), joint(2)), tip="l2")


def test_a_tip_that_nothing_leads_to_is_refused() -> None:
    with pytest.raises(BadUrdf, match="no joints lead from a base to hand"):
        robot_from_urdf(urdf(joint(1)), tip="hand")
    with pytest.raises(BadUrdf, match="no joints lead from foot to l1"):
        robot_from_urdf(urdf(joint(1)), base="foot")


def test_more_text_than_any_robot_needs_is_not_parsed() -> None:
    with pytest.raises(BadUrdf, match="more than 4000000 are not read"):
        robot_from_urdf("<" * 4_000_001)
