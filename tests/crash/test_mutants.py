"""Planted bugs: each must be found by the checkers within a few seeds; a search that finds none proves nothing.

Each was found by one of the first six seeds of its family, in at most about a second of a core.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import bug_scenarios as families
import planted_bugs as bugs
import pytest

from cellctl.line.model import Line
from cellctl_sim.checkers import Finding
from cellctl_sim.crash_search import Recipe, Trial, run
from cellctl_sim.scenario import Scenario

MOST_SEEDS = 40


@dataclass(frozen=True)
class Mutant:
    """A bug, a family of scenarios that can reach it, and the first seed that is tried.

    `excused` are checkers that speak of the sound program, too, in these scenarios; `doubtful` devices may ask a
    person.
    """

    plant: Callable[[pytest.MonkeyPatch], None]
    scenario: Callable[..., tuple[Scenario, families.Stage]] = families.as_drawn
    excused: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    first: int = 0


LOSES = (
    "every_order_ends",
    "no_journal_lost_a_record",
    "journals_agree",
    "what_is_seen_happened_once",
    "nobody_waits_for_a_person",
)

MUTANTS = [
    Mutant(bugs.acts_before_the_intent_is_durable, families.killed_as_it_starts),
    Mutant(bugs.answers_before_the_answer_is_durable),
    Mutant(bugs.does_not_journal_answers),
    Mutant(bugs.resends_under_a_new_number),
    Mutant(bugs.sends_before_the_intent_is_durable),
    Mutant(bugs.checks_no_epoch, families.stale_command),
    Mutant(bugs.ignores_the_handshake, families.killed_as_it_starts),
    Mutant(bugs.retries_what_is_in_doubt, families.powerless_press, ("every_order_ends",), ("press.plc",)),
    Mutant(bugs.accepts_a_shortened_journal, families.shortened, LOSES),
    Mutant(bugs.opens_the_gripper_on_opening, families.killed_at_work("arm", 7.0, 15.0, 0.4)),
    Mutant(bugs.frees_a_station_on_a_timeout, families.slow_press),
    Mutant(bugs.cancels_what_has_begun, families.slow_press),
    Mutant(bugs.forgets_the_epoch_of_its_lease),
    Mutant(bugs.journals_no_intent),
    Mutant(bugs.takes_forgotten_commands_for_new_ones, families.echoes),
    Mutant(bugs.begins_its_journal_again_without_its_answers, families.cut_off_and_killed),
    Mutant(
        bugs.archives_before_the_new_beginning_is_durable, families.killed_while_it_begins_its_journal_again
    ),
    Mutant(bugs.keeps_the_whole_rows_of_a_torn_commit, families.killed_while_it_begins_its_journal_again),
    Mutant(bugs.keeps_a_torn_row, families.killed_while_it_begins_its_journal_again),
    Mutant(bugs.takes_what_it_began_for_done, families.killed_as_it_lets_go),
]


def try_one(line: Line, recipe: Recipe, mutant: Mutant, seed: int) -> tuple[Trial, list[Finding]]:
    scenario, stage = mutant.scenario(line, recipe, seed)
    trial = run(line, scenario, stage=stage, doubtful=mutant.doubtful)
    return trial, [f for f in trial.findings if f.checker not in mutant.excused or "went on" in f.text]


def name_of(mutant: Mutant) -> str:
    return mutant.plant.__name__


@pytest.mark.parametrize("mutant", MUTANTS, ids=name_of)
def test_a_planted_bug_is_found(
    puck_line: Line, puck_recipe: Recipe, mutant: Mutant, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant.plant(monkeypatch)
    for seed in range(mutant.first, mutant.first + MOST_SEEDS):
        _, found = try_one(puck_line, puck_recipe, mutant, seed)
        if found:
            print(f"{name_of(mutant)}: seed {seed} finds {found[0]}")
            return
    pytest.fail(f"{MOST_SEEDS} seeds do not find that it {name_of(mutant).replace('_', ' ')}")


@pytest.mark.parametrize(
    "mutant", [mutant for mutant in MUTANTS if mutant.scenario is not families.as_drawn], ids=name_of
)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_sound_program_stands_the_same_scenarios(
    puck_line: Line, puck_recipe: Recipe, mutant: Mutant, seed: int
) -> None:
    trial, found = try_one(puck_line, puck_recipe, mutant, seed)
    assert not found, f"{trial.scenario}\n" + "\n".join(map(str, found))
