"""Whether the journals of the runner and of the modules have all that the other side saw in them; a person accepts
one that lost records. Each side looks in its own: the lease is only granted when both have found what was seen."""

from __future__ import annotations

from collections.abc import Iterable

from cellctl.errors import Refused
from cellctl.flow.events import JournalAccepted
from cellctl.journal import UNTIL, check_not_shorter
from cellctl.messages import Head, LeaseDenied, LeaseGranted
from cellctl.runner.alarms import AlarmBoard
from cellctl.runner.book import Book
from cellctl.runner.fleet import Fleet
from cellctl.runner.remote import Remote
from cellctl.runtime import Runtime

CODES = ("R011", "R014")  # of the module's journal, of the runner's
PATIENCE = 5.0  # [s] after its start in which the runner waits for the word of every module on its journal


class Trust:
    """Takes the modules' words on leases."""

    def __init__(self, runtime: Runtime, book: Book, fleet: Fleet, alarms: AlarmBoard) -> None:
        self._runtime, self._book, self._fleet, self._alarms = runtime, book, fleet, alarms
        self._began = runtime.now()
        self._silent = {
            remote.name for remote in fleet
        }  # they have not said yet whether they know our journal

    @property
    def is_whole(self) -> bool:
        """Whether the runner's own journal lost nothing, as far as the modules that are there know."""
        if self._alarms.sources("R014"):
            return False
        if self._runtime.now() - self._began > PATIENCE:
            return True
        return not any(remote.alive and remote.name in self._silent for remote in self._fleet)

    def take_lease(self, remote: Remote, granted: LeaseGranted) -> None:
        """The module may be commanded. Raises JournalShort for a journal that is shorter than it was seen."""
        if granted.epoch < remote.epoch or not remote.is_waiting_for(granted):
            return
        check_not_shorter(remote.name, remote.named_to_it, granted.head)
        remote.epoch, remote.refusal = granted.epoch, ""
        remote.accepted_by, remote.gives_up, remote.named = "", False, Head()
        self._silent.discard(remote.name)
        for code in CODES:
            self._alarms.clear(code, remote.name)
        remote.forget_sent()
        self._fleet.inquire(remote)

    def take_denial(self, remote: Remote, denied: LeaseDenied) -> None:
        """Prove what the module asks for; else it is not commanded, and a journal that lost records has its alarm."""
        if not remote.is_waiting_for(denied):
            return
        remote.epoch, remote.named = 0, denied.seen
        if self._book.has(denied.seen) and denied.seen.sequence:
            if remote.proof != denied.seen:
                remote.proof = denied.seen
                self._fleet.ask_lease(remote)
            return
        why = f"{denied.holder} has its lease: {denied.why}" if denied.holder else denied.why
        if denied.is_lost or denied.seen.sequence:  # else it said nothing of our journal, only who is there
            self._silent.discard(remote.name)
        if denied.is_lost:
            why = denied.why
            self._alarms.raise_alarm("R011", remote.name, why)
        elif denied.seen.sequence:
            why = f"the runner's journal does not have record {denied.seen.sequence} as {remote.name} saw it. {UNTIL}"
            self._alarms.raise_alarm("R014", remote.name, why)
        if why != remote.refusal:
            self._runtime.log.warning("lease denied", module=remote.name, why=why)
        remote.refusal = why

    def accept(self, module: str, who: str, note: str) -> tuple[str, ...]:
        """A person has seen the part map: go on with the module although a journal lost records.

        The modules of the same process, which share its journal, are accepted with it. Raises Refused when no
        journal is in question.
        """
        remotes = self._fleet.hosted_by(self._fleet[module].process)
        names = tuple(remote.name for remote in remotes)
        if not any(name in self._alarms.sources(code) for code in CODES for name in names):
            raise Refused(
                f"nothing is to be accepted: neither journal lost records that the other side of {module} saw"
            )
        short = [remote for remote in remotes if remote.name in self._alarms.sources("R011")]
        asked = [remote for remote in remotes if remote.name in self._alarms.sources("R014")]
        commands = [
            job for job in self._book.state.commands().values() if job.module in {r.name for r in short}
        ]
        lost = max((remote.named.sequence for remote in asked), default=0)
        gives_up = tuple(job.command for job in commands)
        self._book.record(JournalAccepted(names, who, note, lost, gives_up, self._runtime.utc()))
        for remote in asked:
            remote.proof = remote.named
        for remote in remotes:
            remote.is_trusted = True
            remote.head, remote.accepted_by, remote.gives_up = Head(), f"{who}: {note}", remote in short
            for code in CODES:
                self._alarms.clear(code, remote.name)
            self._fleet.ask_lease(remote)
        return names

    def has_again(self, modules: Iterable[str]) -> bool:
        """Whether these have granted their leases, as far as they are there. Raises Refused for one that denies it."""
        remotes = [self._fleet[name] for name in modules]
        for remote in remotes:
            if any(remote.name in self._alarms.sources(code) for code in CODES):
                raise Refused(f"{remote.name} is still in question: {remote.refusal}")
        return all(remote.epoch or not remote.alive for remote in remotes)

    def in_question(self) -> list[tuple[str, str]]:
        """The modules whose journal, or the runner's before them, lost records; and what is known of it."""
        standing = {alarm.source: alarm.text for alarm in self._alarms if alarm.code in CODES}
        return sorted(standing.items())
