"""`cellctl sim`: the shipped line in virtual time from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cellctl.cli.main import main


def sim(*arguments: str) -> Result:
    """Run it in this process."""
    return CliRunner().invoke(main, ("sim", "puck", *arguments))


def found(*arguments: str) -> dict[str, Any]:
    """Its JSON, from a run that went well."""
    result = sim("--json", *arguments)
    assert result.exit_code == 0, result.output
    read: dict[str, Any] = json.loads(result.stdout)
    return read


def test_an_order_is_made_in_virtual_time_far_faster_than_real() -> None:
    result = found("--order", "sensor-puck/indoor:2", "--order", "sensor-puck/tall")
    assert (result["parts_made"], result["parts_scrapped"]) == (3, 0)
    assert result["by_variant"] == {"indoor": {"good": 2}, "tall": {"good": 1}}
    assert result["counters"]["belt.exit.swallowed"] == 3
    assert result["incidents"] == []
    assert result["virtual_s"] > 5 * result["wall_s"]


def test_the_same_seed_gives_the_same_trace_and_another_seed_another() -> None:
    traces = [
        found("--order", "sensor-puck/indoor", "--seed", seed)["trace_sha256"] for seed in ("1", "1", "2")
    ]
    assert traces[0] == traces[1] != traces[2]


def test_a_line_that_is_not_done_in_time_exits_with_1_and_says_what_waits() -> None:
    result = sim("--order", "sensor-puck/indoor:5", "--until", "20 s")
    assert result.exit_code == 1
    assert "NOT COMPLETE" in result.stdout
    assert "waiting    p1" in result.stdout


def test_the_journal_is_written_as_one_json_object_a_line(tmp_path: Path) -> None:
    found("--order", "sensor-puck/indoor", "--trace", str(tmp_path / "trace.jsonl"))
    events = [json.loads(row) for row in (tmp_path / "trace.jsonl").read_text().splitlines()]
    kinds = [event["type"] for event in events]
    assert kinds[0] == "LineTaken"
    assert kinds.index("OrderTaken") < kinds.index("PartBorn") < kinds.index("PartEnded")
    assert kinds.count("PartEnded") == 1


def test_faults_from_a_file_happen(tmp_path: Path) -> None:
    faults = tmp_path / "faults.yaml"
    faults.write_text("- {device: gauge.head, fault: offset, value: 1 mm, count: 2}\n")
    result = found("--order", "sensor-puck/indoor", "--faults", str(faults))
    assert (result["parts_made"], result["parts_scrapped"], result["retries"]) == (0, 1, 1)


@pytest.mark.parametrize(
    "text",
    ["nothing", "- {device: gauge.head}", "- {device: gauge.head, fault: offset, wrong: 1}", "- 5", "{"],
)
def test_a_file_that_holds_no_faults_is_refused_without_a_traceback(tmp_path: Path, text: str) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text(text)
    result = sim("--order", "sensor-puck/indoor", "--faults", str(path))
    assert result.exit_code in (1, 2)
    assert "Traceback" not in result.output
    assert "faults.yaml" in result.stderr


def test_kills_aimed_at_what_happens_are_read_from_the_file_of_faults(tmp_path: Path) -> None:
    calm = found("--order", "sensor-puck/indoor")
    faults, journal = tmp_path / "faults.yaml", tmp_path / "journal.jsonl"
    faults.write_text("- {effect: 300, for: 2 s}\n- {step: 4000, process: runner, for: 1 s}\n")
    killed = found("--order", "sensor-puck/indoor", "--faults", str(faults), "--trace", str(journal))
    assert killed["parts_made"] == calm["parts_made"] == 1
    assert killed["trace_sha256"] != calm["trace_sha256"]
    assert killed["makespan_s"] > calm["makespan_s"]


@pytest.mark.parametrize("fault", ["fault: kill, ", "fault: full_disk, ", "step: 5, for: 1 s, "])
def test_a_fault_of_a_process_that_is_not_there_is_named(tmp_path: Path, fault: str) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text(f"- {{{fault}process: armm}}\n")
    result = sim("--order", "sensor-puck/indoor", "--faults", str(path))
    assert result.exit_code == 1
    assert "did you mean arm?" in result.stderr


def test_a_fault_of_a_device_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text("- {device: gauge.hed, fault: silent}\n")
    result = sim("--order", "sensor-puck/indoor", "--faults", str(path))
    assert result.exit_code == 1
    assert "did you mean gauge.head?" in result.stderr


@pytest.mark.parametrize("until", ["soon", "8 mm", "-"])
def test_a_time_that_cannot_be_read_is_a_usage_error(until: str) -> None:
    assert sim("--order", "sensor-puck/indoor", "--until", until).exit_code == 2


def test_an_unknown_variant_is_refused_with_the_known_ones() -> None:
    result = sim("--order", "sensor-puck/indor:1")
    assert result.exit_code == 1
    assert "indoor" in result.stderr
