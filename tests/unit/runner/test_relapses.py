"""A module that aborts again and again is cleared by itself after longer and longer pauses."""

from __future__ import annotations

from itertools import pairwise

from cellctl.runner.relapses import LONGEST_PAUSE, WELL, Relapses


def clears(aborts_after: float, until: float) -> list[float]:
    """When a module is cleared that aborts so long [s] after each time."""
    relapses, found, now = Relapses(), [], 0.0
    while now < until:
        while not relapses.may_clear("belt", now):
            now += 0.01
        relapses.cleared("belt", now)
        found.append(now)
        now += aborts_after
    return found


def test_the_first_fault_is_cleared_at_once() -> None:
    assert Relapses().may_clear("belt", 5.0)


def test_one_that_aborts_at_once_is_cleared_after_pauses_that_double() -> None:
    at = clears(0.01, 200.0)
    pauses = [round(later - earlier) for earlier, later in pairwise(at)]
    assert pauses[:7] == [1, 2, 4, 8, 16, 30, 30]
    assert max(pauses) == LONGEST_PAUSE


def test_one_that_worked_for_a_while_is_cleared_at_once() -> None:
    aborts_after = 1.0 + WELL + 1.0
    at = clears(aborts_after, 100.0)
    assert {round(later - earlier, 1) for earlier, later in pairwise(at)} == {aborts_after}


def test_one_module_does_not_make_another_one_wait() -> None:
    relapses = Relapses()
    relapses.cleared("belt", 1.0)
    assert not relapses.may_clear("belt", 1.5)
    assert relapses.may_clear("arm", 1.5)
