"""A whole line in virtual time: its plant, its module processes, its runner, and an operator who orders and starts.

    result = simulate(line, [Order("1", text, "sensor-puck.yaml", "tall", 10)], seed=7)
    result.report.parts_made, result.trace, result.wall

The processes are those of the live world: the very `run_process` and `run_runner`, on another runtime.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from cellctl.errors import DeadlineExceeded, Refused, UnknownName
from cellctl.flow.events import FlowEvent
from cellctl.line.model import Line
from cellctl.messages import Reply, Request
from cellctl.modules.shell import run_process
from cellctl.runner.book import LONGEST as LONGEST_JOURNAL
from cellctl.runner.book import runner_journal
from cellctl.runner.report import Report, report
from cellctl.runner.requests import VERBS
from cellctl.runner.shell import run_runner
from cellctl.runtime import Peer
from cellctl_sim.aimed_kills import EffectKill, StepKill
from cellctl_sim.assassin import Assassin
from cellctl_sim.evidence import Rows
from cellctl_sim.plant.faults import Fault
from cellctl_sim.plant.plant import Plant
from cellctl_sim.process_faults import ALL, OPERATOR, RUNNER, Disturbance, ProcessFault
from cellctl_sim.runtime import LogRecord, SimRuntime
from cellctl_sim.universe import Universe

PATIENCE = 2.0  # [s] that the operator waits for a reply before asking again
LOOK = 1.0  # [s] between the operator's looks at the line
LONGEST = 30 * 86400.0  # [s] that a simulation may go on where nothing is said

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Order:
    """So many parts of one variant; `text` is the recipe file's, `source` its name for messages."""

    id: str
    text: str
    source: str
    variant: str
    quantity: int
    priority: int = 0
    included: dict[str, str] = field(default_factory=dict)  # texts of sub-recipes by name
    parts: str = ""  # YAML: values of parameters for each part
    turns: Body = field(default_factory=dict)  # module -> the order of its work, as the verb `order` takes it

    @property
    def body(self) -> Body:
        """As the runner's verb `order` takes it."""
        return {
            "order": self.id,
            "text": self.text,
            "source": self.source,
            "variant": self.variant,
            "quantity": self.quantity,
            "priority": self.priority,
            **({"included": self.included} if self.included else {}),
            **({"parts": self.parts} if self.parts else {}),
            **({"turns": self.turns} if self.turns else {}),
        }


@dataclass(frozen=True, slots=True)
class Result:
    """What a simulation came to. Times in seconds; `trace` is the hash of every effect, in order."""

    complete: bool  # every order is
    report: Report
    trace: str
    ended: float  # virtual
    wall: float  # real
    steps: int  # of the loop: the number of instants at which something could have been killed
    status: Body  # the line as a display showed it last
    counters: dict[str, int]
    items: list[dict[str, object]]
    incidents: list[tuple[float, str]]
    log: list[LogRecord] = field(repr=False)
    events: list[FlowEvent] = field(repr=False)  # the runner's journal
    journals: dict[str, list[bytes]] = field(
        repr=False, default_factory=dict
    )  # process -> rows, the runner's too
    runs: dict[str, dict[int, int]] = field(
        default_factory=dict
    )  # machine -> action number -> how often it ran
    struck: list[ProcessFault] = field(default_factory=list)  # kills aimed at what happens, as they fell


def simulate(
    line: Line,
    orders: Sequence[Order],
    seed: int = 0,
    until: float = LONGEST,
    faults: Sequence[Disturbance] = (),
    print_log: bool = False,
    keep_trace: bool = False,
    stage: Callable[[Universe], object] = lambda universe: None,
    longest_journal: int = LONGEST_JOURNAL,
) -> Result:
    """Run the line until every order is complete, at most until the time `until` [s].

    `stage(universe)` is called before anything runs: to change latencies, or to have a kill happen at a step.
    `longest_journal` is the number of records after which a journal begins again.

    Raises Refused when the runner refuses an order, UnhandledError when a process fails, UnknownName and PlugInError
    for a line or fault that cannot be simulated.
    """
    began = time.perf_counter()
    _check_processes(line, faults)
    with Universe(seed, print_log=print_log) as universe:
        plant = Plant(line, universe.random, [fault for fault in faults if isinstance(fault, Fault)])
        universe.install(plant)
        operator = Operator(orders, universe.stop)
        start_line(universe, line, longest_journal)
        universe.start("operator", operator.work)
        for fault in faults:
            if isinstance(fault, ProcessFault):
                fault.happen_in(universe)
        assassin = Assassin(universe, line, [f for f in faults if isinstance(f, EffectKill | StepKill)])
        stage(universe)
        universe.run(until)
        plant.advance(universe.now)
        events = journal_of(universe)
        return Result(
            complete=operator.is_done,
            report=report(events),
            trace=universe.trace.digest,
            ended=universe.now,
            wall=time.perf_counter() - began,
            steps=universe.loop.steps,
            status=operator.status,
            counters=plant.counters(),
            items=plant.items(),
            incidents=plant.incidents(),
            log=universe.records,
            events=events,
            journals={name: universe.disk(name).all_durable for name in (*line.processes, "runner")},
            runs=plant.runs(),
            struck=assassin.struck,
        )


def _check_processes(line: Line, faults: Sequence[Disturbance]) -> None:
    """Raises UnknownName for a fault of a process that the line does not have."""
    known = (*line.processes, RUNNER, OPERATOR, ALL)
    for fault in faults:
        if isinstance(fault, ProcessFault | StepKill) and fault.process not in known:
            raise UnknownName("process", fault.process, known)


def start_line(universe: Universe, line: Line, longest_journal: int = LONGEST_JOURNAL) -> None:
    """Start every process of the line, as its supervisor would."""
    for process in line.processes:
        module = partial(run_process, line=line, process_name=process, longest_journal=longest_journal)
        universe.start(process, module)
    runner = partial(
        run_runner,
        line=line,
        verbs=VERBS,
        automatic=line.restart != "operator",
        longest_journal=longest_journal,
    )
    universe.start("runner", runner)


def journal_of(universe: Universe) -> list[FlowEvent]:
    """What the runner's journal has, checked."""
    rows = Rows(universe.disk("runner").all_durable)
    return list(runner_journal(rows).replay())


ON_THE_WAY = {
    "aborted": "clear",
    "stopped": "reset",
    "idle": "start",
}  # state of a module -> the next command


class Operator:
    """Places the orders, starts the line, and looks until all is done. Asks again when no reply comes.

    Starts the line and its modules again when they have stopped, as `restart: operator` asks of a person; answers no
    questions and corrects no part map.
    """

    def __init__(self, orders: Sequence[Order], go_home: Callable[[], None]) -> None:
        self._orders, self._go_home = orders, go_home
        self.status: Body = {}
        self.is_done = False

    async def work(self, runtime: SimRuntime) -> None:
        """The operator's shift."""
        async with runtime.connect("runner") as runner:
            for order in self._orders:
                await ask(runtime, runner, "order", order.body)
            while not self.is_done:
                await self._start_again(runtime, runner)
                await runtime.sleep(LOOK)
                self.status = await ask(runtime, runner, "status")
                self.is_done = all(order["complete"] for order in self.status["orders"])
        self._go_home()

    async def _start_again(self, runtime: SimRuntime, runner: Peer) -> None:
        """Bring the line, or what of it does not run, to Execute."""
        executes = self.status.get("state") == "execute"
        if not executes:
            await self._tell(runtime, runner, "start", {})
        for module in self.status.get("modules", ()):
            is_idle = module["state"] in ON_THE_WAY if executes else module["state"] == "aborted"
            if module["alive"] and not module["out"] and is_idle:
                body = {"module": module["module"], "command": ON_THE_WAY[module["state"]]}
                await self._tell(runtime, runner, "command", body)

    async def _tell(self, runtime: SimRuntime, runner: Peer, verb: str, body: Body) -> None:
        """What is refused is asked for again at the next look."""
        try:
            await ask(runtime, runner, verb, body)
        except Refused as refusal:
            runtime.log.warning("refused", why=str(refusal))


async def ask(runtime: SimRuntime, runner: Peer, verb: str, body: Body | None = None) -> Body:
    """The body of the runner's reply to a request that may be repeated. Raises Refused."""
    request = Request(f"{verb} at {runtime.now():.6f}", verb, "operator", body or {})
    while True:
        runner.send(request)
        reply = await _reply(runtime, runner, request.id)
        if reply is not None:
            if reply.error:
                raise Refused(reply.error)
            return reply.body


async def _reply(runtime: SimRuntime, runner: Peer, request: str) -> Reply | None:
    """The reply to a request; None when none comes in time, or the runner came (back) only now."""
    try:
        async with runtime.deadline(PATIENCE):
            while True:
                incoming = await runner.inbox.receive()
                if incoming.message is None and incoming.alive:
                    return None
                if isinstance(incoming.message, Reply) and incoming.message.id == request:
                    return incoming.message
    except DeadlineExceeded:
        return None
