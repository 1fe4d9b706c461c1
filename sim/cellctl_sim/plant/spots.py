"""Spots: places where one item can lie, be gripped, worked on and measured. Nests stand here, belt stops in `belt`."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Protocol

from cellctl_sim.plant.items import Item

GRASP = 0.002  # [m] from where an item should be gripped, worked on or put down to where it really is
MOUTH = 0.03  # [m] around the pose of a bin within which whatever is let go falls into it

Changed = Callable[[float], None]


class Spot(Protocol):
    """Where an item can be."""

    name: str
    tolerance: float  # [m] around its pose within which something is put into it

    def look(self, t: float) -> tuple[Item | None, float]:
        """The item there, and how far it lies from where it should [m]."""

    def take(self, t: float) -> Item:
        """Remove the item that is there."""

    def put(self, t: float, item: Item) -> None:
        """Lay an item there; on top of what is there already, it joins it."""


class Nest:
    """A spot that keeps what is put into it. `changed(t)` is called when it is filled or emptied."""

    tolerance = GRASP

    def __init__(self, name: str, changed: Changed | None = None) -> None:
        self.name = name
        self.item: Item | None = None
        self._changed = changed

    def look(self, t: float) -> tuple[Item | None, float]:
        """The item there; it never lies askew."""
        return self.item, 0.0 if self.item else inf

    def take(self, t: float) -> Item:
        """Remove the item that is there."""
        assert self.item is not None, f"nothing to take at {self.name}"
        item, self.item = self.item, None
        self._tell(t)
        return item

    def put(self, t: float, item: Item) -> None:
        """Lay an item there; on top of what is there already, it joins it."""
        if self.item is not None:
            self.item.join(t, item)
            return
        self.item = item
        item.place = self.name
        self._tell(t)

    def _tell(self, t: float) -> None:
        if self._changed:
            self._changed(t)


class Shelf:
    """Room for several items behind one pose, as on a sloping rack: what was put there first is taken first."""

    tolerance = GRASP

    def __init__(self, name: str, capacity: int, note: Callable[[float, str], None]) -> None:
        self.name, self._capacity, self._note = name, capacity, note
        self.items: list[Item] = []

    def look(self, t: float) -> tuple[Item | None, float]:
        """The item that came first; it never lies askew."""
        return (self.items[0], 0.0) if self.items else (None, inf)

    def take(self, t: float) -> Item:
        """Remove the item that came first; the others follow."""
        assert self.items, f"nothing to take at {self.name}"
        return self.items.pop(0)

    def put(self, t: float, item: Item) -> None:
        """Lay an item behind the others."""
        if len(self.items) >= self._capacity:
            self._note(t, f"{self.name}: more than {self._capacity} items")
        self.items.append(item)
        item.place = self.name


class Bin:
    """A sink: swallows whatever falls into it, and counts."""

    tolerance = MOUTH

    def __init__(self, name: str, count: Callable[[str], None]) -> None:
        self.name = name
        self._count = count

    def look(self, t: float) -> tuple[Item | None, float]:
        """Nothing can be taken out of it."""
        return None, inf

    def take(self, t: float) -> Item:
        """Never asked for: `look` shows nothing."""
        raise AssertionError(f"nothing can be taken out of {self.name}")

    def put(self, t: float, item: Item) -> None:
        """Swallow it."""
        item.place = self.name
        item.record(t, f"left at {self.name}")
        self._count(f"{self.name}.swallowed")


class Magazine:
    """A source that is always full: a new item lies there as soon as the last one is taken."""

    tolerance = GRASP

    def __init__(self, name: str, make: Callable[[float], Item]) -> None:
        self.name, self._make = name, make
        self._item: Item | None = None

    def look(self, t: float) -> tuple[Item | None, float]:
        """The next item."""
        if self._item is None:
            self._item = self._make(t)
        return self._item, 0.0

    def take(self, t: float) -> Item:
        """Remove it; the next one follows."""
        item, _ = self.look(t)
        assert item is not None
        self._item = None
        return item

    def put(self, t: float, item: Item) -> None:
        """Lay it back on top."""
        self._item, item.place = item, self.name
