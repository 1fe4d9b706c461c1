"""Poses of a line file in the line's frame: named frames, one pose or one for each arm, taught values over both.

Only a line with named frames needs the transforms; the others start without numpy.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import atan2
from typing import TYPE_CHECKING

from cellctl.device import Pose
from cellctl.line.codes import BAD_FRAME
from cellctl.line.file import FrameFile, PoseFile
from cellctl.sheet import Path, Sheet

if TYPE_CHECKING:
    from cellctl.motion.transforms import Array

EVERY_ARM = ""
MOST_FRAMES = 50  # one in the other


class Frames:
    """The line's named frames. One that is unknown is reported where it is named, a circle of them once."""

    def __init__(self, sheet: Sheet, frames: Mapping[str, FrameFile]) -> None:
        self._sheet, self._frames = sheet, frames
        self._T_line: dict[str, Array] = {}  # of every frame whose place is known
        self._seen: set[str] = set()
        for name in frames:
            self._resolve(name, ())

    def pose(self, written: PoseFile, path: Path, sheet: Sheet | None = None) -> Pose:
        """The pose in the line's frame; `sheet` is where it is written, when not in the line file."""
        if written.frame and written.frame not in self._sheet.keys("frames"):
            self._unknown(written.frame, path, sheet or self._sheet)
        if written.frame not in self._T_line:
            return Pose(written.x, written.y, written.z, written.alpha, written.beta, written.gamma)
        from cellctl.motion.transforms import to_xyz_euler

        xyz, angles = to_xyz_euler(_composed(self._T_line[written.frame], _matrix(written)))
        return Pose(*(float(value) for value in (*xyz, *angles)))

    def poses(self, written: PoseFile | Mapping[str, PoseFile] | None, path: Path) -> dict[str, Pose]:
        """Arm -> pose; under `EVERY_ARM` where one pose is for all."""
        if written is None:
            return {}
        if isinstance(written, PoseFile):
            return {EVERY_ARM: self.pose(written, path)}
        return {arm: self.pose(pose, (*path, arm)) for arm, pose in written.items()}

    def turn(self, written: PoseFile | Mapping[str, PoseFile] | None) -> float:
        """By how much the frame of a pose is turned about the line's z [rad]; the first one's of several."""
        pose = next(iter(written.values()), None) if isinstance(written, Mapping) else written
        if pose is None or pose.frame not in self._T_line:
            return 0.0
        T = self._T_line[pose.frame]
        return atan2(T[1, 0], T[0, 0])

    def _resolve(self, name: str, below: tuple[str, ...]) -> Array | None:
        """T_line_frame; None where there is a finding, now or before."""
        frame = self._frames[name]
        if name in below:
            chain = " -> ".join((*below[below.index(name) :], name))
            where = self._sheet.span("frames", name, "frame")
            self._sheet.error(
                BAD_FRAME, where, f"the frame {name!r} stands in itself: {chain}", "break the circle"
            )
            return None
        if name in self._seen:
            return self._T_line.get(name)
        if len(below) == MOST_FRAMES:
            where = self._sheet.span("frames", name, "frame")
            message = f"the frame {name!r} stands at the end of more than {MOST_FRAMES} frames"
            self._sheet.error(BAD_FRAME, where, message, "give some of them in the line's frame")
            return None
        T_parent_frame = _matrix(frame)
        T_line_frame: Array | None = T_parent_frame
        if frame.frame in self._frames:
            T_line_parent = self._resolve(frame.frame, (*below, name))
            T_line_frame = None if T_line_parent is None else _composed(T_line_parent, T_parent_frame)
        elif frame.frame:
            self._unknown(frame.frame, ("frames", name), self._sheet)
        self._seen.add(name)
        if T_line_frame is not None:
            self._T_line[name] = T_line_frame
        return self._T_line.get(name)

    def _unknown(self, name: str, path: Path, sheet: Sheet) -> None:
        sheet.unknown(BAD_FRAME, sheet.span(*path, "frame"), "frame", name, self._sheet.keys("frames"))


def _composed(T_a_b: Array, T_b_c: Array) -> Array:
    from cellctl.motion.transforms import compose

    return compose(T_a_b, T_b_c)


def _matrix(written: PoseFile | FrameFile) -> Array:
    from cellctl.motion.transforms import from_xyz_euler

    return from_xyz_euler((written.x, written.y, written.z), (written.alpha, written.beta, written.gamma))
