"""How people write what they want moved, and who may be a panel."""

from __future__ import annotations

import math

import click
import pytest

from cellctl.cli.manual import Asked, read_motion
from cellctl.live.rights import may_say
from cellctl.messages import Jog, LeaseRequest, LeaseReturned, Message


@pytest.mark.parametrize(
    ("words", "speed", "lasts", "asked"),
    [
        (("+50mm/s",), None, 2.0, Asked("run", 0.05)),
        (("run", "-0.1 m/s"), None, None, Asked("run", -0.1)),
        (("z", "+5mm"), None, None, Asked("z", 0.0, 0.005)),
        (("z", "-5mm"), "20 mm/s", None, Asked("z", 0.02, -0.005)),
        (("x", "-20mm/s"), None, 2.0, Asked("x", -0.02, -0.04)),
        (("j3", "+10deg"), None, None, Asked("j3", 0.0, math.radians(10.0))),
        (("gamma", "5deg/s"), None, 2.0, Asked("gamma", math.radians(5.0), math.radians(10.0))),
        (("open",), None, None, Asked("open")),
    ],
)
def test_a_motion_is_read_as_people_write_it(
    words: tuple[str, ...], speed: str | None, lasts: float | None, asked: Asked
) -> None:
    found = read_motion(words, speed, lasts)
    assert found.motion == asked.motion
    assert (found.speed, found.distance) == pytest.approx((asked.speed, asked.distance))


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("z", "+5"), "has no unit"),
        (("z", "+5deg"), "is an angle"),
        (("j1", "5mm"), "is a length"),
        (("z", "+5mm/s"), "say for how long"),
        (("z", "up"), "is no quantity"),
        (("z", "x", "+5mm"), "is no motion"),
    ],
)
def test_what_is_no_motion_is_refused_with_what_to_write(words: tuple[str, ...], why: str) -> None:
    with pytest.raises(click.UsageError, match=why):
        read_motion(words, None, None)


BY_HAND: list[Message] = [
    LeaseRequest("belt", "ann's panel", by_hand=True),
    Jog("belt", "ann", "drive", "run", 0.05),
    LeaseReturned("belt", 7),
]


@pytest.mark.parametrize("message", BY_HAND, ids=lambda message: type(message).__name__)
def test_only_the_operator_and_panels_move_by_hand(message: Message) -> None:
    for peer in ("operator 8d3f", "panel 8d3f", "panel-arm 8d3f"):
        assert may_say(peer, message)
    for peer in ("runner 8d3f", "belt 8d3f", "panels 8d3f", "mes 8d3f", "operator2 8d3f"):
        assert not may_say(peer, message)
