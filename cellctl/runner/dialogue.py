"""The dialogue with the modules: what each message of theirs means, and what is asked again when none comes."""

from __future__ import annotations

from cellctl.errors import JournalShort
from cellctl.flow.decide import announced
from cellctl.flow.events import Answered, Moved
from cellctl.journal import check_not_shorter
from cellctl.messages import (
    Accepted,
    Announced,
    Answer,
    Cancel,
    Event,
    LeaseDenied,
    LeaseGranted,
    Message,
    Noted,
    Refusal,
    TooLate,
    View,
)
from cellctl.packml import State
from cellctl.runner.alarms import AlarmBoard
from cellctl.runner.book import Book
from cellctl.runner.comparison import Comparison
from cellctl.runner.fleet import Fleet
from cellctl.runner.remote import Remote
from cellctl.runtime import Incoming, Runtime

STALE = 5.0  # [s] after which a view is asked for anew: the event that changed it may have been lost


class Dialogue:
    """Takes what module processes say."""

    def __init__(
        self, runtime: Runtime, book: Book, fleet: Fleet, alarms: AlarmBoard, comparison: Comparison
    ) -> None:
        self._runtime, self._book, self._fleet = runtime, book, fleet
        self._alarms, self._comparison = alarms, comparison
        self._heard: dict[str, int] = {}  # process -> number of its last event

    def take(self, process: str, incoming: Incoming) -> None:
        """Take a message of a process, or the news that it fell silent or is heard again."""
        if incoming.message is None:
            self._take_liveness(process, incoming.alive)
            return
        if isinstance(incoming.message, Event):
            self._look_for_a_gap(process, incoming.message.number)
        remote = self._fleet.find(_module_of(incoming.message), process)
        if remote is None:
            return
        try:
            self._take_message(remote, incoming.message)
            remote.see(incoming.message)
        except JournalShort as error:
            remote.lose()
            self._alarms.raise_alarm("R011", remote.name, str(error))

    def _look_for_a_gap(self, process: str, number: int) -> None:
        """Ask for the state where an event was missed."""
        last, self._heard[process] = self._heard.get(process, number), number
        if number > last + 1:
            for remote in self._fleet.hosted_by(process):
                self._fleet.inquire(remote)

    def _take_liveness(self, process: str, alive: bool) -> None:
        self._heard.pop(process, None)
        for remote in self._fleet.hosted_by(process):
            remote.lose()
            remote.alive = alive
            if alive:
                self._fleet.ask_lease(remote)
        if alive:
            self._alarms.clear("R001", process)
        else:
            self._alarms.raise_alarm("R001", process, f"the process {process} does not answer")

    def _take_message(self, remote: Remote, message: Message) -> None:
        match message:
            case LeaseGranted():
                self._take_lease(remote, message)
            case LeaseDenied(_, holder, why):
                self._take_denial(remote, f"{holder} has its lease: {why}")
            case View():
                self._take_view(remote, message)
                self._compare(remote, message)
            case Event():
                self._take_event(remote, message)
            case Accepted(_, number):
                remote.accepted.add(number)
            case Answer():
                self._take_answer(message)
            case Refusal():
                self._take_refusal(remote, message)
            case Announced():
                self._take_announcement(remote, message)
            case TooLate():
                pass  # its answer follows
            case _:
                name = type(message).__name__
                self._runtime.log.warning("unexpected message", module=remote.name, message=name)

    # --- who commands -----------------------------------------------------------------------------------------------

    def _take_lease(self, remote: Remote, granted: LeaseGranted) -> None:
        for seen in (self._book.state.heads.get(remote.name, granted.head), remote.head):
            check_not_shorter(remote.name, seen, granted.head)
        remote.epoch, remote.refusal = granted.epoch, ""
        remote.forget_sent()
        self._fleet.inquire(remote)

    def _take_denial(self, remote: Remote, why: str) -> None:
        if why != remote.refusal:
            self._runtime.log.warning("lease denied", module=remote.name, why=why)
        remote.epoch, remote.refusal = 0, why

    def _take_refusal(self, remote: Remote, refusal: Refusal) -> None:
        remote.sent.pop(refusal.number, None)
        remote.refusal = refusal.why
        if not refusal.number:
            remote.told = None  # an instruction came too early: the next tick gives it again
        if refusal.lease_lost:
            remote.epoch = 0
            self._fleet.ask_lease(remote)

    # --- what it is doing -------------------------------------------------------------------------------------------

    def _take_view(self, remote: Remote, view: View) -> None:
        before, remote.view, remote.viewed = remote.state, view, self._runtime.now()
        self._alarms.take_all(remote.name, view.alarms)
        if view.state is not before:
            remote.told = None
            self._runtime.log.info("module state", module=remote.name, state=view.state)
            if view.state is State.IDLE:  # it was reset, perhaps after hands reached in
                remote.is_compared = False
                self._fleet.inquire(remote)
        if remote.takes_commands:
            self._fleet.send_again(remote, at_once=before is not State.EXECUTE)

    def _compare(self, remote: Remote, view: View) -> None:
        """Hold the sensors, just read, against the part map."""
        remote.seen, remote.seen_at, remote.is_compared = view.occupied, self._runtime.utc(), True
        if self._comparison.compare(self._book.state, view.occupied):
            self._fleet.inquire(remote)

    def _take_event(self, remote: Remote, event: Event) -> None:
        if event.view is not None:
            self._take_view(remote, event.view)
        if event.move is not None:
            job = self._book.state.commands().get(event.command)
            if job is not None and event.index == job.seen:
                self._book.record(Moved(event.command, event.index, event.move))
        self._alarms.take_event(remote.name, event)

    def _take_answer(self, answer: Answer) -> None:
        if answer.number not in self._book.state.commands():
            return  # answered before: the module forgets it with the next command
        event = Answered(
            answer.number,
            answer.outcome,
            answer.moves,
            answer.results,
            answer.started,
            answer.ended,
            answer.device_time,
            answer.detail,
            answer.module,
            answer.head,
        )
        self._book.record(event)
        self._alarms.clear("R020", str(answer.number))

    def _take_announcement(self, remote: Remote, message: Announced) -> None:
        birth = announced(self._book.state, message, self._runtime.utc())
        if birth is not None:
            self._book.record(birth)
        if message.number <= self._book.state.announced.get(message.module, 0):
            self._fleet.send(remote, Noted(message.module, message.number))

    # --- when nothing comes -----------------------------------------------------------------------------------------

    def look_after(self) -> None:
        """Every tick: ask again for what was lost, and stop what takes too long."""
        for remote in self._fleet:
            if not remote.alive:
                continue
            if remote.epoch == 0:
                self._fleet.ask_lease(remote)
                continue
            if not remote.is_compared or not self._comparison.doubtful.isdisjoint(remote.seen):
                self._fleet.inquire(remote)
                continue
            if self._runtime.now() - remote.viewed > STALE:
                self._fleet.inquire(remote)
            if remote.takes_commands:
                self._fleet.send_again(remote)
                self._stop_overdue(remote)

    def _stop_overdue(self, remote: Remote) -> None:
        state, now = self._book.state, self._runtime.now()
        for job in state.commands().values():
            if job.module != remote.name or not job.parts or job.command in remote.cancelled:
                continue
            limit = state.executable(state.parts[job.parts[0]]).step(job.step).timeout
            since = remote.begun.get(job.command)
            if limit is not None and since is not None and now - since > limit:
                remote.cancelled.add(job.command)
                text = f"{job.step} on {job.module} takes longer than {limit:g} s"
                self._alarms.raise_alarm("R020", str(job.command), text)
                self._fleet.send(remote, Cancel(job.module, remote.epoch, job.command))


def _module_of(message: Message) -> str:
    if isinstance(message, Event):
        return message.view.module if message.view is not None else message.source
    return str(getattr(message, "module", ""))
