"""The bodies of what clients ask, one structure for each; and what is wrong with one, in words for who sent it."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

import msgspec

from cellctl.errors import Refused, UnknownName
from cellctl.flow.state import Turn

MOST = 1_000_000  # pieces of an order or a lot; also the highest priority, and below zero the lowest
MOST_TURNS = 1000  # of one module
LONGEST_NOTE = 2000  # characters
SHOWN = 40  # characters of a value that is refused

Body = dict[str, Any]
B = TypeVar("B", bound="Asked")

Name = Annotated[  # printed everywhere
    str,
    msgspec.Meta(
        min_length=1,
        max_length=64,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="a name of 1 to 64 printable characters",
    ),
]
Text = Annotated[str, msgspec.Meta(description="a text")]
Note = Annotated[
    str, msgspec.Meta(max_length=LONGEST_NOTE, description=f"a text of at most {LONGEST_NOTE} characters")
]
Pieces = Annotated[int, msgspec.Meta(ge=-MOST, le=MOST, description=f"a whole number of at most {MOST}")]
Priority = Annotated[
    int, msgspec.Meta(ge=-MOST, le=MOST, description=f"a whole number from -{MOST} to {MOST}")
]
Number = Annotated[int, msgspec.Meta(ge=0, le=2**53, description="a number")]
YesOrNo = Annotated[bool, msgspec.Meta(description="yes or no (true, false)")]
Texts = Annotated[dict[Name, str], msgspec.Meta(description="texts by name")]
Turns = Annotated[
    dict[Name, Annotated[tuple[Turn, ...], msgspec.Meta(max_length=MOST_TURNS)]],
    msgspec.Meta(description=f"for each module at most {MOST_TURNS} turns, each with its step"),
]


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of one verb."""


class Nothing(Asked, frozen=True):
    """Verbs that say all by themselves."""


class OrderBody(Asked, frozen=True):
    order: Name
    text: Text  # the recipe file's text
    source: Text  # its name, for messages
    variant: Text
    quantity: Pieces
    priority: Priority = 0
    included: Texts = {}  # the texts of the sub-recipes that it includes, by name
    parts: Text = ""  # YAML: for each part the values of parameters that are its own
    parts_source: Text = "parts"
    turns: Turns = {}


class OfOrder(Asked, frozen=True):
    order: Name


class PriorityBody(Asked, frozen=True):
    order: Name
    priority: Priority


class DrainBody(Asked, frozen=True):
    off: YesOrNo = False


class LoadBody(Asked, frozen=True):
    material: Text
    station: Text
    lot: Name
    quantity: Pieces


class OfModule(Asked, frozen=True):
    module: Name


class CommandBody(Asked, frozen=True):
    command: Text
    module: Text = ""  # "": the whole line


class ModeBody(Asked, frozen=True):
    module: Name
    mode: Text


class SettleBody(Asked, frozen=True):
    module: Name
    question: Number
    choice: Text
    note: Note = ""


class DecideBody(Asked, frozen=True):
    part: Name
    choice: Text


class CorrectBody(Asked, frozen=True):
    item: Name
    place: Text = ""  # "": it is not on the line
    note: Note = ""


class AcceptBody(Asked, frozen=True):
    module: Name
    note: Note = ""


def read(kind: type[B], body: Body) -> B:
    """The body of a request. Raises Refused, UnknownName, which say what is wrong with it."""
    fields = _fields(kind)
    for name in body:
        if name not in fields:
            raise UnknownName("field of this request", name, fields)
    for name, (described, is_needed, type_) in fields.items():
        if name in body:
            _check(name, body[name], type_, described)
        elif is_needed:
            raise Refused(f"the request lacks {name!r}: {described}")
    return msgspec.convert(body, kind)


@cache
def _fields(kind: type[Asked]) -> dict[str, tuple[str, bool, Any]]:
    """Field -> what it is, in words; whether it must be said; its type."""
    types = get_type_hints(kind, include_extras=True)
    return {
        field.name: (_described(types[field.name]), field.required, types[field.name])
        for field in msgspec.structs.fields(kind)
    }


def _described(type_: Any) -> str:
    meta = next(each for each in get_args(type_) if isinstance(each, msgspec.Meta))
    return str(meta.description)


def _check(name: str, value: object, type_: Any, described: str) -> None:
    try:
        msgspec.convert(value, type_)
    except msgspec.ValidationError:
        raise Refused(f"{name} is {_shown(value)}; it should be {described}") from None


def _shown(value: object) -> str:
    if value is None or isinstance(value, bool):
        return "nothing" if value is None else str(value).lower()
    text = ascii(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
