"""The five standard kinds of module, as data: what each can do, its devices, and its keys in the line file.

How a skill is done stands in `cellctl.modules`; third parties declare further kinds in the same way.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from cellctl.device import Capability, Pose, Recovery, StationName
from cellctl.errors import nearest
from cellctl.motion.names import robot_names
from cellctl.reading import fault
from cellctl.reading.codes import DOES_NOT_FIT, NOT_A_CHOICE
from cellctl.skill import (
    Ends,
    Holds,
    JointSkill,
    KindDeclaration,
    Outcome,
    Parameter,
    Phase,
    Skill,
    StationKeys,
    Works,
)
from cellctl.units import Quantity
from cellctl.written import (
    Angle,
    AnyQuantity,
    Between,
    Duration,
    Length,
    Measures,
    Ratio,
    Speed,
    Written,
    usually,
)


class Options(Written):
    """A module's own keys in the line file."""


DONE = Outcome(Ends.AT_TARGET, "it was done")
FAILED = Outcome(Ends.ANYWHERE, "a person said that it failed; where the part is must be looked at")

OVERHANG = 0.1  # [m] from the last stop of a belt to its end where nothing is said

# --- conveyor -----------------------------------------------------------------------------------------------------


class ConveyorOptions(Options):
    """`patience` is how much longer than expected a part may travel before it counts as jammed."""

    speed: Annotated[Speed, Between("1 mm/s", "5 m/s")] = Field(description="of the belt")
    run_on: Annotated[Length, Between("0 mm", "1 m")] = usually(
        "30 mm", "from the eye to rest at the stopper; that far behind the eye a part has left its stop"
    )
    patience: Annotated[Duration, Between("0.1 s", "10 min")] = usually(
        "5 s", "how much longer than expected a part may travel before it counts as jammed"
    )
    indexing: bool = Field(
        default=False, description="true: the belt moves all its parts by one pitch at a time"
    )
    pitch: Annotated[Length, Between("1 mm", "10 m")] | None = Field(
        default=None, description="of an indexing belt"
    )
    circuit: Annotated[Length, Between("10 mm", "1000 m")] | None = Field(
        default=None, description="of a belt that runs in a circle: its length once around"
    )
    end: Annotated[Length, Between("1 mm", "1000 m")] | None = Field(
        default=None,
        description="where parts leave it over its end; 100 mm behind the last stop if not given",
    )
    onto: StationName = Field(
        default="", description="the station of another module to which parts come over its end"
    )


_JAM = Outcome(Ends.ANYWHERE, "the part did not arrive where its eye could see it in time")

ADVANCE = Skill(
    "advance",
    "Bring the part along the belt to another of its stops.",
    Works.MOVES,
    {"done": DONE, "jam": _JAM, "failed": FAILED},
    holds=Holds.STATIONS,
    duration=3.0,
)
GIVE = Skill(
    "give",
    "Let the part leave over the belt's end, onto a belt that expects it.",
    Works.MOVES,
    {"done": Outcome(Ends.ANYWHERE, "it is on its way on the other belt"), "jam": _JAM, "failed": FAILED},
    holds=Holds.STATIONS,
    duration=2.0,
)
EXPECT = Skill(
    "expect",
    "Run the belt for a part that another belt gives.",
    Works.MOVES,
    {"done": Outcome(Ends.AT_ORIGIN, "the belt runs")},
    holds=Holds.STATIONS,
    duration=0.5,
)
COLLECT = Skill(
    "collect",
    "Bring a part that another belt gave to a stop.",
    Works.MOVES,
    {"done": DONE, "jam": _JAM, "failed": FAILED},
    holds=Holds.STATIONS,
    duration=2.0,
)

CONVEYOR = KindDeclaration(
    name="conveyor",
    doc="A belt with stops, each with an eye that sees a part and a stopper that holds it.",
    code="cellctl.modules.conveyor:Conveyor",
    skills=(ADVANCE, GIVE, EXPECT, COLLECT),
    devices={"drive": Capability.MOTOR_DRIVE, "io*": Capability.DIGITAL_IO},
    options=ConveyorOptions,
    stations=StationKeys(
        required=frozenset({"at"}),
        allowed=frozenset({"at", "eye", "stopper", "pose", "approach", "via", "sink", "capacity", "zone"}),
    ),
    actions={
        "release": {"": Recovery.OBSERVABLE},
        "arrive": {"": Recovery.RECOVERABLE},
        "deliver": {"": Recovery.REPEATABLE},
        "index": {"": Recovery.OBSERVABLE},
    },
)

# --- arm ----------------------------------------------------------------------------------------------------------


class Frame(Options):
    """A frame in the line's frame: position, and orientation as mobile XYZ Euler angles."""

    x: Length = usually("0 mm")
    y: Length = usually("0 mm")
    z: Length = usually("0 mm")
    alpha: Angle = usually("0 deg")
    beta: Angle = usually("0 deg")
    gamma: Angle = usually("0 deg")

    def pose(self) -> Pose:
        """The same, as everybody inside sees it."""
        return Pose(self.x, self.y, self.z, self.alpha, self.beta, self.gamma)


def _known(name: str) -> str:
    if name not in robot_names():
        close = " or ".join(repr(each) for each in nearest(name, robot_names()))
        advice = f"did you mean {close}?" if close else f"known: {', '.join(robot_names()[:12])}, ..."
        raise fault(NOT_A_CHOICE, f"no robot is called {name!r}", advice)
    return name


RobotName = Annotated[str, AfterValidator(_known)]


class ArmOptions(Options):
    """`robot` names the arm in the motion core, which knows its geometry, limits and times."""

    robot: RobotName = Field(description="the arm's model in the motion core")
    base: Frame = Field(default=Frame(), description="where its base stands in the line's frame")
    speed: Annotated[Ratio, Between("1 %", "100 %")] = usually("100 %", "of the greatest, in free motion")
    approach_speed: Annotated[Ratio, Between("1 %", "100 %")] = usually(
        "30 %", "of the greatest, between approach and station"
    )


_SPEED = Parameter("speed", "ratio", "Fraction of the arm's usual speed.", lower=0.01, upper=1.0, default=1.0)
_TOOL = Parameter("tool", "text", "The tool that grips; the arm's first one where nothing is said.")
_MISSED = Outcome(Ends.AT_ORIGIN, "the gripper closed on nothing", repeats=1)
_DROPPED = Outcome(Ends.ANYWHERE, "the part was lost on the way")
_CARRIED = {"done": DONE, "missed": _MISSED, "dropped": _DROPPED, "failed": FAILED}

TRANSFER = Skill(
    "transfer",
    "Take the part, or a component, to another station.",
    Works.MOVES,
    _CARRIED,
    (_SPEED, _TOOL),
    duration=4.0,
)
INSERT = Skill(
    "insert",
    "Put a component into the part where it stands.",
    Works.JOINS,
    _CARRIED,
    (_SPEED, _TOOL),
    duration=4.0,
)
HOLD = Skill(
    "hold",
    "Grip the part where it stands and keep hold of it.",
    Works.STAYS,
    {"done": Outcome(Ends.AT_ORIGIN, "it is held"), "missed": _MISSED, "failed": FAILED},
    (_TOOL,),
    duration=2.0,
)
LET_GO = Skill(
    "let_go",
    "Let go of the part that is held, and leave it.",
    Works.STAYS,
    {"done": Outcome(Ends.AT_ORIGIN, "it is free"), "failed": FAILED},
    (_TOOL,),
    duration=1.0,
)

ARM = KindDeclaration(
    name="arm",
    doc="A robot arm that takes parts and components from station to station.",
    code="cellctl.modules.arm:Arm",
    skills=(TRANSFER, INSERT, HOLD, LET_GO),
    devices={"controller": Capability.ROBOT_ARM, "io*": Capability.DIGITAL_IO},
    options=ArmOptions,
    stations=StationKeys(
        required=frozenset({"pose"}),
        allowed=frozenset({"pose", "sink", "source", "grid", "approach", "via", "capacity", "zone"}),
    ),
    actions={
        "go": {"": Recovery.REPEATABLE},
        "reach": {"": Recovery.REPEATABLE},
        "retreat": {"": Recovery.REPEATABLE},
    },
)

# --- feeder -------------------------------------------------------------------------------------------------------


class FeederOptions(Options):
    """A feeder has no keys of its own: everything stands at its stations and devices."""


FEED = Skill(
    "feed",
    "Bring a component to the pick-up point.",
    Works.SUPPLIES,
    {"done": DONE, "empty": Outcome(Ends.AT_ORIGIN, "no component came in time")},
    holds=Holds.STATIONS,
    duration=2.0,
)

FEEDER = KindDeclaration(
    name="feeder",
    doc="One or more bowls, magazines or reels, each of which presents one component at a time.",
    code="cellctl.modules.feeder:Feeder",
    skills=(FEED,),
    devices={"*": Capability.FEEDER, "io*": Capability.DIGITAL_IO},
    options=FeederOptions,
    stations=StationKeys(
        required=frozenset({"source"}),
        allowed=frozenset({"pose", "source", "device", "approach", "via", "grid", "capacity", "zone"}),
    ),
)

# --- inspection ---------------------------------------------------------------------------------------------------


class InspectionOptions(Options):
    """The features that the gauge measures, by the names that recipes use.

    `features: {height: mm}` says what each is measured in, so that limits in newtons are a finding; in a list of names
    nothing is said, and any limits will do.
    """

    features: Measures = Field(
        min_length=1, description="what it measures, by the names that recipes use, each with its unit"
    )


MEASURE = Skill(
    "measure",
    "Measure features of the part; it is rejected when one is out of its limits.",
    Works.STAYS,
    {
        "done": Outcome(Ends.AT_ORIGIN, "all that is expected is within its limits"),
        "reject": Outcome(Ends.AT_ORIGIN, "a feature is out of its limits"),
        "failed": FAILED,
    },
    (
        Parameter(
            "expect",
            "limits",
            "Limits for each feature: `expect: {height: 18.20 mm ± 0.15 mm}`. A command carries each under its own "
            "name, `expect.height`. Without any, all features of the module are measured.",
            among="features",
        ),
    ),
    duration=1.0,
)

INSPECTION = KindDeclaration(
    name="inspection",
    doc="A gauge that measures parts where they stand.",
    code="cellctl.modules.inspection:Inspection",
    skills=(MEASURE,),
    devices={"head": Capability.GAUGE, "io*": Capability.DIGITAL_IO},
    options=InspectionOptions,
    stations=StationKeys(allowed=frozenset({"pose", "approach", "via", "grid", "capacity", "zone"})),
)

# --- machine ------------------------------------------------------------------------------------------------------


class Takes(Options):
    """A value that a program takes, and between what it must lie; nothing said of a plain number."""

    min: AnyQuantity | None = Field(default=None, description="the least value")
    max: AnyQuantity | None = Field(default=None, description="the greatest value")

    @model_validator(mode="after")
    def _agree(self) -> Takes:
        if isinstance(self.min, Quantity) and isinstance(self.max, Quantity):
            if self.min.dimension is not self.max.dimension:
                message = f"'min' is {self.min.dimension.noun}, but 'max' is {self.max.dimension.noun}"
                raise fault(DOES_NOT_FIT, message, "write both in units of one kind")
            if self.min.value > self.max.value:
                raise fault(
                    DOES_NOT_FIT, "'min' is greater than 'max'", "exchange them, or check their units"
                )
        return self


class Program(Options):
    """A program of the machine's controller: its number, its values in the controller's order, what it gives back."""

    number: int = Field(ge=0, le=65535, description="its number in the controller")
    takes: dict[str, Takes] = Field(default={}, description="its values by name, in the controller's order")
    gives: Measures = Field(
        default={}, description="its results by name with their units, in the controller's order"
    )
    time: Annotated[Duration, Between("1 ms", "1000 h")] = Field(description="how long it usually runs")
    counted: bool = Field(
        default=False,
        description="true: behind its other values the controller is told how many parts to make",
    )


class MachineOptions(Options):
    """Programs by the names that recipes use."""

    programs: dict[str, Program] = Field(
        min_length=1, description="its programs by the names that recipes use"
    )


_PROGRAM = Parameter(
    "program", "text", "The program, by its name in the line file.", required=True, among="programs"
)
_PROGRAM_FAILED = Outcome(Ends.AT_ORIGIN, "the machine reports that the program failed")

RUN = Skill(
    "run",
    "Run a program of the machine on the part where it stands.",
    Works.STAYS,
    {"done": Outcome(Ends.AT_ORIGIN, "the program ran to its end"), "failed": _PROGRAM_FAILED},
    (_PROGRAM,),
    open_parameters=True,
    duration=2.0,
)
MAKE = Skill(
    "make",
    "Run a program that makes parts: they come into being at the machine's station.",
    Works.MAKES,
    {"done": DONE, "failed": Outcome(Ends.ANYWHERE, "the machine reports that the program failed")},
    (_PROGRAM,),
    open_parameters=True,
    duration=60.0,
)

MACHINE = KindDeclaration(
    name="machine",
    doc="A machine with a controller of its own that runs programs: a press, a screwdriver, a printer.",
    code="cellctl.modules.machine:Machine",
    skills=(RUN, MAKE),
    devices={"plc": Capability.MACHINE, "io*": Capability.DIGITAL_IO},
    options=MachineOptions,
    stations=StationKeys(allowed=frozenset({"pose", "approach", "via", "grid", "capacity", "zone", "sink"})),
)

# --- skills of several modules ------------------------------------------------------------------------------------

HAND_OVER = JointSkill(
    "hand_over",
    "Bring the part from one belt onto the next.",
    Works.MOVES,
    roles={"giver": "give", "receiver": "collect"},
    phases=(Phase("receiver", "expect"), Phase("giver", "give"), Phase("receiver", "collect")),
)
RUN_HELD = JointSkill(
    "run_held",
    "Run a program of a machine on the part while an arm holds it.",
    Works.STAYS,
    roles={"holder": "hold", "worker": "run"},
    phases=(Phase("holder", "hold"), Phase("worker", "run"), Phase("holder", "let_go")),
)

JOINT_SKILLS = {joint.name: joint for joint in (HAND_OVER, RUN_HELD)}
