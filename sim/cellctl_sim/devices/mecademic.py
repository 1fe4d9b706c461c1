"""A Mecademic Meca500 as its one client sees it: the controller, its connection, and the commands that it takes."""

from __future__ import annotations

from typing import cast

from cellctl.device import Pose
from cellctl_sim.devices.mecademic_commands import COMMANDS, Need
from cellctl_sim.devices.mecademic_controller import Controller, MecademicProperties
from cellctl_sim.devices.mecademic_session import Session
from cellctl_sim.devices.mecademic_text import BadCommand, Order, read_order, reply
from cellctl_sim.devices.site import Site


class MecademicDevice(Controller):
    """A controller on its control port; fulfils `TextDevice`. One client at a time."""

    @classmethod
    def build(cls, site: Site) -> MecademicDevice:
        """The controller of a line's arm."""
        module = site.owner()
        base = getattr(module.options, "base", None)
        length = max((tool.length for tool in module.tools), default=0.0)
        return cls(
            site.name,
            site.world.agenda,
            site.properties(MecademicProperties),
            str(getattr(module.options, "robot", "meca500")),
            base if isinstance(base, Pose) or base is None else cast(Pose, base.pose()),
            length,
        )

    def open(self, t: float) -> Session:
        """A client connects; a second one is told so and cut off."""
        self._agenda.advance(t)
        session = Session(self)
        if self.session is not None:
            session.say(t, reply(3001, "Another user is already connected, closing connection."))
            session.shut()
            return session
        self.session = session
        session.say(t, reply(3000, f"Connected to Meca500 R3 v{self.properties.firmware}"))
        return session

    def take(self, t: float, text: str) -> None:
        """A message from the client."""
        self._agenda.advance(t)
        if not text.strip():
            return
        before = self.status() if self.monitoring.is_on else None
        try:
            order = read_order(text)
            self._obey(t, order)
        except BadCommand as error:
            self.say(t, error.code, error.text)
        self._tell_status(t, before)

    def _obey(self, t: float, order: Order) -> None:
        command = COMMANDS.get(order.name)
        if command is None:
            raise BadCommand(1001, f"Unknown or empty command. - Command: {order.name}")
        self._demand(command.need)
        command.run(self, t, order)

    def _demand(self, need: Need) -> None:
        if need is Need.NOTHING:
            return
        if not self.is_activated:
            raise BadCommand(1005, "The robot is not activated.")
        if need is not Need.ACTIVATED and not self.is_homed:
            raise BadCommand(1006, "The robot is not homed.")
        if need is Need.READY and self.error:
            raise BadCommand(1011, "The robot is in error.")
        if need is Need.READY and self.stops:
            raise BadCommand(1046, "Not allowed: a safety stop is active.")
