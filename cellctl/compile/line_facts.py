"""A line as facts, by the keys of the line file and with units: for `cellctl.compile.difference`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from cellctl.compile.difference import Change, Fact, Item, differences
from cellctl.line.model import Carrier, Device, Grid, Line, Module, Station, Tool
from cellctl.units import Dimension, Quantity, UnreadableQuantity, parse


def compare_lines(old: Line, new: Line) -> tuple[Change, ...]:
    """The differences of two lines, the line's own first, then module by module."""
    changes: tuple[Change, ...] = ()
    for items in (_whole, _processes, _devices, _modules, _stations, _tools, _materials, _carriers, _safety):
        changes += differences(list(items(old)), list(items(new)))
    return changes


def _whole(line: Line) -> Iterator[Item]:
    facts = {"wip": line.work_in_process, "restart": line.restart, "zones": " and ".join(line.zones)}
    yield Item("line", "", _said(facts))


def _processes(line: Line) -> Iterator[Item]:
    for process in (line.runner, *line.processes.values()):
        facts = {"bus": process.commands, "events": process.events, "modules": " and ".join(process.modules)}
        yield Item("process", process.name, _said(facts))


def _devices(line: Line) -> Iterator[Item]:
    yield from (Item("device", device.name, _of_device(device)) for device in line.devices.values())


def _of_device(device: Device) -> dict[str, Fact]:
    simulated = {f"simulated.{key}": value for key, value in _flat(dict(device.simulated))}
    return {"use": device.declaration.name, **_options(device.options), **simulated}


def _modules(line: Line) -> Iterator[Item]:
    yield from (Item("module", module.name, _of_module(module)) for module in line.modules.values())


def _of_module(module: Module) -> dict[str, Fact]:
    facts = {"kind": module.kind.name, "at": module.at, "zones": " and ".join(module.zones)}
    devices = {f"devices.{role}": name for role, name in module.devices.items()}
    return _said(facts) | _options(module.options) | _said(devices)


def _stations(line: Line) -> Iterator[Item]:
    for module in line.modules.values():
        yield from (Item("station", station.name, _of_station(station)) for station in module.stations)


def _of_station(station: Station) -> dict[str, Fact]:
    names = ("source", "eye", "stopper", "device", "zone")
    facts: dict[str, Fact] = _said({name: getattr(station, name) for name in names})
    if station.at is not None:
        facts["at"] = _length(station.at)
    for arm, pose in station.poses.items():
        facts[f"pose for {arm}" if arm else "pose"] = pose
    if station.poses:
        facts["approach"] = _length(station.approach)
    facts |= {f"via {n}": pose for n, pose in enumerate(station.via, start=1)}
    facts |= _said({"capacity": 0 if station.capacity == 1 else station.capacity, "sink": station.sink})
    facts |= _of_grid(station.grid)
    own: dict[str, Fact] = _options(station.options) if station.options else {}
    return {**facts, **own}


def _of_grid(grid: Grid | None) -> dict[str, Fact]:
    if grid is None:
        return {}
    turn: dict[str, Fact] = {"grid.turn": Quantity(grid.turn, Dimension.ANGLE)} if grid.turn else {}
    return {
        "grid.columns": grid.columns,
        "grid.rows": grid.rows,
        "grid.column_pitch": _length(grid.column_pitch),
        "grid.row_pitch": _length(grid.row_pitch),
        **turn,
    }


def _tools(line: Line) -> Iterator[Item]:
    for module in line.modules.values():
        yield from (Item("tool", tool.name, _of_tool(tool)) for tool in module.tools)


def _of_tool(tool: Tool) -> dict[str, Fact]:
    return {"length": _length(tool.length), "mass": Quantity(tool.mass, Dimension.MASS)}


def _materials(line: Line) -> Iterator[Item]:
    for material in line.materials.values():
        facts: dict[str, Fact] = {
            "mass": Quantity(material.mass, Dimension.MASS),
            "height": _length(material.height),
            "stiffness": Quantity(material.stiffness, Dimension.STIFFNESS),
        }
        yield Item("material", material.name, facts)


def _carriers(line: Line) -> Iterator[Item]:
    yield from (Item("carrier", carrier.id, _of_carrier(carrier)) for carrier in line.carriers)


def _of_carrier(carrier: Carrier) -> dict[str, Fact]:
    return {"nests": carrier.nests, "home": carrier.home, **_of_grid(carrier.grid)}


def _safety(line: Line) -> Iterator[Item]:
    for safety in line.safety:
        facts = {"input": safety.point, "modules": " and ".join(safety.modules), "process": safety.process}
        yield Item("safety", safety.name, _said(facts))


# --- from models to facts -------------------------------------------------------------------------------------------


def _said(facts: Mapping[str, Any]) -> dict[str, Fact]:
    return {what: fact for what, fact in facts.items() if fact not in ("", 0, False)}


def _length(value: float) -> Quantity:
    return Quantity(value, Dimension.LENGTH)


def _options(options: BaseModel) -> dict[str, Fact]:
    """The keys of a model as they are written, inner ones after a dot; what is not given is left out."""
    return dict(_flat(options.model_dump(mode="json", by_alias=True)))


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Fact]]:
    match value:
        case BaseModel():  # a distribution, or what else is known of a simulated device
            yield from _flat(value.model_dump(mode="json"), path)
        case dict():
            for key, each in value.items():
                yield from _flat(each, f"{path}.{key}" if path else str(key))
        case list() if any(isinstance(each, dict | list) for each in value):
            for n, each in enumerate(value, start=1):
                yield from _flat(each, f"{path} {n}")
        case list():
            yield path, ", ".join(map(str, value))
        case str() if value:
            yield path, _read(value)
        case bool() | int() | float():
            yield path, value


def _read(text: str) -> Fact:
    try:
        return parse(text)
    except UnreadableQuantity:
        return text
