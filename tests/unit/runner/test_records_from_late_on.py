"""Late times and late parts are found without reading all that was ever journaled, and come to the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from click import BadParameter, Context
from click.testing import CliRunner

from cellctl.cli.durations import read_since
from cellctl.cli.history import report as report_command
from cellctl.errors import UnknownName
from cellctl.flow.events import (
    Answered,
    Dispatched,
    FlowEvent,
    OrderTaken,
    PartBorn,
    PartEnded,
    RecipeTaken,
    Snapshot,
)
from cellctl.flow.fold import fold
from cellctl.flow.state import FlowState
from cellctl.live.records import events_of, events_since, runner_events
from cellctl.live.store import open_store
from cellctl.recipe.executable import Executable, Step
from cellctl.runner.book import runner_journal
from cellctl.runner.report import report
from cellctl.runner.trace import trace
from cellctl.skill import Works

STEP = Step("check", "measure", Works.STAYS, {"": ("gauge",)})
RECIPE = Executable("cup", 1, "blue", "digest", (STEP,))
BEGUN_AGAIN_AFTER = (2, 4)  # parts
PARTS = 6
MINUTE = 60.0


def life(number: int) -> Iterator[FlowEvent]:
    """A part that is measured for 1 s; the n-th begins at minute n."""
    part, at = f"p{number}", number * MINUTE
    yield PartBorn(part, "o1", at=at)
    yield Dispatched(number, number, "gauge", "measure", "check", (part,), (), {"": "gauge"}, at=at)
    yield Answered(number, "done", (), {"height": 0.018}, at, at + 1.0, 0.9)
    yield PartEnded(part, "good", at + 1.0)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A line's records: six parts, begun again in the middle of the second and of the fourth."""

    async def write() -> None:
        async with open_store(tmp_path / "runner.sqlite") as store:
            journal, whole = runner_journal(store), FlowState()
            begun: list[FlowEvent] = [
                RecipeTaken(RECIPE.digest, RECIPE),
                OrderTaken("o1", RECIPE.digest, PARTS + 1),
            ]
            lives = [event for number in range(1, PARTS + 1) for event in life(number)]
            for event in [*begun, *lives, PartBorn("p7", "o1", at=7 * MINUTE)]:
                await journal.append(event)
                whole = fold([event], whole)
                if isinstance(event, Dispatched) and event.number in BEGUN_AGAIN_AFTER:
                    await journal.begin_again(Snapshot(whole))

    asyncio.run(write())
    assert len(list((tmp_path / "runner.archive").glob("*.sqlite"))) == len(BEGUN_AGAIN_AFTER)
    return tmp_path


def test_a_report_since_a_time_counts_what_ended_from_then_on(state: Path) -> None:
    made = report(events_since(state, 3 * MINUTE), since=3 * MINUTE)
    assert (made.parts_made, made.parts_in_flight) == (4, 1)
    assert made.by_variant == {"blue": {"good": 4}}
    assert [(step.step, step.count) for step in made.steps] == [("check", 4)]
    assert made.cycle_time_s == MINUTE


def test_a_command_that_was_under_way_when_the_journal_began_again_is_counted(state: Path) -> None:
    events = list(events_since(state, 4 * MINUTE + 5.0))
    assert isinstance(events[0], Snapshot)
    assert len(events) < len(list(runner_events(state))) / 2
    made = report(events)
    assert (made.parts_made, made.steps[0].count) == (3, 3)
    assert report(events, since=4 * MINUTE + 5.0).parts_made == 2
    assert report(events[:1]).parts_in_flight == 1


@pytest.mark.parametrize("since", [0.0, 1.0, 2 * MINUTE + 0.5, 5 * MINUTE, 100 * MINUTE])
def test_it_comes_to_the_same_as_reading_all(state: Path, since: float) -> None:
    assert report(events_since(state, since), since=since) == report(runner_events(state), since=since)


def test_a_report_of_all_counts_all(state: Path) -> None:
    made = report(runner_events(state))
    assert (made.parts_made, made.parts_in_flight) == (PARTS, 1)


@pytest.mark.parametrize("number", range(1, PARTS + 2))
def test_a_life_is_the_same_from_the_snapshot_before_its_birth_as_from_the_beginning(
    state: Path, number: int
) -> None:
    part = f"p{number}"
    assert trace(events_of(state, part), part) == trace(runner_events(state), part)


def test_the_life_of_a_late_part_is_found_without_the_archives(state: Path) -> None:
    assert next(iter(events_of(state, "p5"))) != next(iter(runner_events(state)))
    for archive in (state / "runner.archive").glob("*.sqlite"):
        archive.write_bytes(b"cannot be read")
    assert trace(events_of(state, "p5"), "p5").verdict == "good"


def test_a_part_that_never_was_is_unknown(state: Path) -> None:
    for part in ("p99", "cup"):
        with pytest.raises(UnknownName, match=f"no part is called '{part}'"):
            trace(events_of(state, part), part)


def test_a_time_is_said_as_a_duration_or_as_a_date() -> None:
    context, option = Context(report_command), report_command.params[0]
    assert read_since(context, option, None) == 0.0
    assert read_since(context, option, "8 h") == pytest.approx(time.time() - 8 * 3600, abs=5)
    assert read_since(context, option, "2026-03-01 06:00") == datetime(2026, 3, 1, 6).timestamp()
    for wrong in ("soon", "8", "9999-01-01"):
        with pytest.raises(BadParameter):
            read_since(context, option, wrong)


def test_the_report_command_says_since_when(state: Path) -> None:
    result = CliRunner().invoke(report_command, ["--since", "1970-01-02", "--state", str(state)])
    assert result.exit_code == 0, result.output
    assert "since 1970-01-02" in result.output
    assert "parts      0 made" in result.output
