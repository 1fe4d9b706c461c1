"""Arms that come near each other, and nothing keeps one out while the other is there.

Only what the line file says is known: which stations each arm has a pose for, where they are, and zones. How arms
move in between, and which of the stations an arm can reach, is not asked here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations
from math import dist

from cellctl.device import Pose
from cellctl.findings import Related, Span
from cellctl.line.codes import SHARED_SPACE
from cellctl.line.model import Module, Station
from cellctl.sheet import Sheet

CLEARANCE = 0.15  # [m] between two stations; an arm's wrist and gripper are taken to be half as wide

MOST_PAIRS = 1000  # of an arm and a station: ten arms and a hundred stations; of larger lines it is not asked

Meeting = tuple[float, Station, Station]


def check_space(sheet: Sheet, modules: Iterable[Module]) -> None:
    """Warn of each two arms that go to one station, or to stations close together, without a zone in common."""
    everything = list(modules)
    stations = [station for module in everything for station in module.stations]
    arms = [module for module in everything if module.tools]
    for first, second in combinations(arms if len(arms) * len(stations) <= MOST_PAIRS else [], 2):
        nearest = min(_meetings(first, second, stations), key=lambda meeting: meeting[0], default=None)
        if nearest is not None:
            _warn(sheet, first, second, nearest)


def _meetings(first: Module, second: Module, stations: list[Station]) -> Iterator[Meeting]:
    for one in stations:
        here = one.pose_for(first.name)
        for other in stations if here else ():
            there = other.pose_for(second.name)
            if here and there and not _zones(first, one) & _zones(second, other):
                apart = dist(_position(here), _position(there))
                if one is other or apart < CLEARANCE:
                    yield apart, one, other


def _zones(arm: Module, station: Station) -> set[str]:
    return {zone for zone in (*arm.zones, station.zone) if zone}


def _position(pose: Pose) -> tuple[float, float, float]:
    return pose.x, pose.y, pose.z


def _warn(sheet: Sheet, first: Module, second: Module, meeting: Meeting) -> None:
    apart, one, other = meeting
    if one is other:
        message = f"{first.name} and {second.name} both go to {one.name}, and share no zone"
    else:
        message = (
            f"{first.name} at {one.name} and {second.name} at {other.name} are {apart * 1000:.0f} mm apart, "
            "and share no zone"
        )
    advice = "add a zone under `zones:`, and `zone: ...` to both stations"
    related = () if one is other else (Related(_span(sheet, other), other.name),)
    sheet.report.warn(SHARED_SPACE, _span(sheet, one), message, advice, *related)


def _span(sheet: Sheet, station: Station) -> Span:
    return sheet.key_span("modules", station.module, "stations", station.name.partition(".")[2])
