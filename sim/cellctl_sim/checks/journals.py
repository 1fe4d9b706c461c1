"""Journals agree with each other, and none lost a record that somebody has seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cellctl.flow.events import (
    Answered,
    Dispatched,
    JournalSeen,
    Moved,
)
from cellctl.journal import ActionEnded, LeaseTaken, Taken
from cellctl.journal import Answered as ModuleAnswered
from cellctl.messages import Head, Move
from cellctl_sim.evidence import RUNNER, Entry, Evidence

Findings = Iterator[str]


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
    is_taken_back = (said.outcome, answer.outcome) == (
        "refused",
        "cancelled",
    )  # since it was refused again and again
    if (answer.outcome if is_taken_back else said.outcome, said.moves, said.results, said.ended) != (
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
    yield from _went_on(evidence, lost)


def _went_on(evidence: Evidence, lost: Callable[[str, Head], bool]) -> Findings:
    """Whether the runner took answers of a process whose journal had come back shorter.

    An answer that another one overtook on its way says nothing: what was seen before is still there.
    """
    reached: dict[str, int] = {}
    for _, event in evidence.events:
        if isinstance(event, Answered | Moved | JournalSeen) and event.head.sequence:
            process = _process_of(event, evidence)
            if isinstance(event, Answered) and event.head.sequence < reached.get(process, 0):
                yield f"the runner went on with {process} when its journal had come back shorter"
            elif lost(process, event.head):
                reached[process] = event.head.sequence


def _process_of(event: Answered | Moved | JournalSeen, evidence: Evidence) -> str:
    """Whose journal an event of the runner saw."""
    if not isinstance(event, Moved):
        return evidence.line.modules[event.module].process
    sent = (d.module for _, d in evidence.happened(Dispatched) if d.number == event.number)
    module = next(sent, "")
    return evidence.line.modules[module].process if module else ""


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
