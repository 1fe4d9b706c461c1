"""A line file -> the `Line` that everybody inside sees, or findings that say why not; never an exception."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path as FilePath

from cellctl.device import DriverDeclaration, Point, Pose
from cellctl.errors import UnknownName
from cellctl.findings import Related, Report
from cellctl.line.carriers import read_carriers
from cellctl.line.codes import (
    BAD_BUS,
    BAD_POINT,
    NAME_TAKEN,
    POINT_TWICE,
    TAUGHT_IN_VAIN,
    UNUSED_DEVICE,
    UNWATCHED_SAFETY,
)
from cellctl.line.devices import read_devices
from cellctl.line.digest import digest_of
from cellctl.line.endpoints import check_endpoints
from cellctl.line.file import LineFile, TaughtFile
from cellctl.line.model import Device, Line, Material, Module, Process, SafetyInput
from cellctl.line.modules import Draft, ModuleReader
from cellctl.line.names import Names, references
from cellctl.line.poses import Frames
from cellctl.line.processes import LAST_PORT, BusAddress, Group, group_by_devices
from cellctl.line.space import check_space
from cellctl.sheet import Path, Sheet
from cellctl.skill import KindDeclaration
from cellctl.yamlsource import load

RUNNER = "runner"


def load_line(
    path: FilePath,
    report: Report,
    kinds: Mapping[str, KindDeclaration],
    drivers: Mapping[str, DriverDeclaration],
) -> Line | None:
    """The line in the file at `path`, with the values taught at it; None after findings in `report`."""
    root = load(path, report)
    if root is None:
        return None
    sheet = Sheet.just_read(root, report)
    head = sheet.read(LineFile)
    frames = Frames(sheet, head.frames if head else {})
    names = Names(sheet, drivers)
    taught, taught_sheet = _taught(path, report, frames, names)
    devices, tools = read_devices(names, drivers)
    reader = ModuleReader(names, kinds, frames, tools, taught)
    drafts = [draft for name in names.modules if (draft := reader.read(name))]
    if taught_sheet is not None:
        _check_taught(taught_sheet, names, reader.arms)
    if head is None:
        return None
    is_whole = sheet.is_well and (taught_sheet is None or taught_sheet.is_well)
    line = _Assembly(sheet, head, names, drafts, devices).line()
    return replace(line, digest=digest_of(line)) if is_whole and sheet.is_well else None


def taught_path(path: FilePath) -> FilePath:
    """The file of the values taught at the line of the file at `path`."""
    return path.with_name(f"{path.stem}.taught.yaml")


def _taught(
    path: FilePath, report: Report, frames: Frames, names: Names
) -> tuple[dict[str, dict[str, Pose]], Sheet | None]:
    """Station -> arm -> pose as it was taught, and the sheet of the file where there is one."""
    beside = taught_path(path)
    if not beside.exists():
        return {}, None
    root = load(beside, report)
    if root is None:
        names.sheet.mistakes += 1
        return {}, None
    sheet = Sheet.just_read(root, report)
    file = sheet.read(TaughtFile)
    if file is None:
        return {}, sheet
    if file.line != names.sheet.node("line").plain:
        message = f"these values were taught at the line {file.line!r}"
        sheet.error(TAUGHT_IN_VAIN, sheet.span("line"), message, "teach this line's own, or rename it")
    return {
        station: {arm: frames.pose(pose, ("stations", station, arm), sheet) for arm, pose in by_arm.items()}
        for station, by_arm in file.stations.items()
    }, sheet


def _check_taught(sheet: Sheet, names: Names, arms: Iterable[str]) -> None:
    for station in sheet.keys("stations"):
        if station not in names.stations:
            where = sheet.key_span("stations", station)
            sheet.unknown(TAUGHT_IN_VAIN, where, "station", station, names.stations)
        for arm in sheet.keys("stations", station):
            if arm not in arms:
                sheet.unknown(TAUGHT_IN_VAIN, sheet.key_span("stations", station, arm), "arm", arm, arms)


class _Assembly:
    """Puts together what was read: checks what concerns several parts at once, and builds the `Line`."""

    def __init__(
        self, sheet: Sheet, head: LineFile, names: Names, drafts: list[Draft], devices: Mapping[str, Device]
    ) -> None:
        self.sheet, self.head, self.names = sheet, head, names
        self.drafts, self.devices = {draft.module.name: draft for draft in drafts}, devices

    def line(self) -> Line:
        """The line, without its digest."""
        uses = {name: self._reached(draft.uses) for name, draft in self.drafts.items()}
        self._check_names()
        self._check_points()
        self._check_unused({device for used in uses.values() for device in used})
        groups = group_by_devices(uses)
        runner, processes = self._processes(groups)
        process_of = {module: group.name for group in groups for module in group.modules}
        modules: dict[str, Module] = {
            name: replace(draft.module, process=process_of[name]) for name, draft in self.drafts.items()
        }
        check_endpoints(self.names, self.devices, uses, process_of)
        check_space(self.sheet, modules.values())
        return Line(
            self.head.line,
            "",
            modules,
            self.devices,
            processes,
            runner,
            materials={
                name: Material(name, written.mass, written.height, written.stiffness)
                for name, written in self.head.materials.items()
            },
            carriers=read_carriers(self.names, self.head.carriers, modules),
            zones=tuple(self.head.zones),
            safety=self._safety(uses, process_of),
            work_in_process=self.head.runner.wip,
            restart=self.head.runner.restart or "",
        )

    def _reached(self, uses: Iterable[str]) -> list[str]:
        """The devices, and those behind which they stand."""
        found: dict[str, None] = {}
        waiting = list(uses)
        while waiting:
            name = waiting.pop(0)
            if name in found or name not in self.devices:
                continue
            found[name] = None
            waiting += [referred.device for referred in references(self.devices[name].options)]
        return list(found)

    def _check_names(self) -> None:
        for name in self.sheet.keys("devices"):
            if name in self.names.modules:
                other = Related(self.sheet.key_span("modules", name), "the module")
                message = f"a shared device and a module are both called {name!r}"
                self.sheet.error(
                    NAME_TAKEN, self.sheet.key_span("devices", name), message, "rename one", other
                )
        for module in self.names.modules:
            if module == RUNNER:
                where = self.sheet.key_span("modules", module)
                self.sheet.error(
                    NAME_TAKEN, where, f"{RUNNER!r} is the name of the line's runner", "rename the module"
                )
            for tool in set(self.sheet.keys("modules", module, "tools")):
                for section in ("devices", "stations"):
                    if tool in self.sheet.keys("modules", module, section):
                        where = self.sheet.key_span("modules", module, section, tool)
                        message = f"{module!r} has a tool and one of its {section} of the name {tool!r}"
                        self.sheet.error(NAME_TAKEN, where, message, "rename one")

    def _check_points(self) -> None:
        """Every input and output exists; no output serves two purposes, and no input is the eye of two stations."""
        at_stations = [point for draft in self.drafts.values() for point in draft.points]
        in_options = [
            (referred.name, referred.path)
            for name, device in self.devices.items()
            for referred in references(device.options, self.names.devices[name].path)
            if referred.kind == "point"
        ]
        first: dict[str, Path] = {}
        for point, path in (*at_stations, *in_options):
            self._check_number(point, path)
            is_shared = ".di" in point and (point, path) in in_options
            if point in first and not is_shared:
                other = Related(self.sheet.span(*first[point]), "here, too")
                message = f"{point!r} serves two purposes"
                self.sheet.error(POINT_TWICE, self.sheet.span(*path), message, "check the wiring list", other)
            first.setdefault(point, path)

    def _check_number(self, text: str, path: Path) -> None:
        """The device has so many inputs or outputs, where its driver's options say how many it has."""
        try:
            point = Point.parse(text)
        except UnknownName:
            return  # it has a finding
        what = "outputs" if point.is_output else "inputs"
        device = self.devices.get(point.device)
        count = getattr(device.options, what, None) if device else None
        if isinstance(count, int) and point.number >= count:
            letters = "do" if point.is_output else "di"
            advice = f"they are {letters}0 to {letters}{count - 1}" if count else ""
            message = f"{point.device!r} has {count} {what}, so there is no {text!r}"
            self.sheet.error(BAD_POINT, self.sheet.span(*path), message, advice)

    def _check_unused(self, used: set[str]) -> None:
        inputs = {safety.input.rpartition(".")[0] for safety in self.head.safety.values()}
        for name in self.sheet.keys("devices"):
            is_known = name in self.devices and len(self.drafts) == len(self.names.modules)
            if is_known and name not in used and name not in inputs:
                where = self.sheet.key_span("devices", name)
                self.sheet.report.warn(UNUSED_DEVICE, where, f"no module uses the device {name!r}")

    # --- processes --------------------------------------------------------------------------------------------

    def _processes(self, groups: Iterable[Group]) -> tuple[Process, dict[str, Process]]:
        start = self._address(self.head.runner.bus, ("runner", "bus"))
        taken: dict[tuple[str, int], str] = {}
        self._claim(start, RUNNER, ("runner", "bus"), taken)
        processes = {}
        for place, group in enumerate(groups, start=1):
            path: Path = ("runner", "bus")
            address = start.after(2 * place)
            for module in group.modules:
                if self.drafts[module].bus:
                    path = ("modules", module, "bus")
                    address = self._address(self.drafts[module].bus, path)
            self._claim(address, group.name, path, taken)
            processes[group.name] = Process(group.name, group.modules, address.commands, address.events)
        return Process(RUNNER, (), start.commands, start.events), processes

    def _address(self, text: str, path: Path) -> BusAddress:
        try:
            return BusAddress.parse(text)
        except ValueError as error:
            self.sheet.error(BAD_BUS, self.sheet.span(*path), str(error), "write it as tcp://127.0.0.1:5700")
            return BusAddress("0.0.0.0", 0)  # noqa: S104  (never used: the file is refused)

    def _claim(self, address: BusAddress, name: str, path: Path, taken: dict[tuple[str, int], str]) -> None:
        is_first = all(port <= LAST_PORT for _, port in taken)
        if address.port >= LAST_PORT and is_first:
            message = f"the process {name!r} would use port {address.port}; the last is {LAST_PORT}"
            self.sheet.error(BAD_BUS, self.sheet.span(*path), message, "choose lower ports")
        for port in (address.port, address.port + 1):
            other = taken.setdefault((address.host, port), name)
            if other != name and address.port:
                message = f"the processes {other!r} and {name!r} would both use port {port}"
                self.sheet.error(BAD_BUS, self.sheet.span(*path), message, "choose another port")
                return

    # --- the rest -----------------------------------------------------------------------------------------------

    def _safety(
        self, uses: Mapping[str, Iterable[str]], process_of: Mapping[str, str]
    ) -> tuple[SafetyInput, ...]:
        found = []
        for name, written in self.head.safety.items():
            path: Path = ("safety", name)
            point = self.names.point(written.input, "", (*path, "input"), output=False) or ""
            device = point.rpartition(".")[0]
            readers = [process_of[module] for module, used in uses.items() if device in used]
            if point:
                self._check_number(point, (*path, "input"))
            if point and not readers and len(self.drafts) == len(self.names.modules):
                where = self.sheet.span(*path, "input")
                message = f"no module uses {device!r}, so no process reads {written.input!r}"
                self.sheet.error(
                    UNWATCHED_SAFETY, where, message, "wire the input to an island that a module uses"
                )
            modules = tuple(
                self.names.module(module, self.sheet.span(*path, "modules", place), self.names.modules)
                for place, module in enumerate(written.modules)
            )
            found.append(SafetyInput(name, point, modules or self.names.modules, *readers[:1]))
        return tuple(found)
