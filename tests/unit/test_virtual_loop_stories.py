"""The virtual loop against the stock one: the same programs, the same order of events, the same times.

The oracle is asyncio's own selector loop, whose selector is replaced by one that lets its clock jump. Each program also
runs on the virtual loop with CPython's own tasks, which must come to the same, step by step.
"""

from __future__ import annotations

import pytest
from cancelling_programs import CANCELLING, fails_in_a_group
from loop_stories import Program, StockLoop, new_loop, story, with_stock_tasks
from waiting_programs import WAITING


def in_group_order(lines: list[str]) -> list[str]:
    """The stock loop cancels the tasks of a group in any order; sort what they say of it."""
    return sorted(lines) if any("cancelled" in line for line in lines) else lines


@pytest.mark.parametrize("program", CANCELLING + WAITING, ids=lambda program: program.__name__)
def test_a_program_tells_the_same_story_as_on_the_stock_loop(program: Program) -> None:
    told, expected = story(new_loop(), program), story(StockLoop(), program)
    assert in_group_order(told) == in_group_order(expected)
    assert len(told) > 1


@pytest.mark.parametrize("program", CANCELLING + WAITING, ids=lambda program: program.__name__)
def test_a_program_goes_the_same_steps_with_the_tasks_of_cpython(program: Program) -> None:
    own, stock = new_loop(), with_stock_tasks()
    assert story(own, program) == story(stock, program)
    assert own.steps == stock.steps


def test_a_failing_group_cancels_its_tasks_in_the_same_order_each_time() -> None:
    stories = {tuple(story(new_loop(), fails_in_a_group)) for _ in range(10)}
    assert len(stories) == 1
