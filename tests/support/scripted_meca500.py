"""The controller of a Meca500 with its gripper, scripted: what it answers, and when."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import Any

from cellctl.device import Pose

Messages = Sequence[tuple[float, str]]


class Controller:
    """Knows the commands that the driver sends; a motion takes a second, the gripper 0.2 s."""

    def __init__(self, texts_link: Any) -> None:
        self.link = texts_link(self.answer)
        self.activated = self.homed = True
        self.error = self.paused = False
        self.firmware, self.fails, self.loses = "v11.3.0", "", False
        self.gripper = "open"  # open, closed, holding, between, moving
        self.part = True
        self.tool = "1,0,0"  # homed, error, overheat
        self.queue: list[str] = []
        self.moves_until = 0.0
        self.takes = 1.0  # [s] a motion

    def answer(self, text: str) -> Messages:
        name, _, arguments = text.partition("(")
        arguments = arguments.rstrip(")")
        match name:
            case "GetFwVersion":
                return [(0.001, f"[2081][{self.firmware}]")]
            case "GetStatusRobot":
                stands = asyncio.get_running_loop().time() >= self.moves_until
                flags = (self.activated, self.homed, False, self.error, self.paused, stands, stands)
                return [(0.001, f"[2007][{','.join(str(int(flag)) for flag in flags)}]")]
            case "ClearMotion" | "PauseMotion":
                self.paused, self.queue = True, []
                return [(0.001, "[2044][Cleared]" if name == "ClearMotion" else "[2042][Paused]")]
            case "ResumeMotion":
                self.paused = False
                return [(0.001, "[2043][Resumed]")]
            case "ResetError":
                self.error, self.paused = False, True
                return [(0.001, "[2005][Reset]")]
            case "ActivateRobot":
                self.activated = True
                return [(2.0, "[2000][Activated]")]
            case "Home":
                self.homed = True
                return [(3.0, "[2002][Homed]")]
            case "GetRtExtToolStatus":
                return [(0.001, f"[2300][1,0,10,{self.tool}]")]
            case "GetRtGripperState":
                state = {"open": "0,1,0,1", "closed": "0,1,1,0", "holding": "1,0,0,0", "between": "0,0,0,0"}
                return [(0.001, f"[2320][1,{state.get(self.gripper, '0,0,0,0')}]")]
            case "GetRtTargetCartPos":
                return [(0.001, "[2201][123456,200,-110,30,180,0,0]")]
            case "GetRtTargetJointPos":
                return [(0.001, "[2200][123456,10,20,30,40,50,60]")]
            case "SetCheckpoint":
                return self.reach(arguments)
            case "ConnectionWatchdog" | "SetEob":
                return []
        self.queue.append(text)
        return []

    def reach(self, mark: str) -> Messages:
        if self.fails:
            self.error = True
            return [(0.1, self.fails)]
        if self.loses:
            self.moves_until = math.inf
            return []
        moves = any(text.startswith("Move") for text in self.queue)
        for text in self.queue:
            if text in ("GripperClose", "GripperOpen"):
                ends = "open" if text == "GripperOpen" else "holding" if self.part else "closed"
                asyncio.get_running_loop().call_later(0.2, setattr, self, "gripper", ends)
        self.queue = []
        seconds = self.takes if moves else 0.001
        self.moves_until = asyncio.get_running_loop().time() + seconds
        return [(seconds, f"[3030][{mark}]")]

    @property
    def sent(self) -> list[str]:
        texts: list[str] = self.link.sent
        return texts

    def actuations(self) -> list[str]:
        return [text for text in self.sent if text.startswith(("Move", "Gripper", "Home", "Activate"))]


POSE = Pose(0.2, -0.11, 0.03, math.pi, 0.0, 0.0)
