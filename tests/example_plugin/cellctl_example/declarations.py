"""The kinds of this package, as data."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from cellctl.device import Capability, OutputName
from cellctl.skill import Ends, Holds, KindDeclaration, Outcome, Parameter, Skill, StationKeys, Works
from cellctl.written import Between, Duration, Written, usually

TAG_READER, BELT_CAMERA = "tag reader", "belt camera"  # capabilities of this package's own

STILL_THERE = Outcome(Ends.AT_ORIGIN, "it was done")
ARRIVED = Outcome(Ends.AT_TARGET, "it is there")
LOST = Outcome(Ends.ANYWHERE, "it was not seen where it was to arrive")


class ReaderOptions(Written):
    """A reader has no keys of its own."""


READER = KindDeclaration(
    name="reader",
    doc="Reads the tag of what stands at its station.",
    code="cellctl_example.reader:Reader",
    skills=(
        Skill(
            "identify",
            "Read the tag of the carrier or part.",
            Works.STAYS,
            {"done": STILL_THERE, "unreadable": Outcome(Ends.AT_ORIGIN, "no tag answered", repeats=2)},
            results={"tag": "text"},
            duration=0.2,
        ),
    ),
    devices={"head": TAG_READER},
    options=ReaderOptions,
)


class DiverterOptions(Written):
    """`fall` is how long a part may take from the inlet to its lane."""

    fall: Annotated[Duration, Between("10 ms", "1 min")] = usually("2 s")


class LaneOptions(Written):
    """The output that sets the flap for this lane; a lane without one is where parts go when no flap is set."""

    flap: OutputName = ""


DIVERTER = KindDeclaration(
    name="diverter",
    doc="Takes parts from a belt at its inlet and lets each slide into one of its lanes.",
    code="cellctl_example.diverter:Diverter",
    skills=(
        Skill("expect", "Hold the inlet ready for a part.", Works.MOVES, {"done": STILL_THERE}, duration=0.1),
        Skill(
            "collect",
            "Wait for a part at the inlet.",
            Works.MOVES,
            {"done": ARRIVED, "jam": LOST},
            duration=1.0,
        ),
        Skill(
            "divert",
            "Let the part slide from the inlet into a lane.",
            Works.MOVES,
            {"done": ARRIVED, "jam": LOST},
            duration=1.0,
        ),
    ),
    devices={"io": Capability.DIGITAL_IO},
    options=DiverterOptions,
    stations=StationKeys(
        required=frozenset({"eye"}), allowed=frozenset({"eye", "stopper", "sink"}), options=LaneOptions
    ),
)


class TrackerOptions(Written):
    """`program` is the controller's program that picks what its camera saw and puts it down; `window` is the station
    at which parts are that the camera has seen."""

    program: Annotated[int, Field(ge=0, le=65535)] = 1
    window: str = "window"


TRACKER = KindDeclaration(
    name="tracker",
    doc="A robot and a camera over a belt: it picks what the camera sees while the belt runs.",
    code="cellctl_example.tracker:Tracker",
    skills=(
        Skill(
            "pick",
            "Pick the part from the moving belt and put it down at a station.",
            Works.MOVES,
            {
                "done": ARRIVED,
                "missed": Outcome(Ends.ANYWHERE, "the part left the belt before it could be picked"),
            },
            (
                Parameter(
                    "x", "length", "Where across the belt the camera saw it; comes with the announcement."
                ),
                Parameter("turn", "angle", "How it lay there; comes with the announcement."),
            ),
            holds=Holds.MODULE,
            duration=1.5,
        ),
    ),
    devices={"controller": Capability.MACHINE, "camera": BELT_CAMERA},
    options=TrackerOptions,
    stations=StationKeys(allowed=frozenset({"capacity", "grid", "pose", "sink"})),
    announces=True,
)
