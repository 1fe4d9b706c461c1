"""What is plugged in: kinds and drivers by entry point, as declarations; their code only when a process runs it.

Entry points name a `KindDeclaration` (group "cellctl.kinds") or a `DriverDeclaration` ("cellctl.drivers"). The name
of the entry point, the name in the declaration and the word in the line file are the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from cellctl.device import DriverDeclaration
from cellctl.errors import PlugInError
from cellctl.skill import KindDeclaration

KINDS, DRIVERS = "cellctl.kinds", "cellctl.drivers"

D = TypeVar("D", KindDeclaration, DriverDeclaration)


def load_kinds() -> dict[str, KindDeclaration]:
    """Every kind of module that is installed, by name.

    Raises PlugInError, naming the distribution, for one that cannot be loaded or whose name is given twice.
    """
    return declarations(KINDS, KindDeclaration, entry_points(group=KINDS))


def load_drivers() -> dict[str, DriverDeclaration]:
    """Every driver that is installed, by name. Raises PlugInError like `load_kinds`."""
    return declarations(DRIVERS, DriverDeclaration, entry_points(group=DRIVERS))


def load_both() -> tuple[dict[str, KindDeclaration], dict[str, DriverDeclaration]]:
    """Kinds and drivers, looking once through all that is installed, which takes some milliseconds."""
    found = entry_points()
    kinds, drivers = found.select(group=KINDS), found.select(group=DRIVERS)
    return declarations(KINDS, KindDeclaration, kinds), declarations(DRIVERS, DriverDeclaration, drivers)


def declarations(group: str, expected: type[D], found: Iterable[EntryPoint]) -> dict[str, D]:
    """The declarations that entry points of one group name, sorted by name. Raises PlugInError."""
    owners: dict[str, EntryPoint] = {}
    for point in sorted(found, key=lambda point: (point.name, point.value)):
        other = owners.setdefault(point.name, point)
        if other is not point and _identity(other) != _identity(point):
            raise PlugInError(
                f"{group}: {point.name!r} is given by {distribution_of(other)} ({other.value}) and by "
                f"{distribution_of(point)} ({point.value}); uninstall one of them"
            )
    return {name: _declaration(group, expected, point) for name, point in owners.items()}


def _identity(point: EntryPoint) -> tuple[str, str, str]:
    return point.name, point.value, distribution_of(point)


def load_code(reference: str) -> Any:
    """The object that `package.module:name` names: the class of a kind or driver. Raises PlugInError."""
    module, _, name = reference.partition(":")
    if not module or not name:
        raise PlugInError(f"{reference!r} names no code; write it as package.module:Class")
    try:
        found = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except Exception as error:  # a plug-in may raise anything while it is imported
        raise PlugInError(f"{reference} cannot be loaded: {_said(error)}") from error
    return found


def distribution_of(point: EntryPoint) -> str:
    """The installed distribution that brings an entry point, with its version."""
    return f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown distribution"


def _declaration(group: str, expected: type[D], point: EntryPoint) -> D:
    try:
        declared = point.load()
    except Exception as error:  # a plug-in may raise anything while it is imported
        raise PlugInError(
            f"{group}: {point.name!r} of {distribution_of(point)} ({point.value}) cannot be loaded: {_said(error)}"
        ) from error
    if not isinstance(declared, expected):
        raise PlugInError(
            f"{group}: {point.name!r} of {distribution_of(point)} ({point.value}) is a {type(declared).__name__}; "
            f"it must name a {expected.__name__}"
        )
    if declared.name != point.name:
        raise PlugInError(
            f"{group}: {point.name!r} of {distribution_of(point)} declares the name {declared.name!r}; "
            "entry point and declaration must have the same name"
        )
    return declared


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
