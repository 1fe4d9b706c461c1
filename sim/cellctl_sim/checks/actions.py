"""What may happen once happened once, by the plant's own counters; the rest at least once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cellctl.journal import ActionBegan, ActionEnded, Taken, Told
from cellctl.journal import Answered as ModuleAnswered
from cellctl.line.model import Line
from cellctl_sim.evidence import Evidence

Findings = Iterator[str]


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
        fell = evidence.may_drop and name.endswith((".gripped", ".released"))
        if not fell and not least <= count <= most:
            yield f"{name} counts {count}; the journals say {least if least == most else f'{least} to {most}'}"
    for name, count in evidence.counters.items():
        if name.endswith(".dropped") and not evidence.may_drop:
            yield f"{name} counts {count}"


def _expected(evidence: Evidence) -> dict[str, tuple[int, int]]:
    """Counter -> least and greatest number, from ended and from unfinished actions."""
    ended = {(e.process, r.action): r for e, r in evidence.records(ActionEnded)}
    skills = {(e.process, r.command.number): r.command.skill for e, r in evidence.records(Taken)}
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
        skill = skills.get((entry.process, record.command), "")
        sure = end is not None and _counts(record, end, skill)
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


def _counts(began: ActionBegan, ended: ActionEnded, skill: str) -> bool:
    """Whether an ended action made the plant count: something was gripped, let go, or passed."""
    if began.name == "release":
        return bool(ended.moves) or skill == "let_go"
    return ended.result is True


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


def what_was_cancelled_had_not_begun(evidence: Evidence) -> Findings:
    """No command is answered `cancelled` of which an action had begun: its work would count as never done."""
    for process, entries in evidence.entries.items():
        began: dict[int, str] = {}
        for record in (entry.record for entry in entries):
            match record:
                case ActionBegan(_, command, _, _, _, name):
                    began[command] = name
                case ModuleAnswered(answer) if answer.outcome == "cancelled" and answer.number in began:
                    yield f"{process}: command {answer.number} was cancelled when its {began[answer.number]} had begun"


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
