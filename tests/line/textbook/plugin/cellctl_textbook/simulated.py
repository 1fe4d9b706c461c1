"""The shuttle's controller, simulated: the reference machine, whose program takes an item from one spot to another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import inf

from cellctl_sim.devices.codes import Code
from cellctl_sim.devices.handshake_machine import (
    HandshakeMachineDevice,
    HandshakeMachineProperties,
    Program,
)
from cellctl_sim.devices.site import Site
from cellctl_textbook.shuttle import PROGRAM, places_of


class ShuttleDevice:
    """The shuttle."""

    @classmethod
    def build(cls, site: Site) -> HandshakeMachineDevice:
        """The shuttle of a line's module; it reaches every place of the module's stations.

        `simulated: {takes: ...}` says how long a shift lasts.
        """
        world, places = site.world, places_of(site.owner().stations)

        def shift(t: float, values: Mapping[str, float]) -> Code:
            origin, target = (world.spot(places[int(values[name])]) for name in ("origin", "target"))
            if origin.look(t)[0] is None:
                return Code.NOTHING_THERE
            if target.look(t)[0] is not None:
                world.note(t, f"{site.name}: puts a part where one lies, into {target.name}")
            target.put(t, origin.take(t))
            return Code.WELL

        return HandshakeMachineDevice(
            site.name,
            world.agenda,
            lambda t: (None, inf),
            site.random(),
            {PROGRAM: Program(("origin", "target"), (), effect=shift)},
            site.properties(HandshakeMachineProperties),
            count=world.count,
            runs=world.runs.setdefault(site.name, Counter()),
        )
