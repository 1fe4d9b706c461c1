"""The arms that cellctl knows: lengths, joint limits, speeds, each with source and the day it was read.

Lengths and limits come from what the makers and the ROS-Industrial consortium publish; each geometry was
checked against the forward kinematics of its own URDF, the Meca500 against a log of a real controller.
Sources are repositories on GitHub at a commit.

Makers do not publish joint accelerations. Each entry states two times instead: how long its joints take
to full speed at full acceleration, and to full acceleration at full jerk. They are assumptions unless the
source says otherwise, the same for all joints of an arm.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from cellctl.errors import UnknownName
from cellctl.motion.opw import OpwArm, OpwParameters

HALF_TURN, QUARTER_TURN = np.pi, np.pi / 2


@dataclass(frozen=True, slots=True)
class RobotData:
    """What is known about one type of arm, in the units of the data sheets."""

    title: str
    parameters: OpwParameters
    limits_deg: tuple[tuple[float, float], ...]
    speed_deg_s: tuple[float, ...]
    speed_time: float  # [s] to full speed at full acceleration
    acceleration_time: float  # [s] to full acceleration at full jerk
    source: str
    read_on: str


_ABB_OFFSETS = (0.0, 0.0, -QUARTER_TURN, 0.0, 0.0, 0.0)
_KUKA_OFFSETS, _KUKA_SIGNS = (0.0, -QUARTER_TURN, 0.0, 0.0, 0.0, 0.0), (-1, 1, 1, -1, 1, -1)
_JAPAN_OFFSETS, _JAPAN_SIGNS = (0.0, 0.0, -QUARTER_TURN, 0.0, 0.0, HALF_TURN), (1, 1, -1, -1, -1, -1)

ROBOTS: dict[str, RobotData] = {
    # Speeds are those of revision R3; an R4 may run joints 1 to 3 at 225 and 4 and 5 at 350 deg/s. Joint 6
    # turns on beyond 180 deg when the controller's turn configuration allows it. The two times are measured,
    # not assumed: they reproduce the log, where joint 1 runs at 75 deg/s and the others in proportion, to
    # 0.02 deg. That they hold at other speeds, and where another joint leads, is an assumption.
    # Poses are the flange frame in the base frame of the maker.
    "meca500": RobotData(
        title="Mecademic Meca500 R3",
        parameters=OpwParameters(
            a1=0.0, a2=-0.038, b=0.0, c1=0.135, c2=0.135, c3=0.12, c4=0.07, offsets=_ABB_OFFSETS
        ),
        limits_deg=((-175, 175), (-70, 90), (-135, 70), (-170, 170), (-115, 115), (-180, 180)),
        speed_deg_s=(150, 150, 180, 300, 300, 500),
        speed_time=0.3287,
        acceleration_time=0.0682,
        source=(
            "limits: Mecademic/ROS@5c471e9 meca_500_r3.urdf.xacro; speeds: Meca500 (R3 & R4) Programming "
            "Manual for firmware 9.2.x, 2 November 2022, MoveJointsVel; lengths and times checked against "
            "Mecademic/mecademicpy@27bd23b examples/logger_example_traj_file.zip (R4, firmware 11.3)"
        ),
        read_on="2026-11-22",
    ),
    "irb120": RobotData(
        title="ABB IRB 120-3/0.58",
        parameters=OpwParameters(
            a1=0.0, a2=-0.07, b=0.0, c1=0.29, c2=0.27, c3=0.302, c4=0.072, offsets=_ABB_OFFSETS
        ),
        limits_deg=((-165, 165), (-110, 110), (-110, 70), (-160, 160), (-120, 120), (-400, 400)),
        speed_deg_s=(250, 250, 250, 320, 320, 420),
        speed_time=0.25,
        acceleration_time=0.1,
        source="ros-industrial/abb_experimental@20b9cf8 abb_irb120_support irb120_3_58_macro.xacro",
        read_on="2026-11-22",
    ),
    "irb2400": RobotData(
        title="ABB IRB 2400-10/1.55",
        parameters=OpwParameters(
            a1=0.1, a2=-0.135, b=0.0, c1=0.615, c2=0.705, c3=0.755, c4=0.085, offsets=_ABB_OFFSETS
        ),
        limits_deg=(
            (-180, 180),
            (-99.998, 110.002),
            (-60, 65.002),
            (-199.962, 199.962),
            (-120, 120),
            (-399.999, 399.999),
        ),
        speed_deg_s=(150, 150, 150, 360, 360, 450),
        speed_time=0.25,
        acceleration_time=0.1,
        source="ros-industrial/abb@77db19b abb_irb2400_support irb2400_macro.xacro",
        read_on="2026-11-22",
    ),
    "kr6_r700": RobotData(
        title="KUKA KR 6 R700 sixx",
        parameters=OpwParameters(
            a1=0.025,
            a2=-0.035,
            b=0.0,
            c1=0.4,
            c2=0.315,
            c3=0.365,
            c4=0.08,
            offsets=_KUKA_OFFSETS,
            signs=_KUKA_SIGNS,
        ),
        limits_deg=((-170, 170), (-190, 45), (-120, 156), (-185, 185), (-120, 120), (-350, 350)),
        speed_deg_s=(360, 300, 360, 381, 388, 615),
        speed_time=0.25,
        acceleration_time=0.1,
        source="ros-industrial/kuka_experimental@e78bbd1 kuka_kr6_support kr6r700sixx_macro.xacro",
        read_on="2026-11-22",
    ),
    # Angles as in the URDF, where joint 3 is relative to joint 2; the controller's own joint 3 is coupled
    # to joint 2.
    "lr_mate_200id": RobotData(
        title="FANUC LR Mate 200iD",
        parameters=OpwParameters(
            a1=0.05,
            a2=-0.035,
            b=0.0,
            c1=0.33,
            c2=0.33,
            c3=0.335,
            c4=0.08,
            offsets=_JAPAN_OFFSETS,
            signs=_JAPAN_SIGNS,
        ),
        limits_deg=((-170, 170), (-100, 145), (-70, 205), (-190, 190), (-125, 125), (-360, 360)),
        speed_deg_s=(450, 380, 520, 550, 545, 1000),
        speed_time=0.25,
        acceleration_time=0.1,
        source="ros-industrial/fanuc@8fee5e3 fanuc_lrmate200id_support lrmate200id_macro.xacro",
        read_on="2026-11-22",
    ),
    "gp4": RobotData(
        title="Yaskawa Motoman GP4",
        parameters=OpwParameters(
            a1=0.0,
            a2=-0.015,
            b=0.0,
            c1=0.33,
            c2=0.26,
            c3=0.29,
            c4=0.072,
            offsets=_JAPAN_OFFSETS,
            signs=_JAPAN_SIGNS,
        ),
        limits_deg=((-170, 170), (-110, 130), (-65, 200), (-200, 200), (-123, 123), (-455, 455)),
        speed_deg_s=(465, 465, 525, 565, 565, 1000),
        speed_time=0.25,
        acceleration_time=0.1,
        source="ros-industrial/motoman@433be15 motoman_gp4_support gp4_macro.xacro",
        read_on="2026-11-22",
    ),
    "rx160": RobotData(
        title="Staubli RX160",
        parameters=OpwParameters(a1=0.15, a2=0.0, b=0.0, c1=0.55, c2=0.825, c3=0.625, c4=0.11),
        limits_deg=((-160, 160), (-137.5, 137.5), (-150, 150), (-270, 270), (-105, 120), (-270, 270)),
        speed_deg_s=(200, 200, 255, 315, 360, 870),
        speed_time=0.25,
        acceleration_time=0.1,
        source="ros-industrial/staubli@367d92e staubli_rx160_support rx160_macro.xacro",
        read_on="2026-11-22",
    ),
}


@cache
def robot(name: str) -> OpwArm:
    """The arm of this name.

    Raises:
        UnknownName: when no arm is called so; names the nearest ones.
    """
    if name not in ROBOTS:
        raise UnknownName("robot", name, ROBOTS)
    data = ROBOTS[name]
    lower, upper = np.radians(data.limits_deg).T
    v_max = np.radians(data.speed_deg_s)
    a_max = v_max / data.speed_time
    return OpwArm(name, data.parameters, lower, upper, v_max, a_max, a_max / data.acceleration_time)
