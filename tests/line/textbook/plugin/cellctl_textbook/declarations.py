"""The kind `shuttle` and its driver, as data."""

from __future__ import annotations

from dataclasses import replace

from cellctl.device import Capability
from cellctl.skill import Ends, KindDeclaration, Outcome, Skill, StationKeys, Works
from cellctl.written import Written
from cellctl_drivers.handshake_machine import DECLARATION as REFERENCE_MACHINE


class ShuttleOptions(Written):
    """It has no keys of its own."""


SHUTTLE = KindDeclaration(
    name="shuttle",
    doc="Takes parts between its places, which are machines' nests, buffers and the way out.",
    code="cellctl_textbook.shuttle:Shuttle",
    skills=(
        Skill(
            "shift",
            "Take the part to another place.",
            Works.MOVES,
            {
                "done": Outcome(Ends.AT_TARGET, "it is there"),
                "failed": Outcome(Ends.ANYWHERE, "the controller reports that it could not"),
            },
            duration=0.01,
        ),
    ),
    devices={"plc": Capability.MACHINE},
    options=ShuttleOptions,
    stations=StationKeys(allowed=frozenset({"grid", "capacity", "sink"})),
)

SHUTTLE_PLC = replace(REFERENCE_MACHINE, name="shuttle_plc", doc="The controller of a shuttle")
