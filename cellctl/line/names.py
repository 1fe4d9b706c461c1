"""The names in a line file: who is called what, and what a name means where it is used.

A name is looked for in its own module first, then in the line: in the module `belt`, `drive` and `belt.drive` are
the same device. That something exists is known before it is known to be right, so that one mistake is one finding.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel

from cellctl.device import Capability, DriverDeclaration, Point, Reference
from cellctl.errors import UnknownName
from cellctl.findings import Span
from cellctl.line.codes import (
    BAD_POINT,
    UNKNOWN_DEVICE,
    UNKNOWN_MATERIAL,
    UNKNOWN_MODULE,
    UNKNOWN_STATION,
    UNKNOWN_ZONE,
    WRONG_CAPABILITY,
)
from cellctl.sheet import Path, Sheet, suggestion
from cellctl.yamlsource import Mapping as MappingNode
from cellctl.yamlsource import Refused, Scalar

O = TypeVar("O", bound=BaseModel)  # noqa: E741


@dataclasses.dataclass(frozen=True)
class Written:
    """A device as far as it is known before anything is checked."""

    path: Path  # of its mapping in the file
    declaration: DriverDeclaration | None  # None: its driver is not known, which is a finding of its own


class Names:
    """What the file calls into being, and the look-ups in it; each that fails is a finding and gives None."""

    def __init__(self, sheet: Sheet, drivers: Mapping[str, DriverDeclaration]) -> None:
        self.sheet = sheet
        self._is_whole = sheet.is_well  # else a section may be missing only because its name is misspelt
        self.devices: dict[str, Written] = {}
        self._aliases: dict[str, str] = {}  # "belt.io" -> "io1"
        self.modules = sheet.keys("modules")
        self.zones = tuple(
            str(item.plain) for item in getattr(sheet.node("zones"), "items", ()) if sheet.has("zones")
        )
        self.materials = sheet.keys("materials")
        self.stations = [
            f"{module}.{name}"
            for module in self.modules
            for section in ("stations", "tools")
            for name in sheet.keys("modules", module, section)
        ]
        for name in sheet.keys("devices"):
            self._add(name, ("devices", name), drivers)
        for module in self.modules:
            for section in ("devices", "tools"):
                for name in sheet.keys("modules", module, section):
                    self._add(f"{module}.{name}", ("modules", module, section, name), drivers)

    def _add(self, name: str, path: Path, drivers: Mapping[str, DriverDeclaration]) -> None:
        match self.sheet.node(*path):
            case MappingNode(items={"use": Scalar(value=str(use))}):
                self.devices[name] = Written(path, drivers.get(use))
            case MappingNode():
                self.devices[name] = Written(path, None)
            case Scalar(value=str(shared)):
                self._aliases[name] = shared

    def _may_lack(self, section: str) -> bool:
        """True if a name may be missing there only because of a mistake that has its finding."""
        if not self.sheet.has(section):
            return not self._is_whole
        node = self.sheet.node(section)
        return isinstance(node, Refused) or (isinstance(node, MappingNode) and not node.is_whole)

    def device(self, text: str, scope: str, path: Path) -> str | None:
        """The full name of the device that `text` means in the module `scope` ("" for the line's own section)."""
        name = self._meant(text, scope)
        if name in self.devices:
            return name
        if self._may_lack("devices"):
            return None
        known = [each.removeprefix(f"{scope}.") if scope else each for each in self.devices]
        self.sheet.unknown(UNKNOWN_DEVICE, self.sheet.span(*path), "device", text, known)
        return None

    def _meant(self, text: str, scope: str) -> str:
        own = f"{scope}.{text}"
        name = own if own in self.devices or own in self._aliases else text
        return self._aliases.get(name, name)

    def demand(self, device: str, capability: str, path: Path, purpose: str) -> bool:
        """True unless the device is known to be something else than `capability`."""
        declaration = self.devices[device].declaration
        if declaration is None or declaration.capability == capability:
            return True
        what = f"{device!r} is a {declaration.capability} ({declaration.name}), but {purpose} needs a {capability}"
        fitting = [
            n for n, d in self.devices.items() if d.declaration and d.declaration.capability == capability
        ]
        self.sheet.error(
            WRONG_CAPABILITY, self.sheet.span(*path), what, suggestion(device, fitting) if fitting else ""
        )
        return False

    def point(
        self, text: str, scope: str, path: Path, output: bool | None = None, device: str = ""
    ) -> str | None:
        """The full name of an input or output; `output` says which it must be, `device` whose it is by default."""
        span = self.sheet.span(*path)
        try:
            point = Point.parse(text, device)
        except UnknownName:
            self.sheet.error(
                BAD_POINT, span, f"{text!r} is not an input or output", "write it as io1.di4 or io1.do4"
            )
            return None
        if output is not None and point.is_output is not output:
            wanted, letters = ("an output", "do") if output else ("an input", "di")
            advice = f"did you mean '{point.device}.{letters}{point.number}'?"
            self.sheet.error(BAD_POINT, span, f"{text!r} is not {wanted}", advice)
            return None
        owner = self.device(point.device, scope, path)
        if owner is None or not self.demand(owner, Capability.DIGITAL_IO, path, "an input or output"):
            return None
        return f"{owner}.{'do' if point.is_output else 'di'}{point.number}"

    def station(self, text: str, scope: str, path: Path) -> str | None:
        """The full name of a station."""
        if text in self.stations:
            return text
        if f"{scope}.{text}" in self.stations:
            return f"{scope}.{text}"
        if self._may_lack("modules"):
            return None
        same_end = [name for name in self.stations if name.partition(".")[2] == text]
        advice = f"did you mean {same_end[0]!r}?" if same_end else suggestion(text, self.stations)
        self.sheet.error(UNKNOWN_STATION, self.sheet.span(*path), f"no station is called {text!r}", advice)
        return None

    def zone(self, text: str, path: Path) -> str:
        """The zone."""
        if text and text not in self.zones and not self._may_lack("zones"):
            self.sheet.unknown(UNKNOWN_ZONE, self.sheet.span(*path), "zone", text, self.zones)
        return text

    def module(self, text: str, span: Span, among: tuple[str, ...], what: str = "module") -> str:
        """The module."""
        if text not in among:
            self.sheet.unknown(UNKNOWN_MODULE, span, what, text, among)
        return text

    def material(self, text: str, path: Path) -> str:
        """The material."""
        if text and text not in self.materials and not self._may_lack("materials"):
            self.sheet.unknown(UNKNOWN_MATERIAL, self.sheet.span(*path), "material", text, self.materials)
        return text

    def resolved(self, options: O, scope: str, path: Path) -> O:
        """The options with every reference in them replaced by its full name."""
        owners: list[str] = []

        def device(mark: Reference, text: str, where: Path) -> str:
            if mark.kind != "device" or not text:
                return text
            full = self.device(text, scope, where)
            if full and mark.capability:
                self.demand(full, mark.capability, where, f"{where[-1]!r}")
            owners.append(full or "")
            return full or text

        def other(mark: Reference, text: str, where: Path) -> str:
            if not text or mark.kind not in ("point", "station"):
                return text
            if mark.kind == "station":
                return self.station(text, scope, where) or text
            owner = owners[0] if len(set(owners)) == 1 else ""
            if "." not in text and owners == [""]:  # its device has a finding
                return text
            return self.point(text, scope, where, mark.is_output, device=owner) or text

        with_devices: O = _replaced(type(options), (), options, path, device)
        resolved: O = _replaced(type(options), (), with_devices, path, other)
        return resolved


Replace = Callable[[Reference, str, Path], str]


def _replaced(annotation: Any, marks: tuple[Any, ...], value: Any, path: Path, replace: Replace) -> Any:
    """`value` with each text that its annotation marks as a `Reference` replaced."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _replaced(arguments[0], (*marks, *arguments[1:]), value, path, replace)
    mark = next((mark for mark in marks if isinstance(mark, Reference)), None)
    if mark is not None and isinstance(value, str):
        return replace(mark, value, path)
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        update = {
            name: _replaced(
                field.annotation, tuple(field.metadata), getattr(value, name), (*path, name), replace
            )
            for name, field in fields.items()
        }
        return value.model_copy(update=update)
    if origin in (Union, UnionType):
        for member in arguments:  # a text is replaced once: its full name is no longer looked for
            value = _replaced(member, (), value, path, replace)
        return value
    if isinstance(value, dict) and len(arguments) == 2:
        return {key: _replaced(arguments[1], (), each, (*path, key), replace) for key, each in value.items()}
    if isinstance(value, list | tuple) and arguments:
        return type(value)(
            _replaced(arguments[0], (), each, (*path, place), replace) for place, each in enumerate(value)
        )
    return value


@dataclasses.dataclass(frozen=True, slots=True)
class Referred:
    """Something that options refer to: a "device", "point" or "station" by its name, and where."""

    kind: str
    name: str
    path: Path

    @property
    def device(self) -> str:
        """The device that it is, or whose input or output; "" for a station."""
        return {"device": self.name, "point": self.name.rpartition(".")[0]}.get(self.kind, "")


def references(options: BaseModel, path: Path = ()) -> list[Referred]:
    """What the options at `path` refer to, in order."""
    found: list[Referred] = []

    def note(mark: Reference, text: str, where: Path) -> str:
        if text:
            found.append(Referred(mark.kind, text, where))
        return text

    _replaced(type(options), (), options, path, note)
    return found
