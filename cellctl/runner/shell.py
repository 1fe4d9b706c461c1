"""The runner's one loop: take what has come, fold it, ask flow what happens next, journal all of it in one append,
and only then let commands and replies leave. Everything it decides stands in `cellctl.flow`; see there first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from cellctl.errors import CellctlError, Refused, StoreError
from cellctl.flow.decide import are_alike
from cellctl.flow.events import Dispatched, FlowEvent, LineTaken
from cellctl.flow.state import FlowState
from cellctl.flow.turns import decide_by_turns
from cellctl.line.model import Line
from cellctl.messages import Instruct, Reply, Request
from cellctl.packml import State
from cellctl.runner.alarms import AlarmBoard
from cellctl.runner.arrivals import Arrivals
from cellctl.runner.book import LONGEST, Book
from cellctl.runner.clearance import Clearance
from cellctl.runner.clients import recorded_as
from cellctl.runner.comparison import Comparison
from cellctl.runner.dialogue import Dialogue
from cellctl.runner.fleet import Fleet
from cellctl.runner.foresight import Foresight
from cellctl.runner.guards import Guards
from cellctl.runner.line_state import LineState
from cellctl.runner.replies import Awaited, Replies, word_on
from cellctl.runner.rest import rest_at_once
from cellctl.runtime import Channel, Incoming, Runtime, Server

TICK = 0.5  # [s] how often silence and lost messages are looked after

Verb = Callable[["Runner", str, dict[str, Any]], dict[str, Any] | Awaited]


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something that came in: from a module process, from a client (`process` is ""), or a tick (`incoming` None).
    `begun` is what was told to a module at once of a client's request."""

    process: str
    incoming: Incoming | None = None
    begun: Instruct | None = None


async def run_runner(
    runtime: Runtime, line: Line, verbs: dict[str, Verb], *, automatic: bool, longest_journal: int = LONGEST
) -> None:
    """Run the line for ever. `automatic`: after a crash it goes on by itself, else a person starts it.
    After `longest_journal` records the journal begins again.

    Raises StoreError when the journal cannot be trusted or written, Refused when the line file changed while parts
    were on the line.
    """
    async with runtime.open_store("runner") as store:
        book = Book(store, line, longest_journal)
        async with runtime.serve("runner") as server, runtime.tasks() as group:
            runner = Runner(runtime, line, book, server, verbs, automatic)
            await runner.take_over()
            for process in line.processes:
                group.start(_listen(runtime, process, runner), f"listen to {process}")
            group.start(_attend(server, runner), "attend clients")
            group.start(_tick(runtime, runner.inbox), "tick")
            await runner.run()


async def _listen(runtime: Runtime, process: str, runner: Runner) -> None:
    async with runtime.connect(process) as peer:
        runner.fleet.connect(process, peer)
        while True:
            runner.inbox.send(Arrival(process, await peer.inbox.receive()))


async def _attend(server: Server, runner: Runner) -> None:
    while True:
        incoming = await server.requests.receive()
        runner.inbox.send(Arrival("", incoming, rest_at_once(incoming, runner.fleet, runner.line_state)))


async def _tick(runtime: Runtime, inbox: Channel[Arrival]) -> None:
    while True:
        await runtime.sleep(TICK)
        inbox.send(Arrival(""))


class Runner:
    """The parts of the runner, put together; what `cellctl.runner.requests` works on."""

    def __init__(
        self,
        runtime: Runtime,
        line: Line,
        book: Book,
        server: Server,
        verbs: dict[str, Verb],
        automatic: bool,
    ) -> None:
        self.runtime, self.line, self.book = runtime, line, book
        self.inbox: Channel[Arrival] = runtime.channel()
        self.alarms = AlarmBoard(runtime, server)
        self.fleet = Fleet(runtime, line, book)
        self.comparison = Comparison(line, self.alarms)
        self.foresight = Foresight(line)
        self.guards = Guards(line, self.fleet, self.alarms)
        self.clearance = Clearance(book, self.guards, self.comparison)
        self.line_state = LineState(
            runtime, book, self.fleet, self.alarms, self.clearance, self.guards, automatic
        )
        arrivals = Arrivals(runtime, line, book, self.fleet, self.alarms)
        self._dialogue = Dialogue(
            runtime, book, self.fleet, self.alarms, self.comparison, self.guards, arrivals
        )
        self.trust = self._dialogue.trust
        self._replies, self._verbs = Replies(runtime, book, server), verbs
        self._decided, self._ready = FlowState(), frozenset[str]()  # as decided last: nothing follows from it
        self._shown = FlowState()  # that the standing alarms are of

    @property
    def state(self) -> FlowState:
        return self.book.state

    def record(self, event: FlowEvent) -> None:
        """Apply an event now; it is durable before anything that follows from it leaves this process."""
        self.book.record(event)

    async def take_over(self) -> None:
        """Begin, or go on after a restart. Raises Refused for another line file with parts on the line."""
        state = self.state
        if state.line and state.line != self.line.digest:
            self._check_changed_line(state)
        if state.line != self.line.digest:
            self.record(LineTaken(self.line.name, self.line.digest, self.runtime.utc()))
        self.line_state.go_on_after_restart()
        await self.book.make_durable()

    def _check_changed_line(self, state: FlowState) -> None:
        """Raises Refused for what only the line file of before can finish."""
        left = [*state.parts, *(order.id for order in state.orders.values() if not order.is_complete)]
        left += [
            item
            for item, place in state.places().items()
            if place and state.station_of(place) not in self.line.stations and item not in left
        ]
        if left:
            raise Refused(
                f"the line file of {self.line.name} changed, but {', '.join(left[:5])} "
                f"{'is' if len(left) == 1 else 'are'} not finished; put the old file back, and finish or cancel first"
            )

    async def run(self) -> None:
        """Serve for ever."""
        while True:
            for arrival in [await self.inbox.receive(), *self.inbox.drain()]:
                self._take(arrival)
            self.line_state.steer()
            self._decide()
            self._show_standing()
            self._replies.settle()
            await self.book.make_durable()

    def _take(self, arrival: Arrival) -> None:
        incoming = arrival.incoming
        if incoming is None:
            self._dialogue.look_after()
        elif arrival.process:
            self._dialogue.take(arrival.process, incoming)
        elif isinstance(incoming.message, Request):
            self._serve(incoming, incoming.message, arrival.begun)

    def _decide(self) -> None:
        ready, state = self.ready(), self.state
        if ready == self._ready and are_alike(state, self._decided):
            return  # nothing has come that it depends on
        if self.comparison.doubtful or not self.trust.is_whole:
            return
        known = self.foresight.known(state)
        for event in decide_by_turns(state, self.line, ready, self.runtime.utc(), known):
            self.record(event)
            if isinstance(event, Dispatched):
                self._dialogue.patience.begin(event.number, self.runtime.now())
                self.fleet.send_command(self.state.jobs[event.job])
        self._decided, self._ready = self.state, ready

    def ready(self) -> frozenset[str]:
        """The modules that take commands now."""
        if self.state.packml is not State.EXECUTE:
            return frozenset()
        ready = [remote.name for remote in self.fleet if remote.takes_commands]
        return frozenset(filter(self.clearance.is_guarded, ready) if self.guards.exist else ready)

    def _show_standing(self) -> None:
        """Every part that waits for a person and every empty station has its alarm, and no other has."""
        state = self.state
        if state is self._shown:
            return
        self._shown = state
        asking = {part.id: part.asking for part in state.parts.values() if part.asking is not None}
        texts = {
            part: f"{ask.step} ended with {ask.outcome}. {ask.detail}".strip() for part, ask in asking.items()
        }
        self.alarms.show("R030", texts)
        self.alarms.show("R022", {station: f"{station} is empty" for station in state.empty})
        stuck = {carrier: state.carriers[carrier] for carrier in state.stuck}
        self.alarms.show("R025", {c: f"{c} did not come on from {at}" for c, at in stuck.items()})

    def _serve(self, incoming: Incoming, request: Request, begun: Instruct | None) -> None:
        who = recorded_as(request.who, incoming.key)
        reply = Reply(request.id, who=who)
        try:
            verb = self._verbs.get(request.verb)
            if verb is None:
                known = ", ".join(sorted(self._verbs))
                raise Refused(f"the runner knows no {request.verb!r}; it knows {known}")
            result = verb(self, who, request.body) if begun is None else self._told(begun)
            self._replies.give(incoming.peer, reply, result)
        except StoreError as error:
            why = (
                "this holds what cannot be kept on record, such as characters that are none; it was not done"
            )
            self.runtime.log.warning("not recorded", verb=request.verb, why=str(error))
            self._replies.refuse(incoming.peer, reply, why)
        except CellctlError as error:
            self._replies.refuse(incoming.peer, reply, str(error))
        except Exception as error:  # else a request that is repeated would end each runner that is started
            self.runtime.log.error("request failed", verb=request.verb, error=repr(error))
            self._replies.refuse(
                incoming.peer, reply, f"the runner failed in it ({error!r}); please report it"
            )

    def _told(self, message: Instruct) -> Awaited:
        """The module's word on what it was told at once. It is told again, since what left later may have undone it."""
        remote = self.fleet[message.module]
        self.fleet.send(remote, replace(message, id=self.fleet.next_id()))
        return word_on(remote, message.id)
