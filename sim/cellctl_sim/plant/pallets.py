"""Pallets: they ride on a belt as parts do, and what lies in their nests rides with them."""

from __future__ import annotations

from collections.abc import Iterator

from cellctl_sim.plant.items import Item
from cellctl_sim.plant.spots import Nest


class Pallet:
    """One pallet. Its nests are called `ID#0`, `ID#1`, ... as everywhere."""

    length = 0.08  # [m] from bumper to bumper

    def __init__(self, id: str, nests: int) -> None:
        self.id = id
        self.nests = [Nest(f"{id}#{number}") for number in range(nests)]

    def nest(self, number: int) -> Nest | None:
        """The nest of this number; None where the pallet has none."""
        return self.nests[number] if number < len(self.nests) else None

    def items(self) -> Iterator[Item]:
        """What lies in its nests."""
        return (nest.item for nest in self.nests if nest.item is not None)
