"""The JSON schema of line files, with the keys of every kind, driver, link and robot that is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import BaseModel

from cellctl.cli.schema_parts import DIALECT, Schema, address, chosen, form, named, part
from cellctl.device import Capability, DriverDeclaration
from cellctl.line.file import DeviceFile, LineFile, ModuleFile, StationFile, ToolFile
from cellctl.motion.robots import ROBOTS
from cellctl.skill import KindDeclaration

Drivers = Mapping[str, DriverDeclaration]


def line_schema(kinds: Mapping[str, KindDeclaration], drivers: Drivers, links: Iterable[str]) -> Schema:
    """The schema of line files; `links` are the schemes of addresses."""
    definitions: Schema = {}
    address_form = address(links)
    for name, driver in drivers.items():
        for what, model in _uses_of(driver):
            device = _joined(definitions, driver.doc, model, driver.options, use=name)
            if "address" in device["properties"]:
                device["properties"]["address"] |= address_form
            definitions[f"{what}-{name}"] = device
    for name, kind in kinds.items():
        definitions[f"module-{name}"] = _module(definitions, kind, drivers)
    whole = part(definitions, LineFile)
    definitions["RunnerFile"]["properties"]["bus"] |= form("bus")
    definitions["SafetyFile"]["properties"]["input"] |= form("input")
    properties = whole["properties"]
    every_kind = {name: kind.doc for name, kind in kinds.items()}
    properties["devices"] = named(properties["devices"], chosen("device", "use", _docs(drivers)))
    properties["modules"] = named(properties["modules"], chosen("module", "kind", every_kind))
    return {
        "$schema": DIALECT,
        "$id": "urn:cellctl:schema:line",
        "title": "A line of cellctl",
        **whole,
        "$defs": dict(sorted(definitions.items())),
    }


def _uses_of(driver: DriverDeclaration) -> list[tuple[str, type[BaseModel]]]:
    tool: list[tuple[str, type[BaseModel]]] = [("tool", ToolFile)]
    return [("device", DeviceFile), *(tool if driver.capability == Capability.GRIPPER else [])]


def _docs(drivers: Drivers, capabilities: Iterable[str] | None = None) -> dict[str, str]:
    """What each driver is for; only of those with one of the capabilities, if any are given."""
    wanted = None if capabilities is None else set(capabilities)
    return {n: driver.doc for n, driver in drivers.items() if wanted is None or driver.capability in wanted}


def _module(definitions: Schema, kind: KindDeclaration, drivers: Drivers) -> Schema:
    module = _joined(definitions, kind.doc, ModuleFile, kind.options, kind=kind.name)
    properties = module["properties"]
    properties["devices"] = {**_devices(kind, drivers), "description": properties["devices"]["description"]}
    properties["stations"] = named(properties["stations"], _station(definitions, kind))
    properties["bus"] |= form("bus")
    if "robot" in properties:
        titles = [data.title for data in ROBOTS.values()]
        properties["robot"] |= {"enum": list(ROBOTS), "enumDescriptions": titles}
    if Capability.ROBOT_ARM in kind.devices.values():
        gripper = chosen("tool", "use", _docs(drivers, [Capability.GRIPPER]))
        properties["tools"] = named(properties["tools"], gripper)
    else:
        del properties["tools"]
    return module


def _devices(kind: KindDeclaration, drivers: Drivers) -> Schema:
    """A device for each role, of a driver that can fill it; a role that ends in `*` takes any name that begins so."""
    properties: Schema = {}
    patterns: Schema = {}
    for role, capability in kind.devices.items():
        stem = role.removesuffix("*")
        fitting = [
            c for r, c in kind.devices.items() if r == role or (r[-1] == "*" and stem.startswith(r[:-1]))
        ]
        device = chosen("device", "use", _docs(drivers, fitting), ["object", "string"])
        device["description"] = f"{capability}: `{{use: DRIVER, ...}}`, or the name of a shared device"
        (properties if stem == role else patterns)[stem] = device
    found: Schema = {"type": "object", "additionalProperties": patterns.pop("", False)}
    if properties:
        found |= {"properties": properties, "required": sorted(properties)}
    if patterns:
        found["patternProperties"] = {f"^{stem}": device for stem, device in patterns.items()}
    return found


def _station(definitions: Schema, kind: KindDeclaration) -> Schema:
    """A station of this kind: the common keys that it may have, and those of its own."""
    station = part(definitions, StationFile)
    keys = kind.stations.allowed | kind.stations.required
    properties = {key: value for key, value in station["properties"].items() if key in keys}
    for key, what in (("eye", "input"), ("stopper", "output")):
        if key in properties:
            properties[key] |= form(what)
    required = set(kind.stations.required)
    if kind.stations.options is not None:
        own = part(definitions, kind.stations.options)
        properties |= own["properties"]
        required |= set(own.get("required", ()))
    return {**station, "properties": properties, "required": sorted(required)}


def _joined(definitions: Schema, doc: str, *models: type[BaseModel], **constants: str) -> Schema:
    """One object with the keys of several models, one of them fixed."""
    parts = [part(definitions, model) for model in models]
    properties = {key: value for each in parts for key, value in each["properties"].items()}
    required = [key for each in parts for key in each.get("required", ())]
    properties |= {key: {"const": value, "description": doc} for key, value in constants.items()}
    return {
        "type": "object",
        "description": doc,
        "properties": properties,
        "required": sorted(set(required) | set(constants)),
        "additionalProperties": False,
    }
