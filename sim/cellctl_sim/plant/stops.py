"""Stations of a belt as places: what lies there, or in a nest of the pallet that stands there."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from cellctl_sim.plant.items import Item
from cellctl_sim.plant.pallets import Pallet
from cellctl_sim.plant.spots import GRASP, Nest

if TYPE_CHECKING:
    from cellctl_sim.plant.belt import Belt

HALF = 0.015  # [m] before and behind a station in which a middle covers the eye: parts in a queue show a gap


class BeltStop:
    """A station of the belt: a spot, with an eye and a stopper perhaps; a sink has its place at the end.

    Where a pallet stands, the spot is the pallet's first nest.
    """

    tolerance = GRASP

    def __init__(
        self, belt: Belt, name: str, at: float, has_stopper: bool = False, sink: bool = False
    ) -> None:
        self.belt, self.name, self.at = belt, name, at
        self.raised = has_stopper
        self.is_sink = sink
        self.covered = False  # what the eye sees

    def lower(self, t: float, on: bool) -> None:
        """Its stopper's output: on lowers it, so that parts pass; off raises it."""
        self.belt.raise_stopper(t, self, not on)

    def is_covered(self) -> bool:
        """What its eye sees: a part, or a pallet with or without one."""
        return self.covered

    def look(self, t: float) -> tuple[Item | None, float]:
        """The item nearest to the station that covers it, and how far from it its middle is [m]."""
        rider, off = self.belt.nearest(t, self.at)
        if rider is None or off >= HALF:
            return None, inf
        if isinstance(rider.load, Pallet):
            return _in_nest(rider.load.nest(0), off)
        return rider.load, off

    def pallet(self, t: float) -> tuple[Pallet | None, float]:
        """The pallet that covers the station, and how far from it its middle is [m]."""
        rider, off = self.belt.nearest(t, self.at)
        there = rider.load if rider is not None and off < HALF else None
        return (there, off) if isinstance(there, Pallet) else (None, inf)

    def take(self, t: float) -> Item:
        """Lift the nearest item off the belt, or out of its pallet's first nest."""
        return self.belt.take(t, self.at)

    def put(self, t: float, item: Item) -> None:
        """Lay an item on the belt, or on what is there."""
        self.belt.put(t, self, item)


class PalletNest:
    """Where a further nest is of a pallet that stands at a stop."""

    tolerance = GRASP

    def __init__(self, stop: BeltStop, number: int) -> None:
        self.name, self._stop, self._number = f"{stop.name} nest {number}", stop, number

    def look(self, t: float) -> tuple[Item | None, float]:
        """What lies in the nest, if such a pallet stands there."""
        pallet, off = self._stop.pallet(t)
        return _in_nest(pallet.nest(self._number) if pallet else None, off)

    def take(self, t: float) -> Item:
        """Lift it out of the nest."""
        pallet, _ = self._stop.pallet(t)
        nest = pallet.nest(self._number) if pallet else None
        assert nest is not None, f"nothing to take at {self.name}"
        return nest.take(t)

    def put(self, t: float, item: Item) -> None:
        """Lay an item into the nest; where there is none it comes to lie on the belt."""
        pallet, off = self._stop.pallet(t)
        nest = pallet.nest(self._number) if pallet else None
        if nest is not None and off <= GRASP:
            nest.put(t, item)
        else:
            self._stop.put(t, item)


def _in_nest(nest: Nest | None, off: float) -> tuple[Item | None, float]:
    return (nest.item, off) if nest is not None and nest.item is not None else (None, inf)
