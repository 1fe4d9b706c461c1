"""What sets the pace of a line: the table of one part's steps in a run, its steady cycle, and the best order of work.

A command is cut where a part or component leaves its place, since that is when the next one may come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cellctl.flow.events import Dispatched
from cellctl.line.model import Line, station_of
from cellctl.messages import Item
from cellctl.plan.courses import Act
from cellctl.plan.errors import BadPlan
from cellctl.plan.flow_run import Done, FlowRun
from cellctl.plan.line_cycle import LineStep
from cellctl.plan.timing import USUAL, Talk
from cellctl.plan.ways import Ways, least_round
from cellctl.recipe.executable import Executable, Step
from cellctl.skill import Holds, Works


def line_table(
    line: Line, run: FlowRun, executable: Executable, part: str, talk: Talk = USUAL
) -> tuple[LineStep, ...]:
    """The steps of one part of a run, and the feeding of what went into it, for `cellctl.plan.line_cycle`."""
    return tuple(_Table(line, run, executable, part, talk).rows())


def capacities(line: Line, table: Sequence[LineStep]) -> dict[str, int]:
    """How much the stations of a table hold; modules, which it takes like stations, do one thing at a time."""
    taken = {name for row in table for name in row.takes}
    return {name: line.stations[name].capacity for name in taken if name in line.stations}


def first_piece(acts: Sequence[Act], talk: Talk = USUAL) -> float:
    """How long it takes until the first act that moves something has ended [s]."""
    return sum(act.takes.likely + talk.action for act in next(_pieces(acts), []))


def greatest_load(line: Line, table: Sequence[LineStep], ways: Ways) -> float:
    """How long one part keeps the busiest module busy at least: no order has a period below that [s].

    The table is that with the shortest ways.
    """
    loads = {name: least_round(own) for name, own in ways.items()}
    held: set[str] = set()
    for row in table:
        held |= {name for name in row.takes if name in line.modules}
        for name in held:
            loads[name] = loads.get(name, 0.0) + row.duration
        held -= set(row.frees)
    return max(loads.values(), default=0.0)


class _Table:
    def __init__(self, line: Line, run: FlowRun, executable: Executable, part: str, talk: Talk) -> None:
        self._line, self._executable, self._part, self._talk = line, executable, part, talk
        self._own = [done for done in run.done if part in done.command.parts]
        self._fed = {
            item.id: done for done in run.done if done.command.skill == "feed" for item in done.command.items
        }
        self._carriers = frozenset(carrier.id for carrier in line.carriers)
        self._last: dict[str, str] = {}  # step -> the row in which it ends

    def rows(self) -> Iterator[LineStep]:
        """Raises BadPlan where parts share a command, or modules the work: one part's table does not tell the pace."""
        for done in self._own:
            step = self._executable.step(done.command.step)
            if any(item.id in self._carriers for item in done.command.items):
                raise BadPlan(step.name, "moves a carrier, which comes back for other parts")
            if step.parts > 1:
                raise BadPlan(step.name, "works on several parts at once")
            if any(len(names) > 1 for names in step.modules.values()):
                raise BadPlan(step.name, "several modules share this work")
            feeds = [row for item in done.command.items if (row := self._feed(item)) is not None]
            yield from feeds
            yield from self._rows_of(done, step, tuple(row.name for row in feeds))

    def _feed(self, item: Item) -> LineStep | None:
        done = self._fed.get(item.id)
        if done is None:
            return None
        seconds = done.course.takes(self._talk).likely + self._talk.order + self._talk.answer
        busy = self._busy(done.command)
        name = f"feed {item.material}"
        return LineStep(name, seconds, (), takes=(station_of(item.origin), *busy), frees=busy)

    def _rows_of(self, done: Done, step: Step, feeds: tuple[str, ...]) -> Iterator[LineStep]:
        """A module is taken like a station, from the first piece of the first phase to the last piece of the last."""
        command = done.command
        phases = len(step.phases) or 1
        before, busy = self._before(step), self._busy(command)
        pieces = list(_pieces(done.course.acts))
        for number, piece in enumerate(pieces):
            is_first, is_last = number == 0, number == len(pieces) - 1
            seconds = sum(act.takes.likely + self._talk.action for act in piece)
            seconds += self._talk.order + done.waited if is_first else 0.0
            seconds += self._talk.answer if is_last else 0.0
            name = self._name(step, done, number, is_last)
            begins, ends = is_first and not command.phase, is_last and command.phase + 1 >= phases
            taken = (*self._taken(command, step), *busy) if begins else ()
            freed = (*self._freed(piece, done), *(busy if ends else ()))
            yield LineStep(name, seconds, (), (*before, *feeds) if is_first else before, taken, freed)
            before = (name,)
        self._last[step.name] = before[0]

    def _name(self, step: Step, done: Done, number: int, is_last: bool) -> str:
        """Steps have one row each, or several with what their piece ends with."""
        phase = f" {done.command.phase + 1}" if done.command.phase else ""
        if is_last and done.command.phase + 1 >= len(step.phases or ("",)):
            return step.name
        return f"{step.name}{phase}: {_pieces_end(done.course.acts, number)}"

    def _before(self, step: Step) -> tuple[str, ...]:
        """The rows that have ended: of the phase before, of the steps it needs, or of the step above."""
        if step.name in self._last:
            return (self._last[step.name],)
        needed = tuple(self._last[need] for need in step.needs if need in self._last)
        return needed or tuple(self._last.values())[-1:]

    def _taken(self, command: Dispatched, step: Step) -> tuple[str, ...]:
        """Where the part comes to stand by this step; sinks are never full."""
        if step.works not in (Works.MOVES, Works.MAKES) or command.phase:
            return ()
        found = dict.fromkeys(station_of(item.target) for item in command.items if item.target)
        return tuple(
            name for name in found if name in self._line.stations and not self._line.stations[name].sink
        )

    def _freed(self, piece: Sequence[Act], done: Done) -> tuple[str, ...]:
        """The stations that something leaves with the end of this piece."""
        left = {item.id: station_of(item.origin) for item in done.command.items}
        first: dict[str, Act] = {}
        for act in done.course.acts:
            for move in act.moves:
                first.setdefault(move.item, act)
        gone = [
            left[item] for item, act in first.items() if item in left and any(act is each for each in piece)
        ]
        return tuple(name for name in gone if name in self._line.stations)

    def _busy(self, command: Dispatched) -> tuple[str, ...]:
        """The modules that do nothing else meanwhile."""
        skill = self._line.modules[command.module].kind.skill(command.skill)
        if skill is not None and skill.holds is Holds.STATIONS and len(command.modules) == 1:
            return ()
        return tuple(dict.fromkeys(command.modules.values()))


def _pieces(acts: Sequence[Act]) -> Iterator[list[Act]]:
    """The acts, cut behind each that moves something; what follows the last such act is a piece of its own."""
    piece: list[Act] = []
    for act in acts:
        piece.append(act)
        if act.moves:
            yield piece
            piece = []
    if piece:
        yield piece


def _pieces_end(acts: Sequence[Act], number: int) -> str:
    return list(_pieces(acts))[number][-1].what
