"""Nothing lost, nothing twice, as questions to the evidence of a run. Each checker yields what it finds, in words.

    findings = check(evidence)      # empty when all is well

Where an action was under way at the end of the evidence, the plant may have counted it or not; everything else must
agree exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cellctl_sim.checks.actions import (
    actions_are_numbered_once,
    measurements_were_taken,
    programs_ran_once,
    what_is_seen_happened_once,
    what_may_be_repeated_was_done,
    what_was_cancelled_had_not_begun,
)
from cellctl_sim.checks.journals import (
    journals_agree,
    leases_rise,
    no_journal_lost_a_record,
)
from cellctl_sim.checks.parts import (
    every_order_ends,
    every_part_is_accounted_for,
    items_are_where_the_part_map_says,
    parts_are_made_as_the_journal_says,
)
from cellctl_sim.checks.states import (
    nobody_waits_for_a_person,
    states_are_legal,
    stations_hold_what_they_can,
)
from cellctl_sim.evidence import Evidence

Findings = Iterator[str]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must not be; `checker` is the name of who found it."""

    checker: str
    text: str

    def __str__(self) -> str:
        return f"{self.checker}: {self.text}"


CHECKERS: tuple[Callable[[Evidence], Findings], ...] = (
    every_order_ends,
    every_part_is_accounted_for,
    items_are_where_the_part_map_says,
    parts_are_made_as_the_journal_says,
    actions_are_numbered_once,
    programs_ran_once,
    what_is_seen_happened_once,
    what_may_be_repeated_was_done,
    what_was_cancelled_had_not_begun,
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
