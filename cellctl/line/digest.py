"""The hash of a line: of what its files say, however they say it.

Comments, layout, the order of keys that are words of the format, how a quantity is written (`0.8 s`, `800 ms`), and a
default that is written out make no difference. The order of names that people give is kept: devices are prepared and
processes get their ports in that order, and a program's values go to the controller in it. Only materials, arms of a
pose and what the simulator alone needs have none.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeAlias

from pydantic import BaseModel

from cellctl.device import DriverDeclaration
from cellctl.line.model import Line
from cellctl.skill import KindDeclaration

Plain: TypeAlias = "str | int | float | bool | list[Plain] | dict[str, Plain] | None"

UNORDERED = {"materials", "poses", "simulated"}
DIGITS = 12  # of a number; a pose in a frame has its last bits from the processor


def digest_of(line: Line) -> str:
    """The hash of everything in the line but its own digest."""
    said = _fields(dataclasses.replace(line, digest=""))
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def _fields(value: Any) -> dict[str, Plain]:
    """The fields that are not as they usually are, by name; a later release may add some without changing a hash."""
    found = {}
    for name, usual in sorted(_usual(value)):
        given = getattr(value, name)
        if given != usual:
            is_ordered = name not in UNORDERED
            found[name] = _said(given, is_ordered)
    return found


def _usual(value: Any) -> list[tuple[str, Any]]:
    """The names of its fields, with their defaults."""
    if isinstance(value, BaseModel):
        return [
            *(
                (name, field.get_default(call_default_factory=True))
                for name, field in type(value).model_fields.items()
            ),
            *((name, None) for name in value.model_extra or ()),
        ]
    return [(field.name, _default(field)) for field in dataclasses.fields(value)]


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _said(value: Any, is_ordered: bool = True) -> Plain:
    match value:
        case KindDeclaration() | DriverDeclaration():
            return value.name
        case Enum():
            return str(value.value)
        case bool() | str() | None:
            return value
        case int() | float():  # 1 and 1.0 are the same
            return str(value) if isinstance(value, int) else f"{value:.{DIGITS}g}"
        case Mapping():
            pairs: list[Plain] = [[str(name), _said(each, is_ordered)] for name, each in value.items()]
            return pairs if is_ordered else sorted(pairs, key=str)
        case list() | tuple():
            return [_said(each, is_ordered) for each in value]
        case _ if isinstance(value, BaseModel) or dataclasses.is_dataclass(value):
            return _fields(value)
        case _:
            return str(value)
