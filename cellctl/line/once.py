"""What many recipes ask of one line alike, worked out once for that line."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar, TypeVarTuple

from cellctl.line.model import Line

Args = TypeVarTuple("Args")
R = TypeVar("R")

MOST = 4096  # answers to one question that are kept; the one that was longest not asked for goes first


def once(function: Callable[[Line, *Args], R]) -> Callable[[Line, *Args], R]:
    """The pure `function` of a line and arguments that can be hashed, its answers kept as long as the line lives."""

    def asked(line: Line, *args: *Args) -> R:
        if function not in line.answers:
            line.answers[function] = lru_cache(MOST)(lambda *given: function(line, *given))
        found: R = line.answers[function](*args)
        return found

    asked.__doc__ = function.__doc__
    return asked
