"""What people and programs see: the page of the status, the part map, a part's life, the report."""

from __future__ import annotations

import io
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from cellctl.cli import history, recover
from cellctl.cli.display import MOST_PARTS, page
from cellctl.cli.output import print_table, uses_colour


def status(**changes: Any) -> dict[str, Any]:
    """A line that runs well, but for the changes."""
    module = {
        "module": "arm",
        "process": "arm",
        "alive": True,
        "state": "execute",
        "mode": "production",
        "out": False,
        "doing": ["load p1"],
        "finishing": "",
        "settled": [],
        "refusal": "",
    }
    part = {
        "part": "p1",
        "order": "o1",
        "recipe": "puck",
        "variant": "tall",
        "place": "belt.load",
        "step": "",
        "module": "",
        "done": 1,
        "steps": 9,
        "waits": "belt.press is taken by p2",
    }
    base = {
        "line": "puck",
        "state": "execute",
        "waits_for": [],
        "draining": False,
        "orders": [],
        "alarms": [],
        "utc": 0.0,
    }
    return base | {"modules": [module], "parts": [part]} | changes


def shown(found: dict[str, Any], *, simulated: bool = False, colour: bool = False) -> str:
    """The page as text."""
    file = io.StringIO()
    Console(file=file, width=110, force_terminal=colour, highlight=False).print(
        page(found, simulated=simulated)
    )
    return file.getvalue()


def test_the_page_says_what_a_module_does_and_why_a_part_waits() -> None:
    text = shown(status())
    assert "load p1" in text
    assert "belt.press is taken by p2" in text
    assert "no alarms" in text


def test_simulated_devices_are_announced_on_every_page() -> None:
    assert "SIMULATED" in shown(status(), simulated=True)
    assert "SIMULATED" not in shown(status())


def test_an_alarm_is_shown_with_its_cause_and_what_to_do() -> None:
    alarm = {
        "code": "M001",
        "source": "io1",
        "text": "io1 is silent",
        "cause": "no power",
        "remedy": "look at it",
    }
    text = shown(status(alarms=[alarm]))
    assert "M001 io1 is silent" in text
    assert "why: no power" in text
    assert "do:  look at it" in text


def test_an_alarm_names_its_source_once_and_a_number_as_the_command_that_it_is() -> None:
    named = {"code": "R012", "source": "belt.load", "text": "nothing is there", "cause": "", "remedy": ""}
    text = shown(
        status(alarms=[named, named | {"code": "R020", "source": "41", "text": "41 s are too long"}])
    )
    assert "R012 belt.load: nothing is there" in text
    assert "R020 command 41: 41 s are too long" in text


def test_what_to_do_is_said_once_for_alarms_that_stand_for_the_same_reason() -> None:
    alarm = {
        "code": "R013",
        "source": "arm",
        "text": "arm is stopped",
        "cause": "it died",
        "remedy": "reset it",
    }
    text = shown(status(alarms=[alarm, alarm | {"source": "belt", "text": "belt is stopped"}]))
    assert text.index("arm is stopped") < text.index("belt is stopped") < text.index("it died")
    assert text.count("it died") == text.count("reset it") == 1


def test_a_line_where_all_is_normal_has_no_colour_but_grey() -> None:
    normal = shown(status(), colour=True)
    assert not any(code in normal for code in ("\x1b[31", "\x1b[33", "\x1b[1;31"))
    assert "\x1b[1;31m" in shown(status(state="aborted"), colour=True)


def test_a_silent_module_and_a_module_out_of_use_are_told_apart_from_working_ones() -> None:
    module = status()["modules"][0]
    assert "silent" in shown(status(modules=[module | {"alive": False}]))
    assert "out of use" in shown(status(modules=[module | {"out": True}]))
    assert "execute (manual)" in shown(status(modules=[module | {"mode": "manual"}]))


def test_parts_stand_in_the_order_of_their_numbers_and_the_rest_is_counted() -> None:
    part = status()["parts"][0]
    text = shown(status(parts=[part | {"part": f"p{n}"} for n in range(MOST_PARTS + 5, 0, -1)]))
    assert text.index("p2 ") < text.index("p10 ")
    assert "and 5 more" in text


def test_the_part_map_lists_every_choice_with_the_command_that_makes_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    question = {
        "module": "press",
        "number": 3,
        "text": "was the part pressed?",
        "choices": {"done": "it was pressed", "not started": "it was not"},
    }
    contradiction = {
        "station": "belt.load",
        "items": ["p1"],
        "occupied": False,
        "text": "belt.load: p1, nothing seen",
    }
    decision = {"part": "p2", "step": "measure", "outcome": "reject", "detail": ""}
    recover.print_map(
        {
            "items": [{"item": "p1", "journal": "belt.load", "sensor": False}],
            "journals": [{"module": "press", "text": "the journal of press lost records"}],
            "contradictions": [contradiction],
            "lost": ["c4"],
            "questions": [question],
            "decisions": [decision],
        }
    )
    text = capsys.readouterr().out
    assert "cellctl recover settle press 3 'not started'" in text
    assert "cellctl recover correct p1 PLACE" in text
    assert "cellctl recover correct c4 PLACE" in text
    assert "cellctl recover decide p2 scrap" in text
    assert "cellctl recover accept press --note WHY" in text
    assert "EMPTY" in text
    assert "UNSETTLED" not in text


def test_the_part_map_says_why_an_unseen_item_is_no_contradiction(
    capsys: pytest.CaptureFixture[str],
) -> None:
    nothing: dict[str, list[object]] = {
        key: [] for key in ("journals", "contradictions", "lost", "questions", "decisions")
    }
    seen = [
        {"item": "p1", "journal": "belt.load", "sensor": False},
        {"item": "p2", "journal": "belt.exit", "sensor": None},
    ]
    recover.print_map({"items": seen, **nothing})
    text = capsys.readouterr().out
    assert "UNSETTLED p1: not seen where the journal has it" in text


def test_a_life_shows_each_visit_with_its_results(capsys: pytest.CaptureFixture[str]) -> None:
    visit = {
        "step": "measure",
        "module": "gauge",
        "skill": "measure",
        "visit": 1,
        "attempt": 2,
        "number": 9,
        "outcome": "reject",
        "started": 1000.5,
        "ended": 1001.0,
        "results": {"height": 0.0192000049, "peak": 41.25, "tag": "A7"},
        "dimensions": {"height": "length"},
        "parameters": {},
        "places": [],
        "detail": "height is too great",
    }
    history.print_life(
        {
            "part": "p1",
            "order": "o",
            "recipe": "puck",
            "revision": 3,
            "variant": "tall",
            "recipe_digest": "abc",
            "born": 1000.0,
            "ended": None,
            "verdict": "",
            "lots": {"board c2": "B7", "lid c3": ""},
            "visits": [visit],
            "decisions": [],
        }
    )
    text = capsys.readouterr().out
    assert "board c2 from lot B7" in text
    assert "lid c3 of an unknown lot" in text
    assert "reject: height is too great" in text
    assert "height 19.2 mm, peak 41.25 (SI), tag A7" in text
    assert "0.500 s" in text


def test_a_table_is_as_wide_as_its_cells_and_has_no_trailing_spaces(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_table([("a", "long cell"), ("bcd", "")], ("x", "y"))
    assert capsys.readouterr().out == "x    y\na    long cell\nbcd\n"


def test_colour_follows_the_terminal_and_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert uses_colour(Terminal())
    assert not uses_colour(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not uses_colour(Terminal())


def test_help_of_the_whole_shows_every_section() -> None:
    from cellctl.cli.main import main

    text = CliRunner().invoke(main, ["--help"]).stdout
    sections = ("Write and check", "Run a line", "Operate a line", "Look at a line", "Set up", "Simulation")
    assert all(f"{section}" in text for section in sections)
    assert "run-module" not in text
    assert "run-plant" not in text
