"""A small line for the flow core, made from the models alone: a belt with stops, an arm, a press and a feeder."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import BaseModel

from cellctl.device import Pose
from cellctl.flow.decide import decide
from cellctl.flow.events import Answered, FlowEvent, OrderTaken, RecipeTaken
from cellctl.flow.fold import apply, fold
from cellctl.flow.state import FlowState, Job
from cellctl.line.model import Line, Module, Process, Station, Tool
from cellctl.messages import Move
from cellctl.recipe.executable import Executable, Route, Step
from cellctl.skill import Ends, Holds, KindDeclaration, Outcome, Skill, Works

HERE = {"": Pose(0, 0, 0)}


class NoOptions(BaseModel):
    pass


def _skill(name: str, works: Works, holds: Holds = Holds.MODULE, **outcomes: Ends) -> Skill:
    named = {"done": Outcome(Ends.AT_TARGET, "it is done")}
    named |= {outcome: Outcome(ends, outcome) for outcome, ends in outcomes.items()}
    return Skill(name, name, works, named, holds=holds)


def _kind(name: str, *skills: Skill) -> KindDeclaration:
    return KindDeclaration(name, name, "", skills, {}, NoOptions)


BELT = _kind("conveyor", _skill("advance", Works.MOVES, Holds.STATIONS, jam=Ends.ANYWHERE))
ARM = _kind(
    "arm",
    _skill("transfer", Works.MOVES, missed=Ends.AT_ORIGIN),
    _skill("insert", Works.JOINS, missed=Ends.AT_ORIGIN),
)
PRESS = _kind("machine", _skill("run", Works.STAYS, failed=Ends.AT_ORIGIN))
GAUGE = _kind("inspection", _skill("measure", Works.STAYS, reject=Ends.AT_ORIGIN))
FEEDER = _kind("feeder", _skill("feed", Works.SUPPLIES, empty=Ends.AT_ORIGIN))


def _module(name: str, kind: KindDeclaration, *stations: Station, at: str = "", tool: bool = False) -> Module:
    tools = (Tool(f"{name}.gripper", f"{name}.hand"),) if tool else ()
    return Module(name, kind, NoOptions(), name, {}, stations, tools, at)


def _line(*modules: Module, work_in_process: int = 0) -> Line:
    process = Process("runner", (), "inproc://r", "inproc://r")
    named = {module.name: module for module in modules}
    processes = {m.name: Process(m.name, (m.name,), m.name, m.name) for m in modules}
    return Line("small", "digest", named, {}, processes, process, work_in_process=work_in_process)


@pytest.fixture
def small_line() -> Line:
    """Feeder -> arm -> belt (load, press, gauge, exit), scrap bin at the arm."""
    return _line(
        _module("feeder", FEEDER, Station("feeder.pick", "feeder", poses=HERE, source="housing")),
        _module(
            "belt",
            BELT,
            Station("belt.load", "belt", poses=HERE, at=0.1),
            Station("belt.press", "belt", at=0.2),
            Station("belt.gauge", "belt", poses=HERE, at=0.3),
            Station("belt.exit", "belt", at=0.4, sink=True),
        ),
        _module("arm", ARM, Station("arm.bin", "arm", poses={"arm": Pose(0, 0, 0)}, sink=True), tool=True),
        _module("press", PRESS, at="belt.press"),
        _module("gauge", GAUGE, at="belt.gauge"),
    )


@pytest.fixture
def cup_recipe() -> Executable:
    """Load, press, measure, out; a reject is measured again once, then scrapped."""
    steps = (
        Step("load", "transfer", Works.MOVES, {"": ("arm",)}, take="housing", to=("belt.load",),
             routes={"missed": Route(retry=2)}),
        Step("to_press", "advance", Works.MOVES, {"": ("belt",)}, to=("belt.press",), needs=("load",)),
        Step("press", "run", Works.STAYS, {"": ("press",)}, needs=("to_press",)),
        Step("to_gauge", "advance", Works.MOVES, {"": ("belt",)}, to=("belt.gauge",), needs=("press",)),
        Step("measure", "measure", Works.STAYS, {"": ("gauge",)}, needs=("to_gauge",),
             routes={"reject": Route(retry=1, then="scrap")}),
        Step("out", "advance", Works.MOVES, {"": ("belt",)}, to=("belt.exit",), needs=("measure",)),
    )  # fmt: skip
    scrap = (Step("bin", "transfer", Works.MOVES, {"": ("arm",)}, to=("arm.bin",)),)
    return Executable("cup", 1, "plain", "digest", steps, scrap)


@pytest.fixture
def ordered() -> Callable[..., FlowState]:
    """The state with one order taken."""

    def order(executable: Executable, quantity: int, name: str = "o1") -> FlowState:
        digest = executable.digest
        return fold([RecipeTaken(digest, executable), OrderTaken(name, digest, quantity)])

    return order


def answer(job: Job, outcome: str = "done", **results: float) -> Answered:
    """The answer of a module that did as it was told: every item at its target when done, unmoved otherwise."""
    moves: tuple[Move, ...] = ()
    if outcome == "done":
        moves = tuple(Move(item.id, item.target) for item in job.items if item.target)
    return Answered(job.command, outcome, moves, dict(results))


@pytest.fixture
def play() -> Callable[..., tuple[FlowState, list[FlowEvent]]]:
    """Run decide and answer every command, oldest first, until nothing more happens."""

    def run(
        state: FlowState, line: Line, outcome: Callable[[Job], str] = lambda job: "done", most: int = 2000
    ) -> tuple[FlowState, list[FlowEvent]]:
        ready, events = frozenset(line.modules), []
        for _ in range(most):
            for event in decide(state, line, ready, 0.0):
                state = apply(state, event)
                events.append(event)
            waiting = sorted(state.commands().values(), key=lambda job: job.command)
            if not waiting:
                return state, events
            event = answer(waiting[0], outcome(waiting[0]))
            state = apply(state, event)
            events.append(event)
        raise AssertionError("the line does not come to an end")

    return run


@pytest.fixture
def with_line() -> Callable[..., Line]:
    """A line with another limit of work in process."""

    def change(line: Line, work_in_process: int) -> Line:
        return _line(*line.modules.values(), work_in_process=work_in_process)

    return change
