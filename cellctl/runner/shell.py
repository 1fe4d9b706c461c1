"""The runner's one loop: take what has come, fold it, ask flow what happens next, journal all of it in one append,
and only then send commands and replies. Everything it decides stands in `cellctl.flow`; see there first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from cellctl.errors import CellctlError, JournalShort, Refused
from cellctl.flow.decide import announced, decide
from cellctl.flow.events import Answered, Dispatched, FlowEvent, LineEntered, LineTaken, Moved
from cellctl.flow.fold import apply
from cellctl.flow.state import FlowState, Job
from cellctl.journal import Journal, check_not_shorter
from cellctl.line.model import Line
from cellctl.messages import (
    Accepted,
    Alarm,
    Announced,
    Answer,
    Cancel,
    Command,
    Event,
    Inquire,
    Instruct,
    LeaseDenied,
    LeaseGranted,
    LeaseRequest,
    Message,
    Noted,
    Refusal,
    Reply,
    Request,
    TooLate,
    View,
)
from cellctl.packml import Mode, State, completed
from cellctl.runner.alarms import ALARMS
from cellctl.runner.reconcile import Contradiction, contradictions
from cellctl.runner.remote import Remote
from cellctl.runner.steering import has_arrived, instruction
from cellctl.runtime import Channel, Incoming, Peer, Runtime, Server

TICK = 0.5  # [s] how often silence and lost messages are looked after
RESEND = 2.0  # [s] after which an unanswered message is sent again

Verb = Callable[["Runner", str, dict[str, object]], dict[str, object]]


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something that came in: from a module process, from a client (`process` is ""), or a tick (`incoming` None)."""

    process: str
    incoming: Incoming | None = None


async def run_runner(runtime: Runtime, line: Line, verbs: dict[str, Verb], *, automatic: bool) -> None:
    """Run the line for ever. `automatic`: after a crash it goes on by itself, else a person starts it.

    Raises StoreError when the journal cannot be trusted or written, Refused when the line file changed while parts
    were on the line.
    """
    async with runtime.open_store("runner") as store:
        journal = Journal(store, "runner", msgspec.msgpack.Decoder(FlowEvent))
        state = FlowState(carriers={carrier.id: carrier.home for carrier in line.carriers})
        for event in journal.replay():
            state = apply(state, event)
        async with runtime.serve("runner") as server, runtime.tasks() as group:
            runner = Runner(runtime, line, journal, state, server, verbs, automatic)
            await runner.take_over()
            for process in line.processes:
                group.start(_listen(runtime, process, runner), f"listen to {process}")
            group.start(_attend(server, runner.inbox), "attend clients")
            group.start(_tick(runtime, runner.inbox), "tick")
            await runner.run()


async def _listen(runtime: Runtime, process: str, runner: Runner) -> None:
    async with runtime.connect(process) as peer:
        runner.peers[process] = peer
        while True:
            runner.inbox.send(Arrival(process, await peer.inbox.receive()))


async def _attend(server: Server, inbox: Channel[Arrival]) -> None:
    while True:
        inbox.send(Arrival("", await server.requests.receive()))


async def _tick(runtime: Runtime, inbox: Channel[Arrival]) -> None:
    while True:
        await runtime.sleep(TICK)
        inbox.send(Arrival(""))


class Runner:
    """The state of the line, the modules as seen from here, and what waits for the journal."""

    def __init__(
        self,
        runtime: Runtime,
        line: Line,
        journal: Journal[FlowEvent],
        state: FlowState,
        server: Server,
        verbs: dict[str, Verb],
        automatic: bool,
    ) -> None:
        self.runtime, self.line, self.journal, self.state = runtime, line, journal, state
        self.automatic = automatic
        self.inbox: Channel[Arrival] = runtime.channel()
        self.peers: dict[str, Peer] = {}
        self.remotes = {m.name: Remote(m.name, m.process) for m in line.modules.values()}
        self.alarms: dict[str, Alarm] = {}
        self.contradictions: dict[str, Contradiction] = {}
        self._suspected: dict[str, Contradiction] = {}
        self.starting = False  # a person asked for Execute: go on from Idle by itself
        self._server, self._verbs = server, verbs
        self._pending: list[FlowEvent] = []  # applied, not yet durable
        self._replies: list[tuple[str, Reply]] = []
        self._notes: list[tuple[Remote, Noted]] = []
        self._published = 0

    # --- the loop -------------------------------------------------------------------------------------------------

    async def take_over(self) -> None:
        """Begin, or go on after a restart. Raises Refused for another line file with parts on the line."""
        state = self.state
        if state.line and state.line != self.line.digest and (state.parts or state.jobs):
            raise Refused(
                f"the line file of {self.line.name} changed while {len(state.parts)} parts are on the line; "
                "put the old file back and finish or remove them first"
            )
        self.record(LineTaken(self.line.name, self.line.digest, self.runtime.utc()))
        if state.packml in (State.EXECUTE, State.STARTING, State.UNHOLDING) and not self.automatic:
            self.enter(State.STOPPED, "restart")
            self.raise_alarm("R010", "runner", "the line was running when its runner stopped")
        await self._make_durable()

    async def run(self) -> None:
        """Serve for ever."""
        while True:
            arrivals = [await self.inbox.receive(), *self.inbox.drain()]
            for arrival in arrivals:
                self._take(arrival)
            self._decide()
            commands = [event for event in self._pending if isinstance(event, Dispatched)]
            await self._make_durable()
            for event in commands:
                self._send_command(self.state.jobs[event.job])

    def record(self, event: FlowEvent) -> None:
        """Apply an event now; it becomes durable before anything that follows from it leaves this process."""
        self.state = apply(self.state, event)
        self._pending.append(event)

    async def _make_durable(self) -> None:
        if self._pending:
            await self.journal.append(*self._pending)
            self._pending.clear()
        for peer, reply in self._replies:
            self._server.reply(peer, reply)
        self._replies.clear()
        for remote, noted in self._notes:
            self.send(remote, noted)
        self._notes.clear()

    def _decide(self) -> None:
        if self.contradictions or self._suspected:
            return
        for event in decide(self.state, self.line, self.ready(), self.runtime.utc()):
            self.record(event)
        self._show_asking()

    def _show_asking(self) -> None:
        """Every part that waits for a person has its alarm, and no other has."""
        asking = {part.id: part.asking for part in self.state.parts.values() if part.asking is not None}
        for part, ask in asking.items():
            self.raise_alarm(
                "R030", part, f"{part}: {ask.step} ended with {ask.outcome}. {ask.detail}".strip()
            )
        for alarm in [a for a in self.alarms.values() if a.code == "R030" and a.source not in asking]:
            self.clear_alarm("R030", alarm.source)

    def ready(self) -> frozenset[str]:
        """The modules that take commands now."""
        if self.state.packml is not State.EXECUTE:
            return frozenset()
        return frozenset(name for name, remote in self.remotes.items() if remote.takes_commands)

    # --- what comes in --------------------------------------------------------------------------------------------

    def _take(self, arrival: Arrival) -> None:
        incoming = arrival.incoming
        if incoming is None:
            self._look_after()
        elif arrival.process:
            self._take_from_process(arrival.process, incoming)
        elif isinstance(incoming.message, Request):
            self._serve(incoming.peer, incoming.message)

    def _take_from_process(self, process: str, incoming: Incoming) -> None:
        if incoming.message is None:
            for remote in self._hosted(process):
                remote.lose()
                remote.alive = incoming.alive
                if incoming.alive:
                    self._ask_lease(remote)
            self._tell_of_silence(process, incoming.alive)
            return
        sender = self.remotes.get(_module_of(incoming.message))
        if sender is not None and sender.process == process:
            try:
                self._take_from_module(sender, incoming.message)
            except JournalShort as error:
                sender.lose()
                self.raise_alarm("R011", sender.name, str(error))

    def _take_from_module(self, remote: Remote, message: Message) -> None:
        match message:
            case LeaseGranted(_, _, epoch, head):
                check_not_shorter(remote.name, self.state.heads.get(remote.name, head), head)
                remote.epoch, remote.refusal = epoch, ""
                remote.sent.clear()
                remote.accepted.clear()
                self.send(remote, Inquire(remote.name))
            case LeaseDenied(_, holder, why):
                remote.epoch, remote.refusal = 0, f"{holder} has its lease: {why}"
            case View():
                self._take_view(remote, message)
                self._compare(remote, message.occupied)
            case Event():
                self._take_event(remote, message)
            case Accepted(_, number):
                remote.accepted.add(number)
            case Answer():
                self._take_answer(message)
            case Refusal(_, number, why, lease_lost):
                remote.sent.pop(number, None)
                remote.refusal = why
                if not number:
                    remote.told = None  # an instruction came too early: the next tick gives it again
                if lease_lost:
                    remote.epoch = 0
                    self._ask_lease(remote)
            case Announced():
                self._take_announcement(remote, message)
            case TooLate():
                pass
            case _:
                self.runtime.log.warning(
                    "unexpected message", module=remote.name, kind=type(message).__name__
                )

    def _take_answer(self, answer: Answer) -> None:
        if answer.number not in self.state.commands():
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
        self.record(event)
        self.clear_alarm("R020", str(answer.number))

    def _take_announcement(self, remote: Remote, message: Announced) -> None:
        birth = announced(self.state, message, self.runtime.utc())
        if birth is not None:
            self.record(birth)
        if message.number <= self.state.announced.get(message.module, 0):
            self._notes.append((remote, Noted(message.module, message.number)))

    def _take_event(self, remote: Remote, event: Event) -> None:
        if event.view is not None:
            self._take_view(remote, event.view)
        if event.move is not None:
            job = self.state.commands().get(event.command)
            if job is not None and event.index == job.seen:
                self.record(Moved(event.command, event.index, event.move))
        if event.alarm is not None:
            self.alarms[_alarm_key(event.alarm.code, event.alarm.source)] = event.alarm
        if event.cleared:
            self.alarms.pop(event.cleared, None)

    def _take_view(self, remote: Remote, view: View) -> None:
        before = remote.state
        remote.view = view
        self._show_alarms(remote.name, view)
        if view.state is not before:
            remote.told = None
            if view.state is State.IDLE:
                remote.is_compared = False
                self.send(remote, Inquire(remote.name))
            self.runtime.log.info("module state", module=remote.name, state=view.state)
        self.steer()
        if remote.takes_commands:
            self._resend(remote, older_than=0.0 if before is not State.EXECUTE else RESEND)

    def _show_alarms(self, module: str, view: View) -> None:
        shown = {_alarm_key(alarm.code, alarm.source): alarm for alarm in view.alarms}
        gone = [
            k
            for k, a in self.alarms.items()
            if _is_of(a.source, module) and k not in shown and a.code[0] != "R"
        ]
        for key in gone:
            del self.alarms[key]
        self.alarms |= shown

    def _compare(self, remote: Remote, seen: dict[str, bool | None]) -> None:
        """Hold what a module's sensors say, just read, against the part map.

        What the map says may be newer than the reading: only what two readings say is believed, and nothing new is
        begun between them.
        """
        remote.seen, remote.is_compared = seen, True
        found = {c.station: c for c in contradictions(self.state, self.line, seen)}
        for station in seen:
            if station not in found:
                self._suspected.pop(station, None)
                self.contradictions.pop(station, None)
                self.clear_alarm("R012", station)
        for station, contradiction in found.items():
            if self._suspected.get(station) == contradiction:
                self.contradictions[station] = contradiction
                self.raise_alarm("R012", station, str(contradiction))
            elif station not in self.contradictions:
                self._suspected[station] = contradiction
                self.send(remote, Inquire(remote.name))

    def compare_again(self) -> None:
        """Ask the sensors wherever they contradict the part map."""
        doubtful = {*self.contradictions, *self._suspected}
        for remote in self.remotes.values():
            if remote.alive and not doubtful.isdisjoint(remote.seen):
                self.send(remote, Inquire(remote.name))

    # --- what goes out --------------------------------------------------------------------------------------------

    def send(self, remote: Remote, message: Message) -> None:
        """Send to a module's process; lost when it is away (whoever needs an answer asks again)."""
        peer = self.peers.get(remote.process)
        if peer is not None:
            peer.send(message)

    def _ask_lease(self, remote: Remote) -> None:
        self.send(remote, LeaseRequest(remote.name, f"runner of {self.line.name}", self.journal.head))

    def _send_command(self, job: Job) -> None:
        remote = self.remotes[job.module]
        if not remote.takes_commands or job.is_between:
            return  # it is sent when the module takes commands again
        oldest = min(
            (j.command for j in self.state.jobs.values() if j.module == job.module), default=job.command
        )
        remote.sent[job.command] = self.runtime.now()
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
            head=self.journal.head,
        )
        self.send(remote, command)

    def _resend(self, remote: Remote, older_than: float) -> None:
        now = self.runtime.now()
        for job in self.state.commands().values():
            if job.module == remote.name and now - remote.sent.get(job.command, -1e9) >= older_than:
                self._send_command(job)

    def _look_after(self) -> None:
        """Every tick: ask again for what was lost, steer, and stop what takes too long."""
        for remote in self.remotes.values():
            if not remote.alive:
                continue
            if remote.epoch == 0:
                self._ask_lease(remote)
            elif remote.view is None or not remote.is_compared:
                self.send(remote, Inquire(remote.name))
            elif remote.takes_commands:
                self._resend(remote, RESEND)
                self._stop_overdue(remote)
        self.compare_again()
        self.steer()

    def _stop_overdue(self, remote: Remote) -> None:
        for job in self.state.commands().values():
            if job.module != remote.name or not job.parts or job.command in remote.cancelled:
                continue
            limit = self.state.executable(self.state.parts[job.parts[0]]).step(job.step).timeout
            since = remote.sent.get(job.command)
            if limit is not None and since is not None and self.runtime.now() - since > limit:
                remote.cancelled.add(job.command)
                self.raise_alarm(
                    "R020", str(job.command), f"{job.step} on {job.module} takes longer than {limit:g} s"
                )
                self.send(remote, Cancel(job.module, remote.epoch, job.command))

    # --- the line's own state -------------------------------------------------------------------------------------

    def enter(self, state: State, who: str, mode: Mode | None = None) -> None:
        """The line enters a state."""
        self.record(LineEntered(state, mode or self.state.mode, who, self.runtime.utc()))
        self.runtime.log.info("line state", state=state, who=who)

    def steer(self) -> None:
        """Bring every module that is in use to where the line wants it."""
        used = [r for r in self.remotes.values() if r.name not in self.state.out]
        states = [r.state for r in used if r.state is not None]
        if has_arrived(self.state.packml, states) and len(states) == len(used):
            self.enter(completed(self.state.packml), "runner")
            self._go_on()
        for remote in used:
            if remote.alive and remote.epoch and remote.state is not None:
                self._instruct(remote, remote.state)

    def _go_on(self) -> None:
        """On the way to Execute, the next command by itself."""
        following = {State.STOPPED: State.RESETTING, State.IDLE: State.STARTING}.get(self.state.packml)
        if self.starting and following is not None:
            self.enter(following, "runner")
        if self.state.packml in (State.EXECUTE, State.HELD, State.ABORTED):
            self.starting = False

    def _instruct(self, remote: Remote, state: State) -> None:
        restarted = state in (State.STOPPED, State.IDLE) and self.state.packml is State.EXECUTE
        if restarted and not self.automatic:
            self.raise_alarm("R013", remote.name, f"{remote.name} is {state} while the line executes")
            return
        self.clear_alarm("R013", remote.name)
        command = instruction(self.state.packml, state, by_itself=self.automatic)
        now = self.runtime.now()
        if command is None or (remote.told and remote.told[0] is state and now - remote.told[1] < RESEND):
            return
        remote.told = (state, now)
        self.send(remote, Instruct(remote.name, "runner", command, epoch=remote.epoch))

    # --- people ---------------------------------------------------------------------------------------------------

    def _serve(self, peer: str, request: Request) -> None:
        try:
            verb = self._verbs.get(request.verb)
            if verb is None:
                raise Refused(
                    f"the runner knows no {request.verb!r}; it knows {', '.join(sorted(self._verbs))}"
                )
            reply = Reply(request.id, verb(self, request.who, request.body))
        except CellctlError as error:
            reply = Reply(request.id, error=str(error))
        self._replies.append((peer, reply))

    def raise_alarm(self, code: str, source: str, text: str) -> None:
        """Something that an operator must know."""
        key = _alarm_key(code, source)
        if key not in self.alarms:
            _, cause, remedy = ALARMS[code]
            self.alarms[key] = Alarm(code, source, text, cause, remedy, self.runtime.utc(), not self.alarms)
            self._publish(alarm=self.alarms[key])
            self.runtime.log.warning("alarm", code=code, source=source, text=text)

    def clear_alarm(self, code: str, source: str) -> None:
        """The cause of an alarm is gone."""
        if self.alarms.pop(_alarm_key(code, source), None):
            self._publish(cleared=_alarm_key(code, source))

    def _publish(self, alarm: Alarm | None = None, cleared: str = "") -> None:
        self._published += 1
        self._server.publish(Event(self._published, "runner", alarm=alarm, cleared=cleared))

    def _tell_of_silence(self, process: str, alive: bool) -> None:
        if alive:
            self.clear_alarm("R001", process)
        else:
            self.raise_alarm("R001", process, f"the process {process} does not answer")

    def _hosted(self, process: str) -> list[Remote]:
        return [remote for remote in self.remotes.values() if remote.process == process]


def _alarm_key(code: str, source: str) -> str:
    return f"{code} {source}"


def _is_of(source: str, module: str) -> bool:
    return source == module or source.startswith(f"{module}.")


def _module_of(message: Message) -> str:
    if isinstance(message, Event):
        return message.view.module if message.view is not None else message.source
    return str(getattr(message, "module", ""))
