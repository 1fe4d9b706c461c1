"""The bus in memory, with the live bus's manners: requests and answers in order for each pair, numbered events to all
that are connected, silence noticed after a while, and nothing delivered to who is not there.

Every message is encoded and decoded on its way, so that what cannot travel is found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cellctl.errors import BusError
from cellctl.live.tasks import Channel
from cellctl.messages import Event, Message, decode, encode
from cellctl.runtime import Incoming, RandomStream
from cellctl_sim.entry import Entry
from cellctl_sim.life import Life
from cellctl_sim.loop import VirtualLoop
from cellctl_sim.trace import Trace
from cellctl_sim.weather import Weather

LATENCY = 200e-6  # [s] from sender's process to receiver's inbox
SILENCE = 1.0  # [s] without a sign of life until a peer counts as silent


class Ear:
    """What one end of a wire hears of the other; tells its inbox when the other falls silent and is heard again.

    A process that comes back as another one within the silence limit is told as gone and back, as on the live bus.
    """

    def __init__(self, loop: VirtualLoop, other: str, inbox: Channel[Incoming]) -> None:
        self._loop, self._other, self.inbox = loop, other, inbox
        self._heard: Life | None = None
        self._silence: Entry | None = None

    def heard(self, life: Life) -> None:
        """The other, in this life of it, is connected."""
        self.close()
        if self._heard is not None and self._heard is not life:
            self._silent()
        if self._heard is None:
            self._heard = life
            self.inbox.send(Incoming(self._other, None, alive=True))

    def hears(self, life: Life | None) -> bool:
        """Whether what the other sent in that life of it is still listened to: not once another life is heard."""
        return self._heard is None or self._heard is life

    def lost(self) -> None:
        """The other sends nothing more."""
        if self._heard is not None and self._silence is None:
            self._silence = self._loop.after(SILENCE, self._silent)

    def close(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    def _silent(self) -> None:
        self._silence = self._heard = None
        self.inbox.send(Incoming(self._other, None, alive=False))


@dataclass(slots=True)
class Wire:
    """The way between a peer and a server, by their names; either end may be away."""

    peer: SimPeer | None = None
    server: SimServer | None = None
    cut: bool = False  # by a fault
    up: bool = False  # messages sent now will arrive
    at_peer: Ear | None = None
    at_server: Ear | None = None
    deaf: bool = False  # by a fault: the server hears nothing
    mute: bool = False  # by a fault: the peer hears nothing of the server
    weather: Weather | None = None

    def hear(self) -> None:
        """Both ends are connected: each hears the other, as far as it can."""
        if self.at_peer is not None and self.server is not None and not self.mute:
            self.at_peer.heard(self.server.life)
        if self.at_server is not None and self.peer is not None and not self.deaf:
            self.at_server.heard(self.peer.life)

    def sends_to(self, ear: Ear) -> Life | None:
        """Whose life it is that sends to this end."""
        sender = self.peer if ear is self.at_server else self.server
        return sender.life if sender is not None else None

    def lose_server(self) -> None:
        if self.at_server is not None:
            self.at_server.close()
        self.server, self.at_server, self.up = None, None, False
        if self.at_peer is not None:
            self.at_peer.lost()

    def lose_peer(self) -> None:
        if self.at_peer is not None:
            self.at_peer.close()
        self.peer, self.at_peer, self.up = None, None, False
        if self.at_server is not None:
            self.at_server.lost()


@dataclass(slots=True)
class Bus:
    """Who is reachable under which name, and who has connected to whom."""

    loop: VirtualLoop
    trace: Trace
    latency: float = LATENCY  # [s]
    _servers: dict[str, SimServer] = field(default_factory=dict)
    _wires: dict[tuple[str, str], Wire] = field(default_factory=dict)  # (peer, server)

    def serve(self, name: str, life: Life) -> SimServer:
        """Raises BusError when the name is taken."""
        if name in self._servers:
            raise BusError(f"{name} is served by {self._servers[name].life.node} already; one process each")
        server = self._servers[name] = SimServer(self, name, life)
        for (peer, at), wire in self._wires.items():
            if at == name:
                wire.server, wire.at_server = server, Ear(self.loop, peer, server.requests)
                self._meet(peer, name)
        return server

    def connect(self, name: str, life: Life) -> SimPeer:
        """Raises BusError when this process is connected to that name already."""
        wire = self._wire(life.node, name)
        if wire.peer is not None:
            raise BusError(f"{life.node} is connected to {name} already; share the connection")
        peer = wire.peer = SimPeer(self, name, life)
        wire.at_peer = Ear(self.loop, name, peer.inbox)
        if wire.server is not None and wire.at_server is None:
            wire.at_server = Ear(self.loop, life.node, wire.server.requests)
        self._meet(life.node, name)
        return peer

    def leave_server(self, name: str) -> None:
        """The server is gone; its peers hear nothing more."""
        server = self._servers.pop(name)
        for wire in self._wires.values():
            if wire.server is server:
                wire.lose_server()

    def leave_peer(self, peer: str, name: str) -> None:
        """The peer is gone; the server hears nothing more from it."""
        self._wires[peer, name].lose_peer()

    def cut(self, peer: str, name: str) -> None:
        """A fault: nothing passes between these two until `mend`."""
        wire = self._wire(peer, name)
        wire.cut, wire.up = True, False
        for ear in filter(None, (wire.at_peer, wire.at_server)):
            ear.lost()

    def mend(self, peer: str, name: str) -> None:
        """The end of a `cut`."""
        self._wires[peer, name].cut = False
        self._meet(peer, name)

    def muffle(self, peer: str, name: str, deaf: bool = False, mute: bool = False) -> None:
        """A fault: the server hears nothing of the peer (`deaf`), or the peer nothing of the server (`mute`)."""
        wire = self._wire(peer, name)
        wire.deaf, wire.mute = deaf, mute
        if deaf and wire.at_server is not None:
            wire.at_server.lost()
        if mute and wire.at_peer is not None:
            wire.at_peer.lost()
        if wire.up:
            wire.hear()

    def weather(self, peer: str, name: str, random: Callable[[], RandomStream]) -> Weather:
        """What messages between these two meet with on their way."""
        wire = self._wire(peer, name)
        if wire.weather is None:
            wire.weather = Weather(random())
        return wire.weather

    def _wire(self, peer: str, name: str) -> Wire:
        return self._wires.setdefault((peer, name), Wire(server=self._servers.get(name)))

    def _meet(self, peer: str, name: str) -> None:
        """Connect, one latency from now, if both ends are still there then."""
        self.loop.after(self.latency, self._connected, peer, name)

    def _connected(self, peer: str, name: str) -> None:
        wire = self._wires[peer, name]
        if wire.cut or wire.up or wire.peer is None or wire.server is None:
            return
        wire.up = True
        self.trace.add(self.loop.now, f"{peer}>{name}", "connected")
        wire.hear()

    def to_server(self, peer: str, name: str, message: Message) -> None:
        wire = self._wires[peer, name]
        self._carry(f"{peer}>{name}", message, wire, wire.at_server, peer)

    def to_peer(self, name: str, peer: str, message: Message) -> None:
        wire = self._wires.get((peer, name))
        if wire is not None:
            self._carry(f"{name}>{peer}", message, wire, wire.at_peer, name)

    def to_all(self, name: str, message: Message) -> None:
        for (peer, at), wire in self._wires.items():
            if at == name:
                self._carry(f"{name}>{peer}", message, wire, wire.at_peer, name)

    def _carry(self, way: str, message: Message, wire: Wire, ear: Ear | None, sender: str) -> None:
        """Deliver one latency from now to the one who listens now, unless he is gone by then."""
        data = encode(message)
        travelled = decode(data)
        if not wire.up or ear is None:
            self.trace.add(self.loop.now, way, "lost", data)
            return
        incoming, life = Incoming(sender, travelled), wire.sends_to(ear)
        if wire.weather is None:
            self.loop.after(self.latency, self._arrive, way, data, incoming, wire, ear, life)
            return
        arrivals = wire.weather.arrivals(way, self.loop.now, self.latency)
        if not arrivals:
            self.trace.add(self.loop.now, way, "lost", data)
        for arrival in arrivals:
            self.loop.at(arrival, self._arrive, way, data, incoming, wire, ear, life)

    def _arrive(
        self, way: str, data: bytes, incoming: Incoming, wire: Wire, ear: Ear, life: Life | None
    ) -> None:
        reaches_server = ear is wire.at_server and not wire.deaf
        listens = not wire.cut and (reaches_server or (ear is wire.at_peer and not wire.mute))
        listens = listens and ear.hears(life)
        self.trace.add(self.loop.now, way, "arrives" if listens else "lost", data)
        if listens:
            ear.inbox.send(incoming)


class SimServer:
    """The side of a process that others reach; fulfils `cellctl.runtime.Server`."""

    def __init__(self, bus: Bus, name: str, life: Life) -> None:
        self._bus, self._name, self.life = bus, name, life
        self.requests: Channel[Incoming] = Channel()

    def reply(self, peer: str, message: Message) -> None:
        """Send to one peer; dropped when it is gone."""
        if not self.life.ended:
            self._bus.to_peer(self._name, peer, message)

    def publish(self, event: Event) -> None:
        """Tell everyone who is connected."""
        if not self.life.ended:
            self._bus.to_all(self._name, event)


class SimPeer:
    """The way to one server; fulfils `cellctl.runtime.Peer`."""

    def __init__(self, bus: Bus, name: str, life: Life) -> None:
        self._bus, self.name, self.life = bus, name, life
        self.inbox: Channel[Incoming] = Channel()

    def send(self, message: Message) -> None:
        """Send a request; lost when the server is away."""
        if not self.life.ended:
            self._bus.to_server(self.life.node, self.name, message)
