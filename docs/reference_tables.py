"""Markdown for the reference: tables, pages, and the keys of a pydantic model as people write them."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Iterable

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cellctl.device import Reference
from cellctl.line.distributions import Law
from cellctl.written import Between, Measured, NamesOrUnits, OfDimension

Rows = Iterable[Iterable[object]]

PLAIN = {str: "text", int: "whole number", float: "number", bool: "`true` or `false`"}


def table(head: Iterable[str], rows: Rows) -> str:
    """A Markdown table."""
    names = list(head)
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: object) -> str:
    return " ".join(str(value).replace("|", "\\|").split())


def page(title: str, intro: str, *blocks: str) -> str:
    """A page that says where it comes from."""
    note = "<!-- written by docs/generate.py; change the code's table instead -->"
    return "\n\n".join([f"# {title}", note, intro, *blocks]) + "\n"


def doc(thing: object) -> str:
    """The docstring; of a class only its own."""
    own = vars(thing).get("__doc__") if isinstance(thing, type) else thing.__doc__
    return inspect.cleandoc(own or "")


# --- what people write --------------------------------------------------------------------------------------------


def settings(*models: type[BaseModel], only: Iterable[str] | None = None) -> str:
    """The keys of these models: what is written there, what holds when nothing is, and what it means."""
    rows = [
        (f"`{field.alias or name}`", _shape(field.annotation, field.metadata), _usual(field), _meaning(field))
        for model in models
        for name, field in model.model_fields.items()
        if only is None or name in only
    ]
    return table(("key", "what is written", "usually", "meaning"), rows) if rows else ""


def _meaning(field: FieldInfo) -> str:
    return field.description or ""


def _usual(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    extra = field.json_schema_extra
    value = extra["default"] if isinstance(extra, dict) and "default" in extra else field.default
    if value in ("", None, (), {}) or isinstance(value, BaseModel):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _shape(hint: object, metadata: Iterable[object] = ()) -> str:
    """What is written for a type, in words."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _shape(arguments[0], [*arguments[1:], *metadata])
    bounds = _bounds(metadata)
    for mark in metadata:
        if isinstance(mark, OfDimension):
            return f"{mark.dimension}{bounds}"
        if isinstance(mark, Measured):
            return "quantity"
        if isinstance(mark, NamesOrUnits):
            return "names, each with its unit; or a list of names"
        if isinstance(mark, Reference):
            return f"name of a {'device' if mark.kind == 'device' else 'point'}"
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(_shape(each) for each in arguments if each is not types.NoneType))
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in (tuple, list):
        return f"list of {_shape(arguments[0])}"
    if origin is dict:
        value = arguments[1]
        return "keys" if value is typing.Any else f"names, each with {_shape(value)}"
    if isinstance(hint, type) and issubclass(hint, Law):
        return "[distribution](#distribution)"
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return f"[{_noun(hint)}](#{_noun(hint).replace(' ', '-')})"
    return f"{PLAIN.get(typing.cast(type, hint), str(hint))}{bounds}"


def _noun(model: type[BaseModel]) -> str:
    return model.__name__.removesuffix("File").removesuffix("Options").lower()


def _bounds(metadata: Iterable[object]) -> str:
    for mark in metadata:
        if isinstance(mark, Between):
            return f", {mark.least} to {mark.greatest}"
    least = next((mark.ge for mark in metadata if hasattr(mark, "ge")), None)
    greatest = next((mark.le for mark in metadata if hasattr(mark, "le")), None)
    if least is None:
        return ""
    return f", {least} to {greatest}" if greatest is not None else f", at least {least}"


# --- the command line ---------------------------------------------------------------------------------------------


def command(path: str, found: click.Command) -> str:
    """A command with its arguments and options, and those below it."""
    words = [path, *(_argument(p) for p in found.params if isinstance(p, click.Argument))]
    if isinstance(found, click.Group):
        words.append("COMMAND")
    blocks = [f"{'###' if path.count(' ') > 1 else '##'} {path}", f"`{' '.join(words)}`"]
    told = inspect.cleandoc(found.help or "").splitlines()
    blocks.append("\n".join(f"`{line}`" if line.startswith("#") else line for line in told))
    options = [p for p in found.params if isinstance(p, click.Option) and not p.hidden]
    if options:
        rows = ((_option(p), _default(p), p.help or "") for p in options)
        blocks.append(table(("option", "usually", "meaning"), rows))
    if isinstance(found, click.Group):
        blocks += [command(f"{path} {name}", found.commands[name]) for name in sorted(found.commands)]
    return "\n\n".join(blocks)


def _argument(argument: click.Argument) -> str:
    if argument.metavar:
        return argument.metavar
    name = f"{argument.name}".upper()
    if isinstance(argument.type, click.Choice):
        name = "|".join(map(str, argument.type.choices))
    name = f"{name}..." if argument.nargs == -1 else name
    return name if argument.required else f"[{name}]"


def _option(option: click.Option) -> str:
    names = ", ".join([*option.opts, *option.secondary_opts])
    if option.is_flag:
        return f"`{names}`"
    value = option.metavar or (
        "|".join(map(str, option.type.choices))
        if isinstance(option.type, click.Choice)
        else option.type.name.upper().replace(" RANGE", "")
    )
    return f"`{names} {value}`" + (", needed" if option.required else "")


def _default(option: click.Option) -> str:
    value = option.default
    return f"`{value}`" if isinstance(value, str | int | float) and not option.is_flag and value != "" else ""
