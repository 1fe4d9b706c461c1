"""A client of the runner: requests over the bus, each answered once or refused with a reason.

`Session` for code on a loop, `Client` for code without one. A request is sent once and never again by itself:
whoever gets no answer looks at the line's status before asking again.
"""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from cellctl.errors import PeerSilent, Refused
from cellctl.live import process_table
from cellctl.live.bus import Bus
from cellctl.live.deployment import Deployment, load
from cellctl.live.endpoints import BusPeer
from cellctl.messages import Reply, Request
from cellctl.runtime import Incoming

PATIENCE = 5.0  # [s] for the runner to be heard, and again for its answer
UNSUPERVISED = 1.0  # [s] to be heard where no supervisor is: a runner that was started by hand would be
KEY = "operator"  # name of the key pair that clients use where the bus has keys

Body = dict[str, Any]


class LastWarning:
    """Keeps what the bus warns of last, to say why nobody answers. Fulfils `cellctl.runtime.Log`."""

    def __init__(self) -> None:
        self.text = ""

    def debug(self, event: str, **fields: object) -> None:
        """Not kept."""

    def info(self, event: str, **fields: object) -> None:
        """Not kept."""

    def warning(self, event: str, **fields: object) -> None:
        self.text = event

    def error(self, event: str, **fields: object) -> None:
        self.text = event


class Session:
    """A connection to the runner of a deployed line, made by `connect`. One call at a time."""

    def __init__(self, deployment: Deployment, peer: BusPeer, warned: LastWarning, who: str) -> None:
        self._deployment, self._peer, self._warned, self.who = deployment, peer, warned, who
        self._alive = False
        self._calls = 0

    async def call(self, verb: str, body: Body | None = None, patience: float = PATIENCE) -> Body:
        """The body of the runner's reply.

        Raises Refused with the runner's reason, PeerSilent when it is not there or gives no answer in time.
        """
        await self.reach(patience)
        self._calls += 1
        request = Request(f"{self._calls}", verb, self.who, body or {})
        self._peer.send(request)
        try:
            async with asyncio.timeout(patience):
                reply = await self._reply_to(request.id)
        except TimeoutError:
            raise self._silent(f"no answer to {verb!r} within {patience:g} s; {_LOOK}") from None
        if reply.error:
            raise Refused(reply.error)
        return reply.body

    async def reach(self, patience: float = PATIENCE) -> None:
        """Wait until the runner is heard. Raises PeerSilent."""
        for incoming in self._peer.inbox.drain():
            self._notice(incoming)
        is_up = process_table.supervisor_of(Path(self._deployment.state))
        try:
            async with asyncio.timeout(patience if is_up else min(patience, UNSUPERVISED)):
                while not self._alive:
                    self._notice(await self._peer.inbox.receive())
        except TimeoutError:
            raise self._silent(why_not(self._deployment, self._warned.text)) from None

    async def _reply_to(self, request: str) -> Reply:
        while True:
            incoming = await self._peer.inbox.receive()
            if isinstance(incoming.message, Reply) and incoming.message.id == request:
                return incoming.message
            self._notice(incoming)
            if not self._alive:
                raise self._silent(f"it fell silent before it answered; {_LOOK}")

    def _notice(self, incoming: Incoming) -> None:
        if incoming.message is None:
            self._alive = incoming.alive

    def _silent(self, hint: str) -> PeerSilent:
        return PeerSilent("the runner", self._deployment.process("runner").commands, hint)


_LOOK = "it may have been done all the same: look with `cellctl status`"


def why_not(deployment: Deployment, warned: str = "") -> str:
    """Why the runner is not there, as far as can be known, and what to do."""
    if warned:
        return warned
    state = Path(deployment.state)
    if not process_table.supervisor_of(state):
        simulated = " --simulated" if deployment.simulated else ""
        return f"the line is down. Start it with `cellctl up {deployment.line}{simulated} --state {state}`"
    runner = process_table.load(state).process("runner")
    if runner is not None and runner.state != "running":
        return f"its process {runner.state}; read {runner.log}"
    return f"its process runs but does not answer yet; read {state / 'log' / 'runner.log'}"


@asynccontextmanager
async def connect(deployment: Deployment, who: str = "") -> AsyncIterator[Session]:
    """A session with the runner of a deployed line; `who` is the operating system's user by default.

    Raises BusError when the bus cannot be used.
    """
    warned = LastWarning()
    bus = Bus(KEY, warned, Path(deployment.keys) if deployment.keys else None)
    try:
        async with bus.connect("runner", deployment.process("runner")) as peer:
            yield Session(deployment, peer, warned, who or user_name())
    finally:
        bus.close()


class Client:
    """The same without a loop: `with Client(state) as client: client.call("status")`."""

    def __init__(self, state: Path, who: str = "") -> None:
        self._deployment, self._who = load(state), who
        self._runner = asyncio.Runner()

    @property
    def simulated(self) -> bool:
        """Whether the line runs on simulated devices."""
        return self._deployment.simulated

    def __enter__(self) -> Client:
        self._runner.__enter__()
        try:
            self._context = connect(self._deployment, self._who)
            self._session = self._runner.run(self._context.__aenter__())
        except BaseException:
            self._runner.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._runner.run(self._context.__aexit__(None, None, None))
        finally:
            self._runner.__exit__(kind, error, trace)

    def call(self, verb: str, body: Body | None = None, patience: float = PATIENCE) -> Body:
        """The body of the runner's reply. Raises Refused, PeerSilent."""
        return self._runner.run(self._session.call(verb, body, patience))


def user_name() -> str:
    """The operating system's name of who runs this; a number when it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
