"""Planted bugs: each must be found by the checkers within a few seeds; a search that finds none proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import pytest

from cellctl.device import Settled, Settlement
from cellctl.flow.events import Answered
from cellctl.journal import ActionBegan
from cellctl.line.model import Line
from cellctl.messages import Command, Head, Item
from cellctl.modules.act import CommandAct
from cellctl.modules.commands import Commands
from cellctl.modules.lease import Lease
from cellctl.modules.recorder import Recorder
from cellctl.runner.book import Book
from cellctl.runner.dialogue import Dialogue
from cellctl.runner.fleet import Fleet
from cellctl_drivers.handshake_machine import HandshakeMachine
from cellctl_drivers.megp25 import Megp25
from cellctl_sim.aimed_kills import EffectKill
from cellctl_sim.checkers import Finding
from cellctl_sim.crash_search import Recipe, Trial, draw, run
from cellctl_sim.plant.faults import Fault
from cellctl_sim.process_faults import ProcessFault, read_faults
from cellctl_sim.scenario import Latencies, Scenario
from cellctl_sim.simulation import Order
from cellctl_sim.universe import Universe

MOST_SEEDS = 40
Plant = Callable[[pytest.MonkeyPatch], None]
Stage = Callable[[Universe], object]


def acts_before_the_intent_is_durable(patch: pytest.MonkeyPatch) -> None:
    async def begin(self: Any, action: Any, index: int) -> int:
        number: int = self._next_action()
        self.has_begun = True
        command = self._entry.command
        began = ActionBegan(command.module, command.number, number, index, action.device, action.name)
        self._record._inbox.send(((began,), self._runtime.event()))
        return number

    patch.setattr(CommandAct, "_begin", begin)


def answers_before_the_answer_is_durable(patch: pytest.MonkeyPatch) -> None:
    journals_first = Commands._answer

    async def answer(self: Any, answer: Any) -> None:
        if self._lease.peer:
            self._reply(self._lease.peer, self._with_head(answer))
        await journals_first(self, answer)

    patch.setattr(Commands, "_answer", answer)


def does_not_journal_answers(patch: pytest.MonkeyPatch) -> None:
    async def answer(self: Any, answer: Any) -> None:
        self._context.ledger.unfinished.pop(answer.number, None)
        self._reply(self._lease.peer, self._with_head(answer))

    patch.setattr(Commands, "_answer", answer)


def resends_under_a_new_number(patch: pytest.MonkeyPatch) -> None:
    send = Fleet.send
    seen: set[int] = set()

    def renumbered(self: Any, remote: Any, message: Any) -> None:
        if isinstance(message, Command) and message.number in seen:
            message = msgspec.structs.replace(message, number=message.number + 1000)
        elif isinstance(message, Command):
            seen.add(message.number)
        send(self, remote, message)

    patch.setattr(Fleet, "send", renumbered)


def sends_before_the_intent_is_durable(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Book, "afterwards", lambda self, leave: leave())


def checks_no_epoch(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Lease, "allows", lambda self, *_: True)


def ignores_the_handshake(patch: pytest.MonkeyPatch) -> None:
    """After a crash it starts the program again, under a number that the PLC has not seen."""
    start = HandshakeMachine._start
    run_once = HandshakeMachine.run

    def run(self: Any, program: int, values: Any, results: Any) -> Any:
        action = run_once(self, program, values, results)

        async def settle(number: int) -> Settled[Any]:
            return Settled(Settlement.NOT_STARTED)

        async def perform(number: int) -> Any:
            unit = self._unit()
            found = await unit.read(*_report())
            if found.raw(_report()[0]) == number:
                number += 1_000_000
            await start(self, unit, found, number, program, values)
            await self._ended(unit, number)
            return {"code": 0, **dict.fromkeys(results, 0.0)}

        return replace(action, perform=perform, settle=settle)

    patch.setattr(HandshakeMachine, "run", run)


def _report() -> Any:
    from cellctl_drivers.maps import handshake_machine as plc

    return (plc.ACK, *(register for register in plc.REPORT if register is not plc.ACK))


def retries_what_is_in_doubt(patch: pytest.MonkeyPatch) -> None:
    settle = CommandAct._settle

    async def retried(self: Any, action: Any, past: Any, index: int, moves: Any) -> Any:
        settled = await action.settle(past.number) if action.settle else None
        if settled is not None and settled.settlement is Settlement.UNKNOWN:
            return await self._perform(action, await self._begin(action, index), moves)
        return await settle(self, action, past, index, moves)

    patch.setattr(CommandAct, "_settle", retried)


def accepts_a_shortened_journal(patch: pytest.MonkeyPatch) -> None:
    def believe(peer: str, seen: Head, now: Head) -> None:
        pass

    patch.setattr("cellctl.runner.trust.check_not_shorter", believe)
    patch.setattr("cellctl.modules.lease.check_not_shorter", believe)
    patch.setattr(Recorder, "has", lambda self, head: True)


def opens_the_gripper_on_opening(patch: pytest.MonkeyPatch) -> None:
    only_looks = Megp25.open

    async def open_(self: Any) -> None:
        await only_looks(self)
        await self._arm().run([*self._settings(), "GripperOpen"])

    patch.setattr(Megp25, "open", open_)


def frees_a_station_on_a_timeout(patch: pytest.MonkeyPatch) -> None:
    take_back = Dialogue._take_back

    def freed(self: Any, remote: Any, numbers: Any) -> None:
        before = set(remote.cancelled)
        take_back(self, remote, numbers)
        for number in set(remote.cancelled) - before:
            self._book.record(Answered(number, "cancelled", module=remote.name))

    patch.setattr(Dialogue, "_take_back", freed)


# --- scenarios that reach them ------------------------------------------------------------------------------------


def one_part(
    recipe: Recipe, seed: int, *faults: Any, slow: bool = False, kills: tuple[EffectKill, ...] = ()
) -> Scenario:
    disks = dict.fromkeys(("belt", "arm", "io2", "press", "gauge", "runner"), 0.05) if slow else {}
    order = Order("o1", recipe.text, recipe.source, recipe.variants[0], 1)
    latencies = Latencies(200e-6, 200e-6 if slow else 1e-3, disks)
    return Scenario(seed, "automatic", (order,), latencies, tuple(faults), kills)


def as_drawn(line: Line, recipe: Recipe, seed: int) -> tuple[Scenario, Stage]:
    return draw(line, recipe, seed), lambda universe: None


def killed_at_work(
    process: str, least: float, most: float, away: float
) -> Callable[..., tuple[Scenario, Stage]]:
    """Killed at instants spread over a time in which it works, with slow disks."""

    def scenario(line: Line, recipe: Recipe, seed: int) -> tuple[Scenario, Stage]:
        at = least + (most - least) * (seed * 0.618 % 1.0)
        kill = ProcessFault.model_validate({"process": process, "fault": "kill", "at": at, "for": away})
        return one_part(recipe, seed, kill, slow=True), lambda universe: None

    return scenario


def killed_as_it_starts(line: Line, recipe: Recipe, seed: int) -> tuple[Scenario, Stage]:
    """The press's process is killed right after the PLC has its program, with slow disks."""
    plc = line.devices["press.plc"].address

    def stage(universe: Universe) -> None:
        killed: list[float] = []

        def watch(who: str, what: str) -> None:
            if who == plc and "write of 20" in what and not killed:
                killed.append(universe.now)
                at = universe.now + 0.01 * seed
                universe.at(at, lambda: universe.kill("press"))
                universe.at(at + 0.4, lambda: universe.restart("press"))

        universe.trace.watch = watch

    return one_part(recipe, seed, slow=True), stage


def slow_press(line: Line, recipe: Recipe, seed: int) -> tuple[Scenario, Stage]:
    fault = Fault.model_validate(
        {"device": "press.plc", "fault": "stall", "at": 15.0 + 0.2 * seed, "for": 9.0}
    )
    return one_part(recipe, seed, fault), lambda universe: None


def powerless_press(line: Line, recipe: Recipe, seed: int) -> tuple[Scenario, Stage]:
    at = 13.0 + 5.0 * (seed * 0.618 % 1.0)
    fault = Fault.model_validate({"device": "press.plc", "fault": "power_loss", "at": at, "for": 0.5})
    return one_part(recipe, seed, fault), lambda universe: None


def shortened(line: Line, recipe: Recipe, seed: int) -> tuple[Scenario, Stage]:
    """The arm's journal loses its last records while it is down."""
    at = 8.0 + 6.0 * (seed * 0.618 % 1.0)
    kill = ProcessFault.model_validate({"process": "arm", "fault": "kill", "at": at, "for": 1.5})

    def shorten(universe: Universe) -> None:
        universe.at(at + 1.0, lambda: universe.disk("arm").durable.__delitem__(slice(-6, None)))

    return one_part(recipe, seed, kill), shorten


def stale_command(line: Line, recipe: Recipe, seed: int) -> tuple[Scenario, Stage]:
    """A command of a lease that is over arrives after the next one was granted."""
    cut = read_faults([{"process": "arm", "fault": "cut", "at": 7.0, "for": 1.5}])

    item = Item("c900", "boards.pick", "belt.load", "board", "p1")
    old = Command(number=900, module="arm", epoch=1, oldest=1, skill="insert", items=(item,))

    def stage(universe: Universe) -> None:
        universe.at(14.0 + 0.1 * seed, lambda: universe.bus.to_server("runner", "arm", old))

    return one_part(recipe, seed, *cut), stage


@dataclass(frozen=True)
class Mutant:
    """A bug, a family of scenarios that can reach it, and the checkers that must speak (any of them)."""

    plant: Plant
    scenario: Callable[..., tuple[Scenario, Stage]] = as_drawn
    excused: tuple[str, ...] = ()  # checkers that speak of the sound program, too, in these scenarios
    doubtful: tuple[str, ...] = ()


LOSES = (
    "every_order_ends",
    "no_journal_lost_a_record",
    "journals_agree",
    "what_is_seen_happened_once",
    "nobody_waits_for_a_person",
)

MUTANTS = [
    Mutant(acts_before_the_intent_is_durable, killed_as_it_starts),
    Mutant(answers_before_the_answer_is_durable),
    Mutant(does_not_journal_answers),
    Mutant(resends_under_a_new_number),
    Mutant(sends_before_the_intent_is_durable),
    Mutant(checks_no_epoch, stale_command),
    Mutant(ignores_the_handshake, killed_as_it_starts),
    Mutant(retries_what_is_in_doubt, powerless_press, ("every_order_ends",), ("press.plc",)),
    Mutant(accepts_a_shortened_journal, shortened, LOSES),
    Mutant(opens_the_gripper_on_opening, killed_at_work("arm", 7.0, 15.0, 0.4)),
    Mutant(frees_a_station_on_a_timeout, slow_press),
]


def try_one(line: Line, recipe: Recipe, mutant: Mutant, seed: int) -> tuple[Trial, list[Finding]]:
    scenario, stage = mutant.scenario(line, recipe, seed)
    trial = run(line, scenario, stage=stage, doubtful=mutant.doubtful)
    assert trial.result is not None, trial.findings
    return trial, [f for f in trial.findings if f.checker not in mutant.excused or "went on" in f.text]


def name_of(mutant: Mutant) -> str:
    return mutant.plant.__name__


@pytest.mark.parametrize("mutant", MUTANTS, ids=name_of)
def test_a_planted_bug_is_found(
    puck_line: Line, puck_recipe: Recipe, mutant: Mutant, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant.plant(monkeypatch)
    for seed in range(MOST_SEEDS):
        _, found = try_one(puck_line, puck_recipe, mutant, seed)
        if found:
            print(f"{name_of(mutant)}: seed {seed} finds {found[0]}")
            return
    pytest.fail(f"{MOST_SEEDS} seeds do not find that it {name_of(mutant).replace('_', ' ')}")


@pytest.mark.parametrize(
    "mutant", [mutant for mutant in MUTANTS if mutant.scenario is not as_drawn], ids=name_of
)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_sound_program_stands_the_same_scenarios(
    puck_line: Line, puck_recipe: Recipe, mutant: Mutant, seed: int
) -> None:
    trial, found = try_one(puck_line, puck_recipe, mutant, seed)
    assert not found, f"{trial.scenario}\n" + "\n".join(map(str, found))
