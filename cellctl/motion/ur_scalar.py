"""The kinematics of `ur` for one pose, in plain numbers: the same steps, in the same order of solutions."""

from __future__ import annotations

from math import acos, atan2, copysign, cos, hypot, nan, pi, sin, sqrt
from typing import TYPE_CHECKING

from cellctl.motion.geometry import SINGULAR, STRETCHED, Joints, Rows

if TYPE_CHECKING:
    from cellctl.motion.ur import Ur

TURN = 2.0 * pi
NOWHERE = (nan,) * 6


def forward(p: Ur, q: Joints) -> Rows:
    """The flange pose of six joint positions [rad]."""
    q1, q2, q3, q4, q5, q6 = q
    q23 = q2 + q3
    s1, s2, s23, s234, s5, s6 = sin(q1), sin(q2), sin(q23), sin(q23 + q4), sin(q5), sin(q6)
    c1, c2, c23, c234, c5, c6 = cos(q1), cos(q2), cos(q23), cos(q23 + q4), cos(q5), cos(q6)
    u = p.a2 * c2 + p.a3 * c23 + p.d5 * s234 - p.d6 * s5 * c234
    w = p.d4 + p.d6 * c5
    a, b = c5 * c6 * c234 - s6 * s234, -c5 * s6 * c234 - c6 * s234
    return (
        (c1 * a + s1 * s5 * c6, c1 * b - s1 * s5 * s6, s1 * c5 - c1 * s5 * c234, c1 * u + s1 * w),
        (s1 * a - c1 * s5 * c6, s1 * b + c1 * s5 * s6, -c1 * c5 - s1 * s5 * c234, s1 * u - c1 * w),
        (
            c5 * c6 * s234 + s6 * c234,
            c6 * c234 - c5 * s6 * s234,
            -s5 * s234,
            p.d1 + p.a2 * s2 + p.a3 * s23 - p.d5 * c234 - p.d6 * s5 * s234,
        ),
        (0.0, 0.0, 0.0, 1.0),
    )


def inverse(p: Ur, T: Rows, free6: float) -> list[tuple[float, ...]]:
    """All eight solutions for one pose, each angle within half a turn of 0 [rad]; `free6` is J6 where it is free."""
    (r00, r01, r02, x), (r10, r11, r12, y), (r20, r21, r22, z) = T[0], T[1], T[2]
    a2, a3, d4, d5 = p.a2, p.a3, p.d4, p.d5
    x, y, z = x - p.d6 * r02, y - p.d6 * r12, z - p.d6 * r22 - p.d1
    across = hypot(x, y)
    if across < abs(d4) * (1.0 - STRETCHED):
        return [NOWHERE] * 8
    clear = sqrt(max((across - d4) * (across + d4), 0.0))
    squares, twice, azimuth = a2 * a2 + a3 * a3, 2.0 * a2 * a3, atan2(y, x)
    solutions: list[tuple[float, ...]] = []
    for side in (clear, -clear):
        t1 = azimuth + atan2(d4, side)
        if not -pi <= t1 <= pi:
            t1 = _half_turned(t1)
        s1, c1 = sin(t1), cos(t1)
        aside0, aside1, aside2 = s1 * r00 - c1 * r10, s1 * r01 - c1 * r11, s1 * r02 - c1 * r12
        s5, ahead = hypot(aside0, aside1), c1 * x + s1 * y
        for t5, t6 in (
            (atan2(s5, aside2), atan2(-aside1, aside0)),
            (atan2(-s5, aside2), atan2(aside1, -aside0)),
        ):
            if s5 < SINGULAR:
                t6 = free6
            s6, c6 = sin(t6), cos(t6)
            s234 = -(c1 * (s6 * r00 + c6 * r01) + s1 * (s6 * r10 + c6 * r11))
            c234 = s6 * r20 + c6 * r21
            if s5 < SINGULAR:
                t234 = atan2(s234, c234)
                other = _within_reach(p, t234, ahead, z)
                t6 = _half_turned(t6 - copysign(1.0, aside2) * (other - t234))
                s234, c234 = sin(other), cos(other)
            u, v = ahead - d5 * s234, z + d5 * c234
            cosine = (u * u + v * v - squares) / twice
            if not -1.0 <= cosine <= 1.0:
                if not abs(cosine) <= 1.0 + STRETCHED:
                    solutions += (NOWHERE, NOWHERE)
                    continue
                cosine = 1.0 if cosine > 0.0 else -1.0
            sine = sqrt((1.0 - cosine) * (1.0 + cosine))
            t3, toward, t234 = atan2(sine, cosine), atan2(v, u), atan2(s234, c234)
            lead = atan2(a3 * sine, a2 + a3 * cosine)
            for t2, bend in ((toward - lead, t3), (toward + lead, -t3)):
                t4 = t234 - t2 - bend
                if not (-pi <= t2 <= pi and -pi <= t4 <= pi):
                    t2, t4 = _half_turned(t2), _half_turned(t4)
                solutions.append((t1, t2, bend, t4, t5, t6))
    return solutions


def _within_reach(p: Ur, t234: float, ahead: float, up: float) -> float:
    """The angle nearest to `t234` at which the forearm reaches a wrist that is free to turn."""
    wrist, to_wrist = hypot(ahead, up), atan2(up, ahead) + 0.5 * pi
    squares, double = wrist * wrist + p.d5 * p.d5, max(2.0 * wrist * p.d5, 1e-300)
    least, most = (
        acos(min(max((squares - reach * reach) / double, -1.0), 1.0))
        for reach in (abs(abs(p.a2) - abs(p.a3)), abs(p.a2) + abs(p.a3))
    )
    turn = _half_turned(t234 - to_wrist)
    return to_wrist + copysign(min(max(abs(turn), least), most), turn)


def _half_turned(angle: float) -> float:
    return angle - TURN * round(angle / TURN)
