"""A robot that follows a belt by itself. Its controller is commanded like the reference machine, so that there is only
a declaration here: the driver is that machine's."""

from __future__ import annotations

from cellctl.device import Capability, DriverDeclaration, Reaction, Recovery, Silence
from cellctl_drivers.handshake_machine import HandshakeMachineOptions

DECLARATION = DriverDeclaration(
    name="tracking_robot",
    doc="Robot that picks from a running belt: a program with x [m], turn [rad] and the nest to put the part into",
    capability=Capability.MACHINE,
    options=HandshakeMachineOptions,
    recovery={"run": {"": Recovery.HANDSHAKE}, "enable": {"": Recovery.REPEATABLE}},
    silence=Silence(Reaction.FINISHES, None, "the robot ends the pick in hand and begins no other"),
    code="cellctl_drivers.handshake_machine:HandshakeMachine",
)
