"""The devices of a line file: shared ones, those of modules, and tools, each read by its driver's own options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from cellctl.device import DriverDeclaration
from cellctl.errors import UnitError
from cellctl.findings import Related
from cellctl.line.codes import ADDRESS_TWICE, BAD_ADDRESS, UNKNOWN_DRIVER
from cellctl.line.file import DeviceFile, ToolFile
from cellctl.line.model import Device
from cellctl.line.names import Names
from cellctl.sheet import Path, Sheet
from cellctl.units import Quantity, parse

D = TypeVar("D", bound=DeviceFile)

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://\S+")


class _Use(BaseModel):
    """Only the key that says which driver it is; the others cannot be judged without it."""

    model_config = ConfigDict(extra="ignore")

    use: str


def read_devices(
    names: Names, drivers: Mapping[str, DriverDeclaration]
) -> tuple[dict[str, Device], dict[str, ToolFile]]:
    """Every device that is right in itself by full name, in the file's order; and what was written of each tool."""
    devices: dict[str, Device] = {}
    tools: dict[str, ToolFile] = {}
    for name, written in names.devices.items():
        if written.path[-2] == "tools":
            device, tool = _read_device(name, names, drivers, ToolFile)
            if tool is not None:
                tools[name] = tool
        else:
            device, _ = _read_device(name, names, drivers, DeviceFile)
        if device is not None:
            devices[name] = device
    _check_addresses(names, devices)
    return devices, tools


def _read_device(
    name: str, names: Names, drivers: Mapping[str, DriverDeclaration], model: type[D]
) -> tuple[Device | None, D | None]:
    sheet, written = names.sheet, names.devices[name]
    path, declaration, short = written.path, written.declaration, str(written.path[-1])
    if declaration is None:
        if use := sheet.read(_Use, *path):
            sheet.unknown(UNKNOWN_DRIVER, sheet.span(*path, "use"), "driver", use.use, drivers)
        return None, None
    its_own, its_drivers = sheet.parts(path, short, model.model_fields, declaration.options.model_fields)
    device, options = (
        sheet.read_node(model, its_own, short),
        sheet.read_node(declaration.options, its_drivers, short),
    )
    if device is None or options is None:
        return None, device
    scope = name.rpartition(".")[0]
    address = str(getattr(options, "address", ""))
    if address and not _ADDRESS.fullmatch(address):
        advice = "write it as modbus-tcp://10.0.1.20:502"
        sheet.error(
            BAD_ADDRESS, sheet.span(*path, "address"), f"{address!r} is not the address of a device", advice
        )
    options = names.resolved(options, scope, path)
    return Device(name, declaration, options, address, in_si(device.simulated.said())), device


def _check_addresses(names: Names, devices: Mapping[str, Device]) -> None:
    first: dict[tuple[str, object], Path] = {}
    for name, device in devices.items():
        path = names.devices[name].path
        if not device.address:
            continue
        place = (device.address, getattr(device.options, "unit", None))
        if place not in first:
            first[place] = path
            continue
        unit = "" if place[1] is None else f", unit {place[1]}"
        _report_twice(
            names.sheet, path, first[place], f"{name!r} stands at an address that is taken: {place[0]}{unit}"
        )


def _report_twice(sheet: Sheet, path: Path, first: Path, message: str) -> None:
    other = Related(sheet.span(*first, "address"), f"{'.'.join(str(part) for part in first)} stands here")
    advice = "give each its own address or unit; write a shared device once, under the line's `devices`"
    sheet.error(ADDRESS_TWICE, sheet.span(*path, "address"), message, advice, other)


def in_si(value: Any) -> Any:
    """Plain data with each text that is a quantity replaced by its SI value."""
    if isinstance(value, dict):
        return {key: in_si(each) for key, each in value.items()}
    if isinstance(value, list):
        return [in_si(each) for each in value]
    if isinstance(value, str):
        try:
            found = parse(value)
        except UnitError:
            return value
        return found.value if isinstance(found, Quantity) else value
    return value
