"""The dialogue with the modules: what each message of theirs means, and what is asked again when none comes."""

from __future__ import annotations

from msgspec.structs import replace

from cellctl.errors import JournalShort
from cellctl.flow.arrivals import bereft
from cellctl.flow.events import Answered, JournalSeen, Moved
from cellctl.flow.state import Job
from cellctl.messages import (
    Accepted,
    Announced,
    Answer,
    Cancel,
    Event,
    Head,
    Heeded,
    LeaseDenied,
    LeaseGranted,
    Message,
    Refusal,
    TooLate,
    View,
    Withdrawn,
)
from cellctl.packml import Mode, State
from cellctl.runner.alarms import COMES_BACK, AlarmBoard
from cellctl.runner.arrivals import Arrivals
from cellctl.runner.book import Book
from cellctl.runner.comparison import Comparison
from cellctl.runner.fleet import RESEND, Fleet
from cellctl.runner.guards import Guards
from cellctl.runner.patience import Patience, by_module, refused
from cellctl.runner.remote import Remote
from cellctl.runner.trust import Trust
from cellctl.runtime import Incoming, Runtime

UNHEARD = 5.0  # [s] after which a process that was never heard is missed
STALE = 5.0  # [s] after which a view is asked for anew: the event that changed it may have been lost
ASK_AGAIN = 1.0  # [s] after which a lease is asked for again; each grant ends the one before it


class Dialogue:
    """Takes what module processes say."""

    def __init__(
        self,
        runtime: Runtime,
        book: Book,
        fleet: Fleet,
        alarms: AlarmBoard,
        comparison: Comparison,
        guards: Guards,
        arrivals: Arrivals,
    ) -> None:
        self._runtime, self._book, self._fleet = runtime, book, fleet
        self._alarms, self._comparison = alarms, comparison
        self._guards, self._arrivals = guards, arrivals
        self.trust = Trust(runtime, book, fleet, alarms)
        self._heard: dict[str, int] = {}  # process -> number of its last event
        self._unheard = dict.fromkeys(remote.process for remote in fleet)  # since this runner began
        self.patience = Patience()
        self._began = runtime.now()

    def take(self, process: str, incoming: Incoming) -> None:
        """Take a message of a process, or the news that it fell silent or is heard again."""
        if incoming.message is None:
            self._take_liveness(process, incoming.alive)
            return
        if isinstance(incoming.message, Event) and self._is_past(process, incoming.message):
            return
        remote = self._fleet.find(_module_of(incoming.message), process)
        if remote is None:
            return
        try:
            self._take_message(remote, incoming.message)
            if remote.epoch:  # else its journal may have lost records
                remote.see(incoming.message)
        except JournalShort as error:
            remote.distrust()
            self._alarms.raise_alarm("R011", remote.name, str(error))

    def _is_past(self, process: str, event: Event) -> bool:
        """Whether later events say more than this one; the state is asked for where one in between was missed."""
        last = self._heard.get(process, event.number - 1)
        self._heard[process] = max(last, event.number)
        if event.number > last + 1:
            for remote in self._fleet.hosted_by(process):
                self._fleet.inquire(remote)
        return event.number <= last and event.move is None

    def _take_liveness(self, process: str, alive: bool) -> None:
        self._heard.pop(process, None)
        self._unheard.pop(process, None)
        for remote in self._fleet.hosted_by(process):
            self._comparison.void(remote.seen)
            remote.lose()
            remote.alive = alive
            if alive:
                self._fleet.ask_lease(remote)
        if alive:
            self._alarms.clear("R001", process)
        else:
            self._alarms.raise_alarm("R001", process, f"the process {process} does not answer", COMES_BACK)
            self._guards.lose(process)

    def _take_message(self, remote: Remote, message: Message) -> None:
        match message:
            case LeaseGranted():
                self.trust.take_lease(remote, message)
            case LeaseDenied():
                self.trust.take_denial(remote, message)
            case View():
                self._take_view(remote, message)
                self._compare(remote, message)
            case Event():
                self._take_event(remote, message)
            case Accepted(_, number, head):
                self._take_acceptance(remote, number, head)
                remote.refusals.pop(number, None)
            case Answer():
                self._take_answer(remote, message)
            case Refusal():
                self._take_refusal(remote, message)
            case Heeded():
                remote.take_word(message)
            case Announced():
                self._arrivals.take(remote, message)
            case Withdrawn():
                self._arrivals.withdraw(remote, message)
            case TooLate(_, number):
                remote.too_late.add(number)  # its answer follows
                remote.refusals.pop(number, None)
            case _:
                name = type(message).__name__
                self._runtime.log.warning("unexpected message", module=remote.name, message=name)

    # --- who commands -----------------------------------------------------------------------------------------------

    def _take_acceptance(self, remote: Remote, number: int, head: Head) -> None:
        if self._book.state.command(number) is None:
            return  # answered already
        if number not in remote.accepted and remote.epoch:
            self._book.record(JournalSeen(remote.name, head))
        remote.accepted.add(number)

    def _take_refusal(self, remote: Remote, refusal: Refusal) -> None:
        remote.sent.pop(refusal.number, None)
        remote.take_word(refusal)
        if not refusal.id or refusal.lease_lost:
            remote.refusal = refusal.why
        if remote.takes_commands and self._book.state.command(refusal.number) and not refusal.lease_lost:
            remote.refuse(refusal.number, refusal.why)
            self._fleet.inquire(remote)  # perhaps it is not as it was seen last
        if not refusal.number and not refusal.id:
            remote.is_not_ready(self._runtime.now())
        if (
            refusal.lease_lost and remote.epoch and refusal.epoch in (0, remote.epoch)
        ):  # else it is asked for already
            remote.epoch = 0
            self._fleet.ask_lease(remote)

    # --- what it is doing -------------------------------------------------------------------------------------------

    def _take_view(self, remote: Remote, view: View) -> None:
        last, remote.view, remote.viewed = remote.view, view, self._runtime.now()
        before = last.state if last else None
        self._alarms.take_all(remote.name, view.alarms)
        if view.state is not before:
            remote.told, remote.refusal = None, ""  # what it said no to was about the state before
            self._runtime.log.info("module state", module=remote.name, state=view.state)
        if _hands_reached_in(last, view):
            remote.is_compared = False
            self._fleet.inquire(remote)
        self._give_lease_up(remote, last)
        if remote.takes_commands:
            self._fleet.send_again(remote, before is not State.EXECUTE, self._begins_nothing)

    @property
    def _begins_nothing(self) -> bool:
        """Whether nothing that a module has not taken yet may be sent to it."""
        return bool(self._comparison.doubtful) or self._book.state.packml is not State.EXECUTE

    def _give_lease_up(self, remote: Remote, last: View | None) -> None:
        """In manual mode the lease is for panels; it is asked for again at once when that is over."""
        if remote.is_in_hands:
            remote.epoch = 0
            remote.forget_sent()
        elif last is not None and last.mode is Mode.MANUAL:
            self._fleet.ask_lease(remote)

    def _compare(self, remote: Remote, view: View) -> None:
        """Hold the sensors, just read, against the part map."""
        remote.seen, remote.seen_at, remote.is_compared = view.occupied, self._runtime.utc(), True
        if remote.name in self._book.state.out:
            self._comparison.void(remote.seen)
        elif remote.is_in_hands:
            self._comparison.leave_to_hands(remote.seen)
        elif self._comparison.compare(self._book.state, view.occupied):
            self._fleet.inquire(remote)

    def _take_event(self, remote: Remote, event: Event) -> None:
        if event.view is not None:
            self._take_view(remote, event.view)
        if event.move is not None:
            job = self._book.state.command(event.command)
            if job is not None and event.index == job.seen:
                head = event.head if remote.epoch else Head()
                self._book.record(Moved(event.command, event.index, event.move, head))
        self._alarms.take_event(remote.name, event)

    def _take_answer(self, remote: Remote, answer: Answer) -> None:
        why = remote.refusing.get(answer.number, "")
        remote.forget(answer.number)
        if self._book.state.command(answer.number) is None:
            return  # answered before: the module forgets it with the next command
        if why and answer.outcome == "cancelled":  # else it would be tried, refused and taken back for ever
            answer = replace(answer, outcome="refused", detail=why)
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

    # --- when nothing comes -----------------------------------------------------------------------------------------

    def look_after(self) -> None:
        """Every tick: ask again for what was lost, and stop what takes too long."""
        self._miss_processes()
        self._alarms.ripen()
        state, now = self._book.state, self._runtime.now()
        late = self.patience.overdue(state, now)
        unwilling = refused(state, self._fleet)
        self._alarms.show("R020", by_module(state, late))
        self._alarms.show("R021", by_module(state, unwilling))
        unwanted = {*late, *unwilling, *bereft(state)}
        ending = [job for job in state.jobs.values() if job.corrected and not job.is_between]
        doing = {job.module for job in state.commands().values()}
        doubtful, only_known = self._comparison.doubtful, self._begins_nothing
        for remote in self._fleet:
            if not remote.alive:
                continue
            if remote.epoch == 0:
                self._ask(remote)
                continue
            if unwanted:
                self._take_back(remote, unwanted)
            if ending:
                self._give_up(remote, ending)
            if not remote.is_compared or not doubtful.isdisjoint(remote.seen):
                self._fleet.inquire(remote)
                continue
            if now - remote.viewed > STALE:
                self._fleet.inquire(remote)
            if remote.name in doing and remote.takes_commands:
                self._fleet.send_again(remote, only_known=only_known)

    def _give_up(self, remote: Remote, ending: list[Job]) -> None:
        """End the commands whose items a person put right while the module was at rest."""
        for job in ending:
            if job.module == remote.name:
                self._fleet.send(remote, Cancel(job.module, remote.epoch, job.command, by_hand=True))

    def _ask(self, remote: Remote) -> None:
        """Ask for the lease, and without one what the module does: hold, stop and abort reach it all the same."""
        if remote.is_trusted and not remote.is_in_hands and self._runtime.now() - remote.asked > ASK_AGAIN:
            self._fleet.ask_lease(remote)
        is_stale = self._runtime.now() - remote.viewed > STALE
        if remote.view is None or is_stale or (remote.is_in_hands and not remote.is_compared):
            self._fleet.inquire(remote)

    def _miss_processes(self) -> None:
        if self._unheard and self._runtime.now() - self._began > UNHEARD:
            for process in self._unheard:
                why = f"the process {process} was not heard since the runner began"
                self._alarms.raise_alarm("R001", process, why)
                self._guards.miss(process)

    def _take_back(self, remote: Remote, numbers: set[int]) -> None:
        """Ask to cancel these commands of a module, again and again until it says that it did or cannot.

        A feed concerns no part: it goes on when the feeder takes it.
        """
        now = self._runtime.now()
        for job in self._book.state.commands().values():
            number = job.command
            if (
                job.module != remote.name
                or number not in numbers
                or number in remote.too_late
                or not job.parts
            ):
                continue
            if now - remote.cancelled.get(number, float("-inf")) >= RESEND:
                remote.cancelled[number] = now
                self._fleet.send(remote, Cancel(job.module, remote.epoch, number))


def _hands_reached_in(before: View | None, now: View) -> bool:
    """Whether the module was reset, or its mode changed: perhaps something was moved by hand."""
    is_reset = now.state is State.IDLE and (before is None or before.state is not State.IDLE)
    return is_reset or (before is not None and before.mode is not now.mode)


def _module_of(message: Message) -> str:
    if isinstance(message, Event):
        return message.view.module if message.view is not None else message.source
    return str(getattr(message, "module", ""))
