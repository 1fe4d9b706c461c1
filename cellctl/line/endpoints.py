"""One device that is written as two: the same place in other words, under which two processes would command it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cellctl.findings import Related
from cellctl.line.codes import ADDRESS_TWICE
from cellctl.line.model import Device
from cellctl.line.names import Names


def check_endpoints(
    names: Names,
    devices: Mapping[str, Device],
    uses: Mapping[str, Iterable[str]],
    process_of: Mapping[str, str],
) -> None:
    """Report devices whose addresses differ in text but not in what they mean.

    One place speaks one protocol, so two schemes at one place are one device; equal texts have a finding already.
    """
    process = {device: process_of[module] for module, used in uses.items() for device in used}
    places: dict[str, list[Device]] = {}
    for device in devices.values():
        if "://" in device.address:
            places.setdefault(_place(device), []).append(device)
    for there in places.values():
        first: dict[tuple[str, object], Device] = {}
        for other in there:
            one = next((each for each in first.values() if _is_same(each, other)), None)
            if one is not None:
                _report(names, one, other, process)
            first.setdefault((other.address, _unit(other)), other)


def _is_same(one: Device, other: Device) -> bool:
    return one.address != other.address and (_scheme(one) != _scheme(other) or _unit(one) == _unit(other))


def _place(device: Device) -> str:
    return device.address.partition("://")[2].casefold()


def _scheme(device: Device) -> str:
    return device.address.partition("://")[0].casefold()


def _unit(device: Device) -> object:
    return getattr(device.options, "unit", None)


def _report(names: Names, one: Device, other: Device, process: Mapping[str, str]) -> None:
    sheet, where = (
        names.sheet,
        {each.name: (*names.devices[each.name].path, "address") for each in (one, other)},
    )
    runs = sorted({process[each.name] for each in (one, other) if each.name in process})
    by = f", which the processes {' and '.join(runs)} would both command" if len(runs) > 1 else ""
    message = f"{other.name!r} stands at {_place(other)}, as {one.name!r} does: one device{by}"
    advice = "write a device that modules share once, under the line's `devices`"
    related = Related(sheet.span(*where[one.name]), f"{one.name!r} stands here")
    sheet.error(ADDRESS_TWICE, sheet.span(*where[other.name]), message, advice, related)
