"""Any robot with its joints in a row: forward kinematics and Jacobian; its inverse is searched (`search`).

Made from Denavit-Hartenberg parameters here, or from a URDF (`urdf`). Between joints stand fixed
transforms, each ending with the next joint's axis along z, so that moving a joint only mixes two columns.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cellctl.motion import search
from cellctl.motion.errors import BadMotionLimit, NoSolutionFound, OutOfReach
from cellctl.motion.transforms import Array, rigid


class DhRow(NamedTuple):
    """One link by J. Denavit and R. S. Hartenberg (1955), as Rz(theta) Tz(d) Tx(a) Rx(alpha): [m], [rad].

    The joint is added to theta, or to d when it slides.
    """

    a: float
    alpha: float
    d: float
    theta: float = 0.0
    slides: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """Joints in a row about the z axes between fixed transforms, shape (dof + 1, 4, 4).

    One solution for a pose, found by search from near poses of a table, so that the same pose always has
    the same one; it keeps within `lower` and `upper`, turns of whole joints included. Where joints are
    free, they stay near where the search started.
    """

    links: Array
    turns: tuple[bool, ...]
    lower: Array
    upper: Array
    table: search.Table = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.turns) > len(search.PRIMES):
            raise BadMotionLimit("number of joints", len(self.turns), f"is above {len(search.PRIMES)}")
        for name in ("links", "lower", "upper"):
            object.__setattr__(self, name, np.array(getattr(self, name), float))
        object.__setattr__(self, "table", search.table(self))

    @classmethod
    def from_dh(cls, rows: Iterable[DhRow], lower: npt.ArrayLike, upper: npt.ArrayLike) -> Chain:
        """A chain of Denavit-Hartenberg links between joint limits, shape (dof,) each."""
        rows = list(rows)
        links = [np.eye(4)]
        for row in rows:
            before = np.eye(4) if row.slides else _about_z(row.theta)
            after = _about_z(row.theta) if row.slides else _along(z=row.d)
            lift = _along(z=row.d) if row.slides else np.eye(4)
            links[-1] = links[-1] @ before @ lift
            links.append(after @ _along(x=row.a) @ _about_x(row.alpha))
        return cls(np.array(links), tuple(not row.slides for row in rows), np.array(lower), np.array(upper))

    @property
    def solutions(self) -> int:
        """The search stops at the first."""
        return 1

    @property
    def reach(self) -> float:
        """No pose is farther than this from the first axis's frame [m]."""
        fixed = float(np.linalg.norm(self.links[1:, :3, 3], axis=-1).sum())
        strokes = np.maximum(np.abs(self.lower), np.abs(self.upper))
        return fixed + float(strokes[~np.array(self.turns)].sum())

    def forward(self, q: Array, out: Array) -> None:
        """Write the flange poses of `q`, shape (n, dof), into `out`, shape (n, 4, 4)."""
        columns = self.reached(q)[0]
        out[:, :3] = np.moveaxis(columns, -1, 0).swapaxes(1, 2)
        out[:, 3, :3], out[:, 3, 3] = 0.0, 1.0

    def reached(self, q: Array) -> tuple[Array, Array]:
        """The flange by column (x, y, z, origin), shape (4, 3, n), and its Jacobian, shape (6, dof, n)."""
        frame = np.repeat(np.eye(4)[:, :3, None], len(q), axis=2)
        joints = np.empty((len(self.turns), 2, 3, len(q)))  # axis and origin of each
        for joint, (link, angle, turns) in enumerate(zip(self.links, q.T, self.turns, strict=False)):
            frame = _followed(frame, link)
            joints[joint] = frame[2:]
            frame = _moved(frame, angle, turns)
        flange = _followed(frame, self.links[-1])
        axis, lever = joints[:, 0].swapaxes(0, 1), flange[3, :, None] - joints[:, 1].swapaxes(0, 1)
        J = np.empty((6, len(self.turns), len(q)))
        J[0] = axis[1] * lever[2] - axis[2] * lever[1]
        J[1] = axis[2] * lever[0] - axis[0] * lever[2]
        J[2] = axis[0] * lever[1] - axis[1] * lever[0]
        J[3:] = axis
        slides = ~np.array(self.turns)
        if slides.any():
            J[:3, slides], J[3:, slides] = axis[:, slides], 0.0
        return flange, J

    def inverse(self, T: Array, near: Array | None, out: Array) -> None:
        """Write the solution for poses (n, 4, 4) into `out`, shape (n, 1, dof); see `Geometry`."""
        out[...] = np.nan
        near_enough = self.beyond_reach(T) == 0.0
        starts = None if near is None else near[near_enough]
        out[near_enough, 0] = search.solve(self, self.table, T[near_enough], starts)

    def jacobian(self, q: Array) -> Array:
        """The flange's velocity by joint, shape (n, 6, dof); see `Geometry`."""
        return np.moveaxis(self.reached(q)[1], -1, 0)

    def beyond_reach(self, T: Array) -> Array:
        """How far poses lie outside the sphere of all links stretched, shape (n,) [m]; 0 proves nothing."""
        return np.asarray(
            np.maximum(np.linalg.norm(T[:, :3, 3] - self.links[0, :3, 3], axis=-1) - self.reach, 0.0)
        )

    def unreachable(self, robot: str, T: Array) -> OutOfReach:
        """How far outside the stretched links, or that the search found nothing."""
        beyond = float(self.beyond_reach(T[None])[0])
        return OutOfReach(robot, beyond) if beyond > 0.0 else NoSolutionFound(robot, search.STARTS)


def _followed(columns: Array, link: Array) -> Array:
    """The frames that stand at `link` in these ones, by column, shape (4, 3, n)."""
    out = (link[:3].T @ columns[:3].reshape(3, -1)).reshape(columns.shape)
    out[3] += columns[3]
    return out


def _moved(columns: Array, q: Array, turns: bool) -> Array:
    """The frames after their joint has turned about z, or slid along it."""
    out = columns.copy()
    if turns:
        s, c = np.sin(q), np.cos(q)
        out[0] = c * columns[0] + s * columns[1]
        out[1] = c * columns[1] - s * columns[0]
    else:
        out[3] += q * columns[2]
    return out


def _about_z(angle: float) -> Array:
    s, c = np.sin(angle), np.cos(angle)
    return rigid([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]], (0.0, 0.0, 0.0))


def _about_x(angle: float) -> Array:
    s, c = np.sin(angle), np.cos(angle)
    return rigid([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]], (0.0, 0.0, 0.0))


def _along(x: float = 0.0, z: float = 0.0) -> Array:
    return rigid(np.eye(3), (x, 0.0, z))
