"""Carriers of a line file -> `Carrier`s, with what concerns several of them at once: room, and a gap to move into."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from cellctl.line.codes import CARRIERS_WITHOUT_ROOM, NESTS_ON_A_BELT
from cellctl.line.file import CarrierFile
from cellctl.line.model import Carrier, Grid, Module, Station
from cellctl.line.names import Names


def read_carriers(
    names: Names, written: Mapping[str, CarrierFile], modules: Mapping[str, Module]
) -> tuple[Carrier, ...]:
    """The carriers in the file's order; what is wrong with them is reported."""
    reader = _CarrierReader(names, modules)
    return tuple(reader.read(name, each) for name, each in written.items())


class _CarrierReader:
    def __init__(self, names: Names, modules: Mapping[str, Module]) -> None:
        self.names, self.sheet = names, names.sheet
        self.stations: dict[str, Station] = {s.name: s for m in modules.values() for s in m.stations}
        self.at_home: Counter[str] = Counter()

    def read(self, name: str, written: CarrierFile) -> Carrier:
        home = self.names.station(written.home, "", ("carriers", name, "home")) or ""
        carrier = _carrier(name, written, home)
        self.at_home[home] += 1
        if home in self.stations:
            self._check_room(carrier, self.stations[home])
            if self.stations[home].at is not None:
                self._check_nests(carrier)
                self._check_gap(carrier, self.stations[home].module)
        return carrier

    def _check_room(self, carrier: Carrier, home: Station) -> None:
        if self.at_home[home.name] > home.capacity:
            message = f"{home.name!r} holds {home.capacity}, and is the home of more carriers"
            self._no_room(carrier, message, "choose another home")

    def _check_gap(self, carrier: Carrier, belt: str) -> None:
        """One stop of a belt stays free of carriers: else none could ever go on to the next."""
        stops = [s.name for s in self.stations.values() if s.module == belt and s.at is not None]
        if len(stops) > 1 and sum(self.at_home[stop] for stop in stops) == len(stops):
            message = f"every one of the {len(stops)} stops of {belt!r} is a carrier's home"
            self._no_room(carrier, message, "leave one out, so that the others can move")

    def _no_room(self, carrier: Carrier, message: str, advice: str) -> None:
        where = self.sheet.span("carriers", carrier.id, "home")
        self.sheet.error(CARRIERS_WITHOUT_ROOM, where, message, advice)

    def _check_nests(self, carrier: Carrier) -> None:
        if carrier.nests > 1:
            message = f"{carrier.id!r} has {carrier.nests} nests and is at home on a belt"
            where = self.sheet.key_span("carriers", carrier.id)
            self.sheet.error(NESTS_ON_A_BELT, where, message, "give it one nest")


def _carrier(name: str, written: CarrierFile, home: str) -> Carrier:
    grid = written.grid
    if grid is None:
        return Carrier(name, written.nests, home)
    nests = Grid(grid.columns, grid.rows, grid.column_pitch, grid.row_pitch)
    return Carrier(name, grid.columns * grid.rows, home, nests)
