"""Nothing lost, nothing twice, as questions to the evidence of a run. Each checker yields what it finds, in words.

    findings = check(evidence)      # empty when all is well

Where an action was under way at the end of the evidence, the plant may have counted it or not; everything else must
agree exactly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cellctl.device import Recovery
from cellctl.flow.events import (
    Answered,
    Dispatched,
    LineEntered,
    Moved,
    PartBorn,
    PartEnded,
)
from cellctl.flow.fold import apply
from cellctl.flow.state import GONE, FlowState
from cellctl.journal import ActionBegan, ActionEnded, Asked, Entered, LeaseTaken, Taken, Told
from cellctl.journal import Answered as ModuleAnswered
from cellctl.line.model import Line, Station, station_of
from cellctl.messages import Head, Move
from cellctl.packml import ACTING, TRANSITIONS, Edition, State
from cellctl_sim.evidence import RUNNER, Entry, Evidence

Findings = Iterator[str]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must not be; `checker` is the name of who found it."""

    checker: str
    text: str

    def __str__(self) -> str:
        return f"{self.checker}: {self.text}"


# --- the ends -----------------------------------------------------------------------------------------------------


def every_order_ends(evidence: Evidence) -> Findings:
    """Each order has as many parts as were asked for, and each of them came to an end."""
    for order in evidence.state.orders.values():
        if not order.is_complete:
            waits = "; ".join(evidence.alarms) or "no alarm says why"
            yield f"order {order.id}: {order.ended} of {order.quantity} parts came to an end ({waits})"


def every_part_is_accounted_for(evidence: Evidence) -> Findings:
    """Good, scrapped, removed and on the line make up what was begun; no part is born or ends twice."""
    for order in evidence.state.orders.values():
        here = sum(part.order == order.id for part in evidence.state.parts.values())
        if order.begun != order.ended + here:
            yield f"order {order.id}: {order.begun} parts begun, {order.ended} ended, {here} on the line"
    born = Counter(event.part for _, event in evidence.happened(PartBorn))
    ended = Counter(event.part for _, event in evidence.happened(PartEnded))
    for part, times in born.items():
        if times > 1 or ended[part] > 1:
            yield f"part {part} was born {times} times and ended {ended[part]} times"
    for part in ended.keys() - born.keys():
        yield f"part {part} ended and was never born"


def items_are_where_the_part_map_says(evidence: Evidence) -> Findings:
    """Station by station the plant has as many things as the journal; those of jobs under way may be on their way."""
    state, line = evidence.state, evidence.line
    moving = {station_of(p) for j in state.jobs.values() for i in j.items for p in (i.origin, i.target)}
    places = [p for name, p in state.places().items() if name not in state.carriers and p != GONE]
    mapped = Counter(state.station_of(place) for place in places)
    mapped.update(_swallowed(evidence))
    real = Counter(station_of(str(item["place"])) for item in evidence.items)
    for place in sorted(mapped.keys() | real.keys()):
        station = line.stations.get(place)
        is_unsettled = place in moving or (station is None and bool(moving))
        spare = 1 if station is not None and station.source else 0  # a feeder is ahead of its word
        if not is_unsettled and not mapped[place] <= real[place] <= mapped[place] + spare:
            yield f"{place or 'nowhere'}: {real[place]} things are there, the journal has {mapped[place]}"


def _swallowed(evidence: Evidence) -> Counter[str]:
    """Sink -> how many things the journal has moved into it."""
    state, found = FlowState(), Counter[str]()
    for _, event in evidence.events:
        if isinstance(event, PartEnded):
            place = state.parts[event.part].place if event.part in state.parts else GONE
            station = evidence.line.stations.get(station_of(place))
            if station is not None and station.sink:
                found[station.name] += 1
        state = apply(state, event)
    return found


def parts_are_made_as_the_journal_says(evidence: Evidence) -> Findings:
    """What went into a sink consists of what the journal joined, and was worked on as often as it says."""
    written, real = Counter(_written(evidence)), Counter(_real(evidence))
    for what in sorted(written.keys() | real.keys()):
        if written[what] != real[what]:
            sink, components, work = what
            made = f"{'+'.join(components)}, worked on {work} times"
            yield f"{sink}: {real[what]} of {made}; the journal has {written[what]}"


Made = tuple[str, tuple[str, ...], int]  # sink, components, how often it was worked on


def _written(evidence: Evidence) -> Iterator[Made]:
    state = FlowState()
    components: dict[str, list[str]] = {}
    work: Counter[str] = Counter()
    for _, event in evidence.events:
        if isinstance(event, Answered):
            job = state.commands().get(event.number)
            for item in job.items if job else ():
                if item.into and Move(item.id, item.target) in event.moves:
                    components.setdefault(item.into, []).append(item.material)
            if job and event.outcome == "done" and job.skill == "run":
                work.update(job.parts)
        elif isinstance(event, PartEnded):
            place = station_of(state.parts[event.part].place)
            if place in evidence.line.stations and evidence.line.stations[place].sink:
                yield place, tuple(sorted(components.get(event.part, ()))), work[event.part]
        state = apply(state, event)


def _real(evidence: Evidence) -> Iterator[Made]:
    for item in evidence.items:
        station = evidence.line.stations.get(str(item["place"]))
        if station is not None and station.sink:
            work = sum(str(e["what"]).startswith(("pressed", "worked on")) for e in item["history"])
            yield station.name, tuple(sorted(item["components"])), work


# --- exactly once -------------------------------------------------------------------------------------------------


def actions_are_numbered_once(evidence: Evidence) -> Findings:
    """A number begins and ends at most once; a step of a command has one number, unless a person said otherwise."""
    for process, entries in evidence.entries.items():
        began: set[int] = set()
        ended: set[int] = set()
        steps: dict[tuple[str, int, int], int] = {}
        retold: set[int] = set()
        for record in (entry.record for entry in entries):
            match record:
                case ActionBegan(_, command, number, index):
                    before = steps.get((record.module, command, index))
                    if number in began:
                        yield f"{process}: action {number} ({record.name}) began twice"
                    if command and before is not None and before not in retold:
                        yield f"{process}: {record.name} of command {command} has the numbers {before} and {number}"
                    began.add(number)
                    steps[record.module, command, index] = number
                case ActionEnded(_, _, number):
                    if number not in began or number in ended:
                        yield f"{process}: action {number} ended {'twice' if number in ended else 'before it began'}"
                    ended.add(number)
                case Told(_, question, _):
                    retold.add(question)


def programs_ran_once(evidence: Evidence) -> Findings:
    """A machine ran each program of the journal once, and none that the journal does not know."""
    for machine, runs in evidence.runs.items():
        began = {r.action for _, r in evidence.records(ActionBegan) if (r.device, r.name) == (machine, "run")}
        ended = {r.action for _, r in evidence.records(ActionEnded) if r.action in began and r.command}
        for number, times in runs.items():
            if number not in began:
                yield f"{machine} ran action {number}, which no journal has"
            if times != 1:
                yield f"{machine} ran action {number} {times} times"
        for number in sorted(ended - {int(n) for n in runs}):
            yield f"{machine} never ran action {number}, which the journal has as done"


def what_is_seen_happened_once(evidence: Evidence) -> Findings:
    """Stoppers passed, sinks swallowed and grippers gripped and released exactly as often as the journals say."""
    for name, (least, most) in sorted(_expected(evidence).items()):
        count = evidence.counters.get(name, 0)
        if not least <= count <= most:
            yield f"{name} counts {count}; the journals say {least if least == most else f'{least} to {most}'}"
    for name, count in evidence.counters.items():
        if name.endswith(".dropped"):
            yield f"{name} counts {count}"


def _expected(evidence: Evidence) -> dict[str, tuple[int, int]]:
    """Counter -> least and greatest number, from ended and from unfinished actions."""
    ended = {(e.process, r.action): r for e, r in evidence.records(ActionEnded)}
    counts: dict[str, tuple[int, int]] = {}
    for device in evidence.line.devices.values():
        if device.declaration.capability == "gripper":
            counts |= {f"{device.name}.gripped": (0, 0), f"{device.name}.released": (0, 0)}
    for station in evidence.line.stations.values():
        if station.at is not None:
            counts[f"{station.name}.{'swallowed' if station.sink else 'passed'}"] = (0, 0)
    for entry, record in evidence.records(ActionBegan):
        name = _counter(record, evidence.line)
        if name not in counts or not record.command:
            continue
        end = ended.get((entry.process, record.action))
        sure = end is not None and _counts(record, end)
        least, most = counts[name]
        counts[name] = (least + sure, most + (sure or end is None))
    return counts


def _counter(record: ActionBegan, line: Line) -> str:
    """The plant's counter of an action."""
    what, _, station = record.name.partition(" ")
    match what:
        case "grip":
            return f"{record.device}.gripped"
        case "release" if not station:
            return f"{record.device}.released"
        case "release":
            return f"{station}.passed"
        case "arrive" if line.stations[station].sink:
            return f"{station}.swallowed"
        case _:
            return ""


def _counts(began: ActionBegan, ended: ActionEnded) -> bool:
    """Whether an ended action made the plant count: something was gripped, let go, or passed."""
    return bool(ended.moves) if began.name == "release" else ended.result is True


def what_may_be_repeated_was_done(evidence: Evidence) -> Findings:
    """Before a command is answered `done` every action of it that began has ended: each was done at least once."""
    for process, entries in evidence.entries.items():
        pending: dict[int, dict[int, ActionBegan]] = {}
        for record in (entry.record for entry in entries):
            match record:
                case ActionBegan(_, command, _, index):
                    pending.setdefault(command, {})[index] = record
                case ActionEnded(_, command, number):
                    here = pending.get(command, {})
                    pending[command] = {i: began for i, began in here.items() if began.action != number}
                case ModuleAnswered(answer) if answer.outcome == "done":
                    for began in pending.get(answer.number, {}).values():
                        yield f"{process}: command {answer.number} is done, but its {began.name} has not ended"


def measurements_were_taken(evidence: Evidence) -> Findings:
    """Every gauge measured at least as often as the journals say."""
    ended = {(e.process, r.action) for e, r in evidence.records(ActionEnded)}
    said = Counter(
        r.device
        for e, r in evidence.records(ActionBegan)
        if r.name == "measure" and (e.process, r.action) in ended
    )
    for device, times in said.items():
        if (count := evidence.counters.get(f"{device}.measured", 0)) < times:
            yield f"{device} measured {count} times, the journal says {times}"


# --- the journals against each other ------------------------------------------------------------------------------


def journals_agree(evidence: Evidence) -> Findings:
    """Modules took what the runner had journaled before it sent it; the runner has the answers that they journaled."""
    sent = {event.number: (head, event) for head, event in evidence.happened(Dispatched)}
    given: dict[int, tuple[Entry, ModuleAnswered]] = {}
    for _, taken in evidence.records(Taken):
        command = taken.command
        if command.number not in sent:
            yield f"{command.module} took command {command.number}, which the runner's journal has not"
            continue
        head, event = sent[command.number]
        if (command.module, command.skill, command.items) != (event.module, event.skill, event.items):
            yield f"{command.module} took command {command.number} as something else than the runner journaled"
        if command.head.sequence < head.sequence:
            yield f"command {command.number} left the runner before its intent was durable"
    for entry, record in evidence.records(ModuleAnswered):
        if record.answer.number in given:
            yield f"{record.answer.module} answered command {record.answer.number} twice"
        given[record.answer.number] = (entry, record)
    for _, answer in evidence.happened(Answered):
        yield from _agrees(answer, given.get(answer.number))
    yield from _moves_agree(evidence)


def _agrees(said: Answered, given: tuple[Entry, ModuleAnswered] | None) -> Findings:
    if given is None:
        yield f"the runner has an answer to command {said.number} that {said.module or 'its module'} never journaled"
        return
    entry, answer = given[0], given[1].answer
    if (said.outcome, said.moves, said.results, said.ended) != (
        answer.outcome,
        answer.moves,
        answer.results,
        answer.ended,
    ):
        yield f"the runner has another answer to command {said.number} than {answer.module} journaled"
    if said.head.sequence < entry.head.sequence:
        yield f"the answer to command {said.number} left {answer.module} before it was durable"


def _moves_agree(evidence: Evidence) -> Findings:
    moves: dict[int, list[Move]] = {}
    for _, ended in evidence.records(ActionEnded):
        moves.setdefault(ended.command, []).extend(ended.moves)
    for _, answered in evidence.records(ModuleAnswered):
        moves[answered.answer.number] = list(answered.answer.moves)
    for _, moved in evidence.happened(Moved):
        if moved.move not in moves.get(moved.number, [])[moved.index : moved.index + 1]:
            yield f"the runner saw {moved.move.item} move to {moved.move.place}; no module journaled that"


def no_journal_lost_a_record(evidence: Evidence) -> Findings:
    """The chains hold, and nobody saw a record of a journal that is not there any more."""
    yield from evidence.broken

    def lost(process: str, seen: Head) -> bool:
        chain = evidence.chains.get(process, {})
        first = min(chain, default=1)
        return seen.sequence >= first and chain.get(seen.sequence) != seen.digest

    seen = {(RUNNER, taken.command.head) for _, taken in evidence.records(Taken)}
    seen |= {
        (RUNNER, lease.seen) for _, lease in evidence.records(LeaseTaken) if lease.holder.startswith(RUNNER)
    }
    modules = evidence.line.modules
    seen |= {(modules[a.module].process, a.head) for _, a in evidence.happened(Answered) if a.module}
    for process, head in sorted(seen, key=lambda pair: (pair[0], pair[1].sequence)):
        if lost(process, head):
            yield f"the journal of {process} has lost record {head.sequence}, which was seen"
    yield from _went_on(evidence)


def _went_on(evidence: Evidence) -> Findings:
    """Whether the runner took answers of a process whose journal had come back shorter."""
    reached: dict[str, int] = {}
    for _, answer in evidence.happened(Answered):
        if answer.module:
            process = evidence.line.modules[answer.module].process
            if answer.head.sequence < reached.get(process, 0):
                yield f"the runner went on with {process} when its journal had come back shorter"
            reached[process] = max(reached.get(process, 0), answer.head.sequence)


def leases_rise(evidence: Evidence) -> Findings:
    """Each grant of a module's lease has the next epoch, and a command is taken under the epoch that holds."""
    for entries in evidence.entries.values():
        epochs: dict[str, int] = {}
        for record in (entry.record for entry in entries):
            match record:
                case LeaseTaken(module, _, epoch):
                    if epoch != epochs.get(module, 0) + 1:
                        yield f"{module}: epoch {epoch} follows {epochs.get(module, 0)}"
                    epochs[module] = epoch
                case Taken(command) if command.epoch != epochs.get(command.module, 0):
                    now = epochs.get(command.module, 0)
                    yield f"{command.module} took command {command.number} of epoch {command.epoch} in epoch {now}"


# --- states and places --------------------------------------------------------------------------------------------

_AFTER_RESTART = (State.STOPPED, State.ABORTED, State.HELD)


def states_are_legal(evidence: Evidence) -> Findings:
    """Every recorded state can be reached from the one before by PackML's table, or by a restart."""
    edges = _edges(Edition.E2022)
    for entries in evidence.entries.values():
        last: dict[str, State] = {}
        for record in (entry.record for entry in entries):
            if isinstance(record, Entered):
                before = last.get(record.module, State.STOPPED)
                starts = {before, before if before in _AFTER_RESTART else State.STOPPED}
                if not any(record.state in _rests(start, edges) for start in starts):
                    yield f"{record.module} went from {before} to {record.state}"
                last[record.module] = record.state
    state = State.STOPPED
    for _, event in evidence.events:
        if isinstance(event, LineEntered):
            if event.state is not state and event.state not in edges[state] and event.who != "restart":
                yield f"the line went from {state} to {event.state}"
            state = event.state


def _edges(edition: Edition) -> dict[State, set[State]]:
    edges: dict[State, set[State]] = {state: set() for state in State}
    for sources, target in TRANSITIONS[edition].values():
        for source in sources:
            edges[source].add(target)
    for state, after in ACTING.items():
        edges[state].add(after)
    return edges


def _rests(start: State, edges: dict[State, set[State]]) -> set[State]:
    """The states that do not act and are reached from `start` through acting ones only; `start` among them."""
    found, todo = {start}, [start]
    while todo:
        for state in edges[todo.pop()] - found:
            found.add(state)
            if state in ACTING:
                todo.append(state)
    return found - ACTING.keys()


def stations_hold_what_they_can(evidence: Evidence) -> Findings:
    """The part map never has more at a station than its places; in the plant nothing happened that never should."""
    state = FlowState(carriers={carrier.id: carrier.home for carrier in evidence.line.carriers})
    full: set[str] = set()
    for _, event in evidence.events:
        state = apply(state, event)
        used = Counter(state.station_of(p) for n, p in state.places().items() if n not in state.carriers)
        for name, count in used.items():
            station = evidence.line.stations.get(name)
            if station is not None and not station.sink and count > _room(station) and name not in full:
                full.add(name)
                yield f"{name} has {count} things in a journal that allows {_room(station)}"
    for t, text in evidence.incidents:
        yield f"at {t:.3f} s {text}"


def _room(station: Station) -> int:
    return station.grid.columns * station.grid.rows if station.grid else station.capacity


def nobody_waits_for_a_person(evidence: Evidence) -> Findings:
    """Only an action whose end nobody can know asks a person; no part waits for one, and no map is in question."""
    actions = {(e.process, r.action): r for e, r in evidence.records(ActionBegan)}
    for entry, asked in evidence.records(Asked):
        began = actions.get((entry.process, asked.question.number))
        if began is None or not (
            began.device in evidence.doubtful or _may_ask(evidence.line, asked.module, began)
        ):
            yield f"{asked.module} asks: {asked.question.text}"
    for part in evidence.state.parts.values():
        if part.asking is not None and not evidence.doubtful:
            yield f"{part.id} waits: {part.asking.step} ended with {part.asking.outcome} {part.asking.detail}".rstrip()
    for alarm in evidence.alarms:
        if alarm.startswith(("R011", "R012")):
            yield alarm


def _may_ask(line: Line, module: str, began: ActionBegan) -> bool:
    """Whether the action is declared as one whose end nobody can know."""
    name = began.name.partition(" ")[0]
    declared = line.devices[began.device].declaration.recovery.get(name, {})
    declared = {**declared, **line.module(module).kind.actions.get(name, {})}
    return Recovery.IN_DOUBT in declared.values()


CHECKERS: tuple[Callable[[Evidence], Findings], ...] = (
    every_order_ends,
    every_part_is_accounted_for,
    items_are_where_the_part_map_says,
    parts_are_made_as_the_journal_says,
    actions_are_numbered_once,
    programs_ran_once,
    what_is_seen_happened_once,
    what_may_be_repeated_was_done,
    measurements_were_taken,
    journals_agree,
    no_journal_lost_a_record,
    leases_rise,
    states_are_legal,
    stations_hold_what_they_can,
    nobody_waits_for_a_person,
)


def check(evidence: Evidence) -> list[Finding]:
    """Everything that any checker finds."""
    return [Finding(checker.__name__, text) for checker in CHECKERS for text in checker(evidence)]
