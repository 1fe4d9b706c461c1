"""The modules as seen from the runner, and the way to them."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from cellctl.flow.state import Job
from cellctl.line.model import Line, station_of
from cellctl.messages import Command, Head, Inquire, Instruct, LeaseRequest, Message
from cellctl.runner.book import Book
from cellctl.runner.remote import Remote
from cellctl.runtime import Peer, Runtime

RESEND = 2.0  # [s] after which a command that was not accepted is sent again
ANSWER_LOST = 10.0  # [s] after which one that was accepted is


class Fleet:
    """All modules of the line. What is sent leaves when the journal has what it follows from."""

    def __init__(self, runtime: Runtime, line: Line, book: Book) -> None:
        self._runtime, self._book = runtime, book
        self._holder = f"runner of {line.name}"
        self._peers: dict[str, Peer] = {}
        self._asked = 0
        self._remotes = {module.name: Remote(module.name, module.process) for module in line.modules.values()}

    def __iter__(self) -> Iterator[Remote]:
        return iter(self._remotes.values())

    def __getitem__(self, module: str) -> Remote:
        return self._remotes[module]

    def next_id(self) -> str:
        """For a message that a module answers by its id: like none before, also not before a restart."""
        self._asked += 1
        return f"{self._book.head.sequence}.{self._asked}"

    def find(self, module: str, process: str) -> Remote | None:
        """The module of this name, if that process hosts it."""
        remote = self._remotes.get(module)
        return remote if remote is not None and remote.process == process else None

    def hosted_by(self, process: str) -> list[Remote]:
        """The modules of one process."""
        return [remote for remote in self._remotes.values() if remote.process == process]

    def connect(self, process: str, peer: Peer) -> None:
        """This is the way to a process."""
        self._peers[process] = peer

    def send(self, remote: Remote, message: Message) -> None:
        """Send to a module; lost when it is away (whoever needs an answer asks again)."""
        peer = self._peers.get(remote.process)
        if peer is not None:
            self._book.afterwards(lambda: peer.send(self._stamped(message)))

    def send_at_once(self, remote: Remote, message: Instruct) -> None:
        """Send what brings to rest: it follows from no record, and waits for none."""
        peer = self._peers.get(remote.process)
        if peer is not None:
            peer.send(message)

    def _stamped(self, message: Message) -> Message:
        """With the head that is durable when the message leaves: the intent of a command is in it."""
        if isinstance(message, Command | LeaseRequest):
            return replace(message, head=self._book.head)
        return message

    def ask_lease(self, remote: Remote) -> None:
        """Ask for the right to command a module."""
        remote.asked, remote.asking = self._runtime.now(), self.next_id()
        remote.named_to_it = seen = self.seen(remote)
        request = LeaseRequest(
            remote.name,
            self._holder,
            seen=seen,
            proof=remote.proof,
            accepted_by=remote.accepted_by,
            gives_up=remote.gives_up,
            id=remote.asking,
        )
        self.send(remote, request)

    def seen(self, remote: Remote) -> Head:
        """The farthest that the journal of a module's process was seen."""
        known = [Head()]
        for other in self.hosted_by(remote.process):
            known += [other.head, self._book.state.heads.get(other.name, Head())]
        return max(known, key=lambda head: head.sequence)

    def inquire(self, remote: Remote) -> None:
        """Ask for a module's view, its sensors freshly read."""
        self.send(remote, Inquire(remote.name))

    def send_command(self, job: Job) -> None:
        """Send the command that a job has in hand; not while its module takes none (it is sent when it does)."""
        remote = self._remotes[job.module]
        if job.is_between or not remote.takes_commands:
            return
        remote.sent[job.command] = self._runtime.now()
        jobs = self._book.state.jobs.values()
        oldest = min(other.command for other in jobs if other.module == job.module)
        command = Command(
            number=job.command,
            module=job.module,
            epoch=remote.epoch,
            oldest=oldest,
            skill=job.skill,
            items=job.items,
            step=job.step,
            visit=job.visit,
            attempt=job.attempt,
            parameters=job.parameters,
            carriers=self._carriers(job),
        )
        self.send(remote, command)

    def _carriers(self, job: Job) -> dict[str, str]:
        """Where the carriers stand from which or onto which a command moves something."""
        used = {station_of(place) for item in job.items for place in (item.origin, item.target)}
        standing = self._book.state.carriers
        return {carrier: place for carrier, place in standing.items() if carrier in used}

    def send_again(self, remote: Remote, at_once: bool = False, only_known: bool = False) -> None:
        """Send a module's unanswered commands again when their time has come, or all of them at once.

        What it has accepted is asked for too, seldom: its answer may be lost. `only_known`: send nothing that the
        module has not taken yet, so that nothing new begins.
        """
        jobs = [job for job in self._book.state.commands().values() if job.module == remote.name]
        if not jobs:
            return
        now = self._runtime.now()
        for job in jobs:
            if not only_known or remote.knows(job.command):
                patience = 0.0 if at_once else ANSWER_LOST if job.command in remote.accepted else RESEND
                if now - remote.sent.get(job.command, float("-inf")) >= patience:
                    self.send_command(job)
