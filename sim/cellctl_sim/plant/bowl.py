"""A bowl feeder: while it vibrates, one component comes to its pick-up point whenever that is empty."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from cellctl.line.distributions import Law, Uniform
from cellctl.line.model import Material
from cellctl.runtime import RandomStream
from cellctl_sim.plant.agenda import Agenda
from cellctl_sim.plant.items import Item
from cellctl_sim.plant.spots import Nest

FEEDING = Uniform.model_validate({"uniform": ["0.64 s", "0.96 s"]})


class Bowl:
    """A bowl of one material over its pick-up nest. `make(t, material, place)` makes the item that appears."""

    def __init__(
        self,
        name: str,
        station: str,
        material: Material,
        agenda: Agenda,
        make: Callable[[float, Material, str], Item],
        random: RandomStream,
        count: Callable[[str], None] = lambda name: None,
        takes: Law = FEEDING,
        jam_rate: float = 0.0,
        stock: float = inf,
    ) -> None:
        self.name, self.material, self.stock = name, material, stock
        self.nest = Nest(station, changed=self._replan)
        self.on = False
        self.jammed = False
        self._jammed_until = 0.0
        self._agenda, self._make, self._random, self._count = agenda, make, random, count
        self._takes, self._jam_rate = takes, jam_rate
        self._left: float | None = (
            None  # vibrating time until the next component comes [s]; None: not drawn yet
        )
        self._since = 0.0
        self._timer = agenda.timer(self._arrive)

    def present(self) -> bool:
        """What the sensor at the pick-up point sees."""
        return self.nest.item is not None

    def vibrate(self, t: float, on: bool) -> None:
        """Its start output. Switching it off and on again shakes a jam loose."""
        if on and not self.on:
            self._count(f"{self.name}.started")
            self.jammed = self.jammed and t < self._jammed_until
        self._pause(t)
        self.on = on
        self._replan(t)

    def jam(self, t: float, until: float = 0.0) -> None:
        """Nothing comes any more until `until` at least, and until it is switched off and on again."""
        self._pause(t)
        self.jammed, self._jammed_until = True, until
        self._replan(t)

    def refill(self, t: float, stock: float) -> None:
        """What is in the bowl now."""
        self.stock = stock
        self._replan(t)

    def _pause(self, t: float) -> None:
        if self._timer.due < inf and self._left is not None:
            self._left -= t - self._since
            self._timer.clear()

    def _replan(self, t: float) -> None:
        """Feed when it vibrates, has something to feed and the pick-up point is empty."""
        if self._timer.due < inf or not self.on or self.jammed or self.stock < 1 or self.nest.item:
            return
        if self._left is None:
            if self._random.random() < self._jam_rate:
                self.jammed, self._jammed_until = True, 0.0
                self._count(f"{self.name}.jammed")
                return
            self._left = self._takes.draw(self._random)
        self._since = t
        self._timer.set(t + self._left)

    def _arrive(self, t: float) -> None:
        self._left = None
        self.stock -= 1
        self._count(f"{self.name}.fed")
        self.nest.put(t, self._make(t, self.material, self.nest.name))
