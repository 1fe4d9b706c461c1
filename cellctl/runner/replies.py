"""Replies to clients: at once, or when it is known what became of what they asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from cellctl.errors import CellctlError, Refused
from cellctl.messages import Instruct, Refusal, Reply, Settle
from cellctl.runner.book import Book
from cellctl.runner.fleet import Fleet
from cellctl.runner.remote import Remote
from cellctl.runtime import Runtime, Server

PATIENCE = 1.5  # [s] for a module's word; clients wait longer than that for ours

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Awaited:
    """A reply that is not known yet. `settled` gives its body once it is, None until then; raises CellctlError for a
    refusal. `silence` is what is said when nothing comes in time."""

    settled: Callable[[], Body | None]
    silence: str


def heeded(fleet: Fleet, remote: Remote, message: Instruct | Settle) -> Awaited:
    """Send this to a module; the reply is its own word on it."""
    sent = replace(message, id=fleet.next_id())
    remote.expect_word(sent.id)
    fleet.send(remote, sent)
    return word_on(remote, sent.id)


def word_on(remote: Remote, id: str) -> Awaited:
    """What a module says to what was sent with this id, with the state and mode that it is in then."""
    unknown = "it may have been done all the same: look with `cellctl status`"

    def settled() -> Body | None:
        word = remote.words.get(id)
        if isinstance(word, Refusal):
            raise Refused(word.why)
        if word is not None:
            return {"module": remote.name, "state": str(word.state), "mode": str(word.mode)}
        if not remote.alive:
            raise Refused(f"{remote.name} fell silent before it answered; {unknown}")
        return None

    return Awaited(settled, f"{remote.name} gave no answer within {PATIENCE:g} s; {unknown}")


@dataclass(slots=True)
class _Waiting:
    peer: str
    reply: Reply
    awaited: Awaited
    until: float


class Replies:
    """What clients are told, each time after the records that it follows from are durable."""

    def __init__(self, runtime: Runtime, book: Book, server: Server) -> None:
        self._runtime, self._book, self._server = runtime, book, server
        self._waiting: list[_Waiting] = []

    def give(self, peer: str, reply: Reply, result: Body | Awaited) -> None:
        """Reply with this, now or when it is known. `reply` has its id and whom it is for."""
        if isinstance(result, Awaited):
            self._waiting.append(_Waiting(peer, reply, result, self._runtime.now() + PATIENCE))
        else:
            self._send(peer, replace(reply, body=result))

    def refuse(self, peer: str, reply: Reply, why: str) -> None:
        """Reply that it was not done, and why."""
        self._send(peer, replace(reply, error=why))

    def settle(self) -> None:
        """Give the replies that are known now, and those that have waited too long."""
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            try:
                body = each.awaited.settled()
            except CellctlError as error:
                self.refuse(each.peer, each.reply, str(error))
                continue
            if body is not None:
                self.give(each.peer, each.reply, body)
            elif self._runtime.now() >= each.until:
                self.refuse(each.peer, each.reply, each.awaited.silence)
            else:
                self._waiting.append(each)

    def _send(self, peer: str, reply: Reply) -> None:
        self._book.afterwards(lambda: self._server.reply(peer, reply))
