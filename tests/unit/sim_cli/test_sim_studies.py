"""`cellctl sim` with a picture, with many seeds, and beside another simulation."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import Result

Sim = Callable[..., Result]
SVG = "{http://www.w3.org/2000/svg}"
MODULES = {"housings", "boards", "lids", "belt", "arm", "press", "gauge"}
ONE = ("--order", "sensor-puck/indoor")


def data(result: Result) -> dict[str, Any]:
    """The JSON of a run that went well."""
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.fixture(scope="module")
def before(sim: Sim, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The JSON of three runs."""
    path = tmp_path_factory.mktemp("before") / "before.json"
    result = sim(*ONE, "--seeds", "1..3", "--processes", 1, "--json")
    assert result.exit_code == 0, result.output
    path.write_text(result.stdout)
    return path


def test_a_run_says_what_was_made_how_fast_and_what_was_wrong(sim: Sim, faults: Path) -> None:
    found = data(sim(*ONE, "--until", "8h", "--faults", faults, "--json"))
    assert (found["parts_made"], found["parts_scrapped"], found["parts_in_flight"]) == (0, 1, 0)
    assert found["throughput_per_hour"] == 0.0
    assert found["modules"].keys() == MODULES
    assert all(0.0 < share < 1.0 for share in found["modules"].values())
    alarm = found["alarms"][0]
    assert (alarm["code"], alarm["source"], alarm["stands"]) == ("M001", "belt.drive", False)
    assert 12.0 < alarm["at_s"] < 15.0
    assert len(found["trace_sha256"]) == 64
    assert found["wall_s"] > 0.0


def test_throughput_counts_good_parts_over_the_makespan(sim: Sim) -> None:
    found = data(sim("--order", "sensor-puck/indoor:2", "--json"))
    assert found["throughput_per_hour"] == pytest.approx(2 * 3600 / found["makespan_s"], rel=1e-6)


def test_an_alarm_that_stays_is_said_to_stand(sim: Sim, tmp_path: Path) -> None:
    (tmp_path / "faults.yaml").write_text("- {at: 8 s, device: belt.drive, fault: silent}\n")
    result = sim(*ONE, "--until", "30 s", "--faults", tmp_path / "faults.yaml", "--json")
    assert result.exit_code == 1
    alarms = json.loads(result.stdout)["alarms"]
    assert {(alarm["code"], alarm["stands"]) for alarm in alarms if alarm["source"] == "belt.drive"} == {
        ("M001", True)
    }


def test_the_picture_has_a_bar_for_each_command_and_marks_faults_and_alarms(
    sim: Sim, faults: Path, tmp_path: Path
) -> None:
    svg, trace = tmp_path / "run.svg", tmp_path / "run.jsonl"
    found = data(sim(*ONE, "--faults", faults, "--svg", svg, "--trace", trace, "--json"))
    picture = ElementTree.parse(svg).getroot()
    rows = {text.find(f"{SVG}title").text for text in picture.iter(f"{SVG}text") if len(text)}  # type: ignore[union-attr]
    assert rows == MODULES | {"faults", "alarms"}
    bars = [title.text or "" for rect in picture.iter(f"{SVG}rect") for title in rect]
    answers = [row for row in map(json.loads, trace.read_text().splitlines()) if row["type"] == "Answered"]
    for answer in answers:  # a simulated world begins with 2026
        start, end = answer["started"] - 1_767_225_600, answer["ended"] - 1_767_225_600
        assert any(f"{start:.6g} s to {end:.6g} s" in bar for bar in bars)
    disturbed = [bar for bar in bars if "belt.drive" in bar or "gauge.head" in bar or "R013" in bar]
    assert len(bars) - len(disturbed) == len(answers)
    assert sum("silent at 12 s: 12 s to 15 s (3 s)" in bar for bar in bars) == 1
    marks = [line for line in picture.iter(f"{SVG}line") if line.get("class") == "mark"]
    assert len(marks) == 2 + len(found["alarms"])


def test_bars_of_one_module_follow_each_other_where_it_does_one_thing_at_a_time(
    sim: Sim, tmp_path: Path
) -> None:
    svg = tmp_path / "run.svg"
    data(sim("--order", "sensor-puck/indoor:2", "--svg", svg, "--json"))
    rects = [rect for rect in ElementTree.parse(svg).getroot().iter(f"{SVG}rect") if len(rect)]
    arm = [(float(r.get("x", 0)), float(r.get("width", 0))) for r in rects if "load" in (r[0].text or "")]
    assert len(arm) == 2
    assert arm[0][0] + arm[0][1] <= arm[1][0]


def test_many_seeds_give_means_with_their_confidence(before: Path) -> None:
    found = json.loads(before.read_text())
    assert [run["seed"] for run in found["runs"]] == [1, 2, 3]
    assert len({run["trace_sha256"] for run in found["runs"]}) == 3
    makespans = [run["makespan_s"] for run in found["runs"]]
    estimate = found["estimates"]["makespan_s"]
    assert min(makespans) < estimate["mean"] < max(makespans)
    assert 0.0 < estimate["half_width_95"] < estimate["half_width_99"]
    assert found["estimates"]["yield_ratio"]["mean"] == 1.0


def test_a_run_of_a_study_is_the_run_with_that_seed_whatever_the_number_of_processes(
    sim: Sim, before: Path
) -> None:
    single = data(sim(*ONE, "--seed", 2, "--json"))
    many = data(sim(*ONE, "--seeds", "2..3", "--processes", 2, "--json"))["runs"]
    known = json.loads(before.read_text())["runs"]
    traces = [run["trace_sha256"] for run in known[1:]]
    assert [run["trace_sha256"] for run in many] == traces
    assert single["trace_sha256"] == traces[0]


def test_a_study_is_not_well_when_one_run_is_not_complete(sim: Sim) -> None:
    result = sim(*ONE, "--seeds", "1..2", "--processes", 1, "--until", "10 s")
    assert result.exit_code == 1
    assert "NOT COMPLETE: not every order was made with seeds 1, 2" in result.stdout


def test_nothing_changed_when_the_same_is_run_again(sim: Sim, before: Path) -> None:
    result = sim(*ONE, "--seeds", "1..3", "--processes", 1, "--compare", before, "--json")
    compared = data(result)["comparison"]
    assert compared["same_trace"] is True
    assert compared["not_the_same"] == []
    assert all(each["change"] == 0.0 for each in compared["figures"].values())


def test_a_change_is_told_with_what_was_not_the_same(sim: Sim, before: Path) -> None:
    arguments = ("--order", "sensor-puck/tall", "--seeds", "1..3", "--processes", 1, "--compare", before)
    text = sim(*arguments).stdout
    assert "not the same: orders" in text
    assert "changed" in text
    assert "press busy" in text


def test_a_single_run_may_be_compared_with_a_study_without_an_interval(sim: Sim, before: Path) -> None:
    compared = data(sim(*ONE, "--seed", 9, "--compare", before, "--json"))["comparison"]
    assert compared["paired"] is False
    assert compared["figures"]["makespan_s"]["half_width_95"] is None
    assert compared["figures"]["makespan_s"]["is_clear"] is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"runs": []}', '{"runs": [1]}', "{"])
def test_what_is_no_simulation_cannot_be_compared_with(sim: Sim, tmp_path: Path, text: str) -> None:
    (tmp_path / "other.json").write_text(text)
    result = sim(*ONE, "--compare", tmp_path / "other.json")
    assert result.exit_code == 1
    assert "other.json" in result.stderr
    assert "cellctl sim LINE --order ... --json" in result.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        ("--seeds", "5..1"),
        ("--seeds", "few"),
        ("--seeds", "1..2", "--svg", "a.svg"),
        ("--seeds", "1..2", "--trace", "a.jsonl"),
        ("--seeds", "1..2", "--seed", "1"),
        ("--until", "nan"),
        ("--until", "0"),
        ("--until", "5"),
        ("--until", "0 s"),
        ("--trace", "nowhere/a.jsonl"),
        ("--svg", "nowhere/a.svg"),
    ],
)
def test_options_that_make_no_sense_are_usage_errors(sim: Sim, wrong: tuple[str, ...]) -> None:
    assert sim(*ONE, *wrong).exit_code == 2
