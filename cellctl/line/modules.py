"""One module of a line file: its kind's options, its devices by role, its stations, tools and zones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from cellctl.device import Capability, Pose
from cellctl.errors import nearest
from cellctl.line.codes import (
    MISSING_ROLE,
    STATION_KEY,
    UNKNOWN_KIND,
    UNKNOWN_ROLE,
    WHICH_DEVICE,
)
from cellctl.line.file import ModuleFile, StationFile, ToolFile
from cellctl.line.model import Grid, Module, Station, Tool
from cellctl.line.names import Names, references
from cellctl.line.poses import Frames
from cellctl.sheet import Path, suggestion
from cellctl.skill import KindDeclaration


class _Kind(BaseModel):
    """Only the key that says which kind it is; the others cannot be judged without it."""

    model_config = ConfigDict(extra="ignore")

    kind: str


@dataclass(frozen=True)
class Draft:
    """A module that is right in itself, before it is known in which process it runs."""

    module: Module
    uses: tuple[str, ...]  # the devices that it names, full names
    bus: str
    points: tuple[tuple[str, Path], ...] = ()  # eyes and stoppers, and where they are named


class ModuleReader:
    """Reads modules one by one; all that they may refer to is known already."""

    def __init__(
        self,
        names: Names,
        kinds: Mapping[str, KindDeclaration],
        frames: Frames,
        tools: Mapping[str, ToolFile],
        taught: Mapping[str, Mapping[str, Pose]],
    ) -> None:
        self.names, self.sheet = names, names.sheet
        self.kinds, self.frames, self.tools, self.taught = kinds, frames, tools, taught
        self.arms = tuple(name for name in names.modules if self._is_arm(name))

    def read(self, name: str) -> Draft | None:
        """The module of this name; None after findings."""
        path: Path = ("modules", name)
        kind = self._kind(path)
        if kind is None:
            return None
        its_own, its_kinds = self.sheet.parts(path, name, ModuleFile.model_fields, kind.options.model_fields)
        written = self.sheet.read_node(ModuleFile, its_own, name)
        options = self.sheet.read_node(kind.options, its_kinds, name)
        devices = self._devices(name, kind)
        stations = tuple(self._stations(name, kind, devices))
        if written is None or options is None:
            return None
        options = self.names.resolved(options, name, path)
        module = Module(
            name,
            kind,
            options,
            process="",
            devices=devices,
            stations=stations,
            tools=self._tools(name, kind),
            at=(self.names.station(written.at, name, (*path, "at")) or "") if written.at else "",
            zones=tuple(self.names.zone(z, (*path, "zones", i)) for i, z in enumerate(written.zones)),
        )
        return Draft(module, tuple(_uses(module, options)), written.bus, tuple(_points(stations)))

    def _kind(self, path: Path) -> KindDeclaration | None:
        head = self.sheet.read(_Kind, *path)
        if head is None:
            return None
        if head.kind not in self.kinds:
            self.sheet.unknown(UNKNOWN_KIND, self.sheet.span(*path, "kind"), "kind", head.kind, self.kinds)
        return self.kinds.get(head.kind)

    def _is_arm(self, module: str) -> bool:
        node = self.sheet.node("modules", module, "kind").plain
        kind = self.kinds.get(node) if isinstance(node, str) else None
        return kind is None or Capability.ROBOT_ARM in kind.devices.values()

    # --- devices and tools ------------------------------------------------------------------------------------

    def _devices(self, module: str, kind: KindDeclaration) -> dict[str, str]:
        path: Path = ("modules", module, "devices")
        found: dict[str, str] = {}
        for role in self.sheet.keys(*path):
            shared = self.sheet.node(*path, role).plain
            is_shared = isinstance(shared, str)
            full = self.names.device(str(shared), module, (*path, role)) if is_shared else f"{module}.{role}"
            if full is None or full not in self.names.devices:
                continue
            self._check_role(role, full, kind, path)
            found[role] = full
        strange = [role for role in self.sheet.keys(*path) if not _capabilities(kind, role)]
        for role, capability in kind.devices.items():
            is_there = role.endswith("*") or role in self.sheet.keys(*path)
            is_misnamed = any(self._may_be(found[each], capability) for each in strange if each in found)
            if not is_there and not is_misnamed and not nearest(role, strange):  # which have their findings
                where = self.sheet.key_span("modules", module)
                advice = f"add devices: {{{role}: {{use: ...}}}}"
                self.sheet.error(MISSING_ROLE, where, f"{module!r} lacks the {capability} {role!r}", advice)
        return found

    def _check_role(self, role: str, full: str, kind: KindDeclaration, path: Path) -> None:
        fitting = _capabilities(kind, role)
        if not fitting:
            where = self.sheet.key_span(*path, role)
            meant = [each for each, needed in kind.devices.items() if self._may_be(full, needed)]
            advice = f"call it {meant[0]!r}" if len(meant) == 1 else suggestion(role, kind.devices)
            self.sheet.error(
                UNKNOWN_ROLE, where, f"the kind {kind.name} has no device called {role!r}", advice
            )
            return
        declaration = self.names.devices[full].declaration
        if declaration is None or declaration.capability not in fitting:
            self.names.demand(full, fitting[0], (*path, role), f"the role {role!r} of {kind.name}")

    def _tools(self, module: str, kind: KindDeclaration) -> tuple[Tool, ...]:
        path: Path = ("modules", module, "tools")
        found = []
        if self.sheet.keys(*path) and Capability.ROBOT_ARM not in kind.devices.values():
            where = self.sheet.key_span(*path)
            self.sheet.error(
                UNKNOWN_ROLE, where, f"the kind {kind.name} wears no tools", "tools belong to an arm"
            )
        for name in self.sheet.keys(*path):
            full = f"{module}.{name}"
            if full not in self.tools or not self.names.demand(
                full, Capability.GRIPPER, (*path, name, "use"), "a tool"
            ):
                continue
            found.append(Tool(full, full, self.tools[full].length, self.tools[full].mass))
        return tuple(found)

    # --- stations -----------------------------------------------------------------------------------------------

    def _stations(self, module: str, kind: KindDeclaration, devices: Mapping[str, str]) -> Iterator[Station]:
        for name in self.sheet.keys("modules", module, "stations"):
            path: Path = ("modules", module, "stations", name)
            keys = kind.stations.allowed | kind.stations.required
            own = kind.stations.options
            common, further = self.sheet.parts(
                path,
                name,
                [k for k in StationFile.model_fields if k in keys],
                own.model_fields if own else (),
            )
            for key in sorted(kind.stations.required.difference(self.sheet.keys(*path))):
                message = f"{name!r} lacks the key {key!r}, which every station of a {kind.name} has"
                self.sheet.error(STATION_KEY, self.sheet.key_span(*path), message, f"add {key}: ...")
            written = self.sheet.read_node(StationFile, common, name)
            options = self.sheet.read_node(own, further, name) if own else None
            if written is not None:
                resolved = self.names.resolved(options, module, path) if options else None
                yield self._station(module, name, written, resolved, kind, devices)

    def _station(
        self,
        module: str,
        name: str,
        written: StationFile,
        options: BaseModel | None,
        kind: KindDeclaration,
        devices: Mapping[str, str],
    ) -> Station:
        path, full = ("modules", module, "stations", name), f"{module}.{name}"
        grid = written.grid
        if isinstance(written.pose, dict):
            for arm in written.pose:
                self.names.module(arm, self.sheet.key_span(*path, "pose", arm), self.arms, "arm")
        return Station(
            full,
            module,
            capacity=max(written.capacity, grid.columns * grid.rows if grid else 1),
            poses={**self.frames.poses(written.pose, (*path, "pose")), **self.taught.get(full, {})},
            approach=written.approach,
            via=tuple(self.frames.pose(via, (*path, "via", index)) for index, via in enumerate(written.via)),
            grid=self._grid(written),
            source=self.names.material(written.source, (*path, "source")),
            sink=written.sink,
            at=written.at,
            eye=self._point(written.eye, module, (*path, "eye"), output=False),
            stopper=self._point(written.stopper, module, (*path, "stopper"), output=True),
            device=self._station_device(written.device, module, path, kind, devices),
            zone=self.names.zone(written.zone, (*path, "zone")),
            options=options,
        )

    def _grid(self, written: StationFile) -> Grid | None:
        grid = written.grid
        if grid is None:
            return None
        return Grid(
            grid.columns, grid.rows, grid.column_pitch, grid.row_pitch, self.frames.turn(written.pose)
        )

    def _point(self, text: str, module: str, path: Path, output: bool) -> str:
        return (self.names.point(text, module, path, output) or "") if text else ""

    def _station_device(
        self, text: str, module: str, path: Path, kind: KindDeclaration, devices: Mapping[str, str]
    ) -> str:
        """The device that serves the station; where the module has only one that can, that one."""
        if text:
            full = self.names.device(text, module, (*path, "device"))
            if full is not None and full not in devices.values():
                where = self.sheet.span(*path, "device")
                message = f"{text!r} is no device of the module {module!r}"
                self.sheet.error(WHICH_DEVICE, where, message, suggestion(text, devices))
            return full or ""
        serving = kind.devices.get("*")
        if "device" not in kind.stations.allowed or serving is None:
            return ""
        can = [full for full in devices.values() if self._may_be(full, serving)]
        if len(can) > 1:
            roles = ", ".join(role for role, full in devices.items() if full in can)
            where = self.sheet.key_span(*path)
            message = f"{path[-1]!r} does not say which of the devices of {module!r} serves it"
            self.sheet.error(WHICH_DEVICE, where, message, f"add device: ...; one of {roles}")
        return can[0] if len(can) == 1 else ""

    def _may_be(self, device: str, capability: str) -> bool:
        declaration = self.names.devices[device].declaration
        return declaration is None or declaration.capability == capability


def _capabilities(kind: KindDeclaration, role: str) -> list[str]:
    """What a device of this name may be: its role's capability, and those of roles that take any number."""
    return [
        capability
        for pattern, capability in kind.devices.items()
        if pattern == role or (pattern.endswith("*") and role.startswith(pattern[:-1]))
    ]


def _points(stations: Iterable[Station]) -> Iterator[tuple[str, Path]]:
    for station in stations:
        module, _, name = station.name.partition(".")
        path: Path = ("modules", module, "stations", name)
        for key, point in (("eye", station.eye), ("stopper", station.stopper)):
            if point:
                yield point, (*path, key)
        if station.options is not None:
            yield from ((r.name, r.path) for r in references(station.options, path) if r.kind == "point")


def _uses(module: Module, options: BaseModel) -> Iterator[str]:
    yield from module.devices.values()
    yield from (tool.device for tool in module.tools)
    for station in module.stations:
        yield from (point.rpartition(".")[0] for point in (station.eye, station.stopper) if point)
        if station.options is not None:
            yield from (referred.device for referred in references(station.options) if referred.device)
    yield from (referred.device for referred in references(options) if referred.device)
