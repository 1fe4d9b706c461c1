"""The grammar of a Mecademic controller: commands `Name(a,b)`, replies `[code][values]`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_COMMAND = re.compile(r"\s*[-~]?\s*([A-Za-z][A-Za-z0-9_]*)\s*(?:\((.*)\))?\s*", re.DOTALL)
LONGEST = 4096  # characters in a command; longer ones are refused with 3003


class BadCommand(Exception):
    """A command that cannot be read; `code` is the controller's error."""

    def __init__(self, code: int, text: str) -> None:
        self.code, self.text = code, text
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Order:
    """One command: its name in lower case, and its arguments as they were written."""

    name: str
    arguments: tuple[str, ...]

    def numbers(self, count: int) -> tuple[float, ...]:
        """Exactly `count` finite numbers. Raises BadCommand (1003)."""
        try:
            values = tuple(float(argument) for argument in self.arguments)
        except ValueError:
            raise BadCommand(1003, "Argument error.") from None
        if len(values) != count or not all(abs(value) < 1e9 for value in values):
            raise BadCommand(1003, "Argument error.")
        return values

    def number(self, lower: float, upper: float) -> float:
        """One number within limits. Raises BadCommand (1003)."""
        (value,) = self.numbers(1)
        if not lower <= value <= upper:
            raise BadCommand(1003, "Argument error.")
        return value


@lru_cache(maxsize=1024)  # clients say the same again and again
def read_order(text: str) -> Order:
    """Read a command. Raises BadCommand: 3003 too long, 1002 not of this form."""
    if len(text) > LONGEST:
        raise BadCommand(3003, "Command was too long.")
    found = _COMMAND.fullmatch(text)
    if not found:
        raise BadCommand(1002, "Syntax error.")
    inside = found[2]
    arguments = tuple(part.strip() for part in inside.split(",")) if inside and inside.strip() else ()
    return Order(found[1].lower(), arguments)


def reply(code: int, *values: object) -> str:
    """`[2007][1,1,0,0,0,1,1]`; numbers with a fraction are written to five digits."""
    return f"[{code}][{','.join(map(_shown, values))}]"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:.5f}" if isinstance(value, float) else str(value)
