"""The kinematics of `opw` for one pose, in plain numbers: the same triangles, in the same order of solutions.

Written for speed: constants are worked out once for each arm, and angles are brought within half a turn by
comparing, which is cheaper here than rounding.
"""

from __future__ import annotations

from math import atan2, cos, hypot, nan, pi, sin, sqrt
from typing import TYPE_CHECKING

from cellctl.motion.geometry import SINGULAR, STRETCHED, Joints, Rows

if TYPE_CHECKING:
    from cellctl.motion.opw import Opw

TURN = 2.0 * pi
NOWHERE = (nan,) * 6


def constants(p: Opw) -> tuple[float, ...]:
    """What `inverse` needs of an arm: lengths, sums of them, then q = sign * theta + shift for each joint."""
    forearm = hypot(p.a2, p.c3)
    squares, twice = p.c2 * p.c2 + forearm * forearm, 2.0 * p.c2 * forearm
    shifts = (sign * offset for sign, offset in zip(p.signs, p.offsets, strict=True))
    return (p.a1, p.b, p.c1, p.c2, p.c4, forearm, squares, twice, atan2(p.a2, p.c3), *p.signs, *shifts)


def forward(p: Opw, q: Joints) -> Rows:
    """The flange pose of six joint positions [rad]."""
    t1, t2, t3, t4, t5, t6 = (
        angle * sign - offset for angle, sign, offset in zip(q, p.signs, p.offsets, strict=True)
    )
    t23, c4 = t2 + t3, cos(t4)
    s1, s2, s23, s4, s5, s6 = sin(t1), sin(t2), sin(t23), sin(t4), sin(t5), sin(t6)
    c1, c23, c5, c6 = cos(t1), cos(t23), cos(t5), cos(t6)
    a, b = c4 * c5, s4 * c5
    u0, u1, u2 = a * c6 - s4 * s6, -a * s6 - s4 * c6, c4 * s5  # rows of the wrist orientation in the forearm
    v0, v1, v2 = b * c6 + c4 * s6, -b * s6 + c4 * c6, s4 * s5
    w0, w1 = -s5 * c6, s5 * s6
    x = p.a1 + p.c2 * s2 + p.a2 * c23 + p.c3 * s23
    z = p.c1 + p.c2 * cos(t2) - p.a2 * s23 + p.c3 * c23
    x0, x1, x2 = c23 * u0 + s23 * w0, c23 * u1 + s23 * w1, c23 * u2 + s23 * c5
    r02, r12, r22 = c1 * x2 - s1 * v2, s1 * x2 + c1 * v2, c23 * c5 - s23 * u2
    return (
        (c1 * x0 - s1 * v0, c1 * x1 - s1 * v1, r02, c1 * x - s1 * p.b + p.c4 * r02),
        (s1 * x0 + c1 * v0, s1 * x1 + c1 * v1, r12, s1 * x + c1 * p.b + p.c4 * r12),
        (c23 * w0 - s23 * u0, c23 * w1 - s23 * u1, r22, z + p.c4 * r22),
        (0.0, 0.0, 0.0, 1.0),
    )


def inverse(arm: tuple[float, ...], T: Rows, free1: float, free4: float) -> list[tuple[float, ...]]:
    """All eight solutions for one pose, each angle within half a turn of 0 [rad].

    `arm` are the constants; `free1` and `free4` are the model's angles of J1 and J4 where they are free.
    """
    a1, b, c1, c2, c4, forearm, squares, twice, fold = arm[:9]
    g1, g2, g3, g4, g5, g6, o1, o2, o3, o4, o5, o6 = arm[9:]
    (r00, r01, r02, x), (r10, r11, r12, y), (r20, r21, r22, z) = T[0], T[1], T[2]
    x, y, up = x - c4 * r02, y - c4 * r12, z - c4 * r22 - c1
    across = hypot(x, y)
    if across < abs(b) * (1.0 - STRETCHED):
        return [NOWHERE] * 8
    radius = sqrt(max(across * across - b * b, 0.0))
    azimuth = atan2(y, x)
    one: list[tuple[float, ...]] = []
    other: list[tuple[float, ...]] = []
    for facing in (radius, -radius):
        ahead = facing - a1
        cosine = (ahead * ahead + up * up - squares) / twice
        if not -1.0 <= cosine <= 1.0:
            if not abs(cosine) <= 1.0 + STRETCHED:
                one += (NOWHERE, NOWHERE)
                other += (NOWHERE, NOWHERE)
                continue
            cosine = 1.0 if cosine > 0.0 else -1.0
        sine = sqrt((1.0 - cosine) * (1.0 + cosine))
        t1 = free1 if across < SINGULAR else azimuth - atan2(b, facing)
        s, c = sin(t1), cos(t1)
        x0, x1, x2 = c * r00 + s * r10, c * r01 + s * r11, c * r02 + s * r12
        y0, y1, y2 = c * r10 - s * r00, c * r11 - s * r01, c * r12 - s * r02
        q1 = _half_turned(g1 * t1 + o1)
        high, lean = atan2(ahead, up), atan2(forearm * sine, c2 + forearm * cosine)
        bend = atan2(sine, cosine)
        for t2, t3 in ((high - lean, bend - fold), (high + lean, -bend - fold)):
            s, c = sin(t2 + t3), cos(t2 + t3)
            w2 = c * x2 - s * r22
            s5 = sqrt(w2 * w2 + y2 * y2)
            if s5 < SINGULAR:
                t4, s4, k4 = free4, sin(free4), cos(free4)
                t5 = atan2(k4 * w2 + s4 * y2, s * x2 + c * r22)
            else:
                t4, s4, k4 = atan2(y2, w2), y2 / s5, w2 / s5
                t5 = atan2(s5, s * x2 + c * r22)
            t6 = atan2(k4 * y0 - s4 * (c * x0 - s * r20), k4 * y1 - s4 * (c * x1 - s * r21))
            q2, q3, q4 = g2 * t2 + o2, g3 * t3 + o3, g4 * t4 + o4
            q5, u5, q6 = g5 * t5 + o5, o5 - g5 * t5, g6 * t6 + o6
            if not (-pi <= q2 <= pi and -pi <= q3 <= pi and -pi <= q4 <= pi and -pi <= q6 <= pi):
                q2, q3, q4, q6 = _half_turned(q2), _half_turned(q3), _half_turned(q4), _half_turned(q6)
            if o5:
                q5, u5 = _half_turned(q5), _half_turned(u5)
            one.append((q1, q2, q3, q4, q5, q6))
            other.append((q1, q2, q3, q4 - pi if q4 > 0.0 else q4 + pi, u5, q6 - pi if q6 > 0.0 else q6 + pi))
    return one + other


def _half_turned(angle: float) -> float:
    return angle - TURN * round(angle / TURN)
