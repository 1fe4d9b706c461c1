"""Mecademic's messages, byte for byte as in its programming manual, and against the maker's own parser."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mecademicpy.robot_classes import Message

from cellctl.device import Pose
from cellctl_drivers.mecademic_codec import (
    GripperState,
    Status,
    ToolStatus,
    Unreadable,
    command,
    move,
    parse,
    version,
)


@pytest.mark.parametrize(
    ("text", "code", "fields"),
    [
        ("[2007][1,1,0,0,0,1,1]", 2007, ("1", "1", "0", "0", "0", "1", "1")),  # GetStatusRobot, 2.4.29
        ("[3030][17]", 3030, ("17",)),
        ("[2000][Motors activated.]", 2000, ("Motors activated.",)),
        ("-[2082][v9.3.0.1234]", 2082, ("v9.3.0.1234",)),  # the reply to a silent command
        ("[1001][Empty command or command unrecognized. - Command: '[x]']", 1001, None),
        ("[3004]", 3004, ()),
        (" [2026][0, -20.5, 1e-3] ", 2026, ("0", "-20.5", "1e-3")),
    ],
)
def test_messages_are_code_and_fields(text: str, code: int, fields: tuple[str, ...] | None) -> None:
    reply = parse(text)
    assert reply.code == code
    assert fields is None or reply.fields == fields


@given(
    st.integers(1000, 3999), st.text(st.characters(codec="ascii", exclude_characters="\0\r\n[]"), max_size=40)
)
def test_messages_are_read_as_the_makers_own_client_reads_them(code: int, text: str) -> None:
    theirs, ours = Message.from_string(f"[{code}][{text}]"), parse(f"[{code}][{text}]")
    assert (ours.code, ours.text) == (theirs.id, theirs.data)


@pytest.mark.parametrize(
    "text", ["", "hello", "[20][x]", "[2007", "[2007]1,1", '{"code": 2007}', "[20000][x]"]
)
def test_anything_else_is_unreadable(text: str) -> None:
    with pytest.raises(Unreadable):
        parse(text)


def test_status_says_what_each_field_means() -> None:
    status = Status.of(parse("[2007][1,0,0,1,1,0,1]"))
    assert status == Status(True, False, False, True, True, False, True)
    with pytest.raises(Unreadable):
        Status.of(parse("[2007][1,1,0]"))
    with pytest.raises(Unreadable):
        Status.of(parse("[2007][a,b,c,d,e,f,g]"))


def test_gripper_and_tool_states_leave_out_the_timestamp() -> None:
    assert GripperState.of(parse("[2320][123456,1,0,0,0]")).holds
    assert not GripperState.of(parse("[2320][123456,1,1,1,0]")).holds  # pressing on its own fingers
    assert ToolStatus.of(parse("[2300][1234,0,10,1,0,0]")) == ToolStatus(True, False, False)


def test_lengths_go_as_millimetres_and_angles_as_degrees() -> None:
    pose = Pose(0.2, -0.1105, 0.03, math.pi, 0.0, math.pi / 2)
    assert move(pose, straight=True) == "MoveLin(200,-110.5,30,180,0,90)"
    assert move(pose, straight=False) == "MovePose(200,-110.5,30,180,0,90)"


def test_numbers_have_no_noise() -> None:
    assert command("SetTrf", 0.1 + 0.2, -0.0, 1e-17) == "SetTrf(0.3,0,0)"
    assert command("SetCheckpoint", 8000) == "SetCheckpoint(8000)"


def test_the_firmware_is_found_in_its_reply() -> None:
    assert version(parse("[2081][v11.3.2]")) == (11, 3, 2)
    assert version(parse("[2081][9.2]")) == (9, 2)
    assert version(parse("[2081][?]")) == ()
