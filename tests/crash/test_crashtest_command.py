"""`cellctl crashtest`: a planted bug is found, shortened, and found again by the command that it names."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cellctl.cli.main import main
from cellctl.device import Settled, Settlement
from cellctl.line.model import Line
from cellctl_drivers.handshake_machine import HandshakeMachine
from cellctl_drivers.maps import handshake_machine as plc
from cellctl_sim.crash_search import Recipe, measure
from cellctl_sim.crashtest import Bench, Case, Verdict, swarm, sweep, try_all
from cellctl_sim.simulation import Order

PART = ("--order", "sensor-puck/indoor")
FINDS_IT = "1756"  # a seed whose scenario kills the press's process while it presses


def crashtest(place: Path, *arguments: str, line: str = "puck") -> Result:
    """Run it in this process."""
    places = () if "--replay" in arguments else ("--processes", "1", "--into", str(place / "failures"))
    return CliRunner().invoke(main, ("crashtest", line, *arguments, *places))


def found(result: Result, code: int = 0) -> dict[str, Any]:
    """Its JSON."""
    assert result.exit_code == code, result.output
    read: dict[str, Any] = json.loads(result.stdout)
    return read


@pytest.fixture
def starts_programs_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted bug: after a crash the press starts its program again, under a number that the PLC has not seen."""
    start, run = HandshakeMachine._start, HandshakeMachine.run

    def run_again(self: Any, program: int, values: Any, results: Any) -> Any:
        async def settle(number: int) -> Settled[Any]:
            return Settled(Settlement.NOT_STARTED)

        async def perform(number: int) -> Any:
            unit = self._unit()
            report = await unit.read(*(register for register in plc.REPORT))
            fresh = number + 1_000_000 * (report.raw(plc.ACK) == number)
            await start(self, unit, report, fresh, program, values)
            await self._ended(unit, fresh)
            return {"code": 0, **dict.fromkeys(results, 0.0)}

        return replace(run(self, program, values, results), perform=perform, settle=settle)

    monkeypatch.setattr(HandshakeMachine, "run", run_again)


@pytest.mark.usefixtures("starts_programs_again")
def test_a_planted_bug_is_found_and_shortened_to_a_fault_or_two_that_replay_it(tmp_path: Path) -> None:
    result = found(crashtest(tmp_path, *PART, "--seeds", FINDS_IT, "--json"), code=1)
    (shortened,) = result["shortened"]
    assert 1 <= len(shortened["faults"]) <= 2
    assert any("worked on 2 times" in text for text in shortened["findings"])
    tale = Path(shortened["trace"]).read_text()
    assert all(f"FAULT {fault}" in tale for fault in shortened["faults"])
    assert "killed" in tale

    command = shlex.split(shortened["replay"])
    assert command[:2] == ["cellctl", "crashtest"]
    again = [found(crashtest(tmp_path, *command[3:], "--json", line=command[2]), code=1) for _ in range(2)]
    assert again[0]["findings"] == again[1]["findings"] == shortened["findings"]
    assert again[0]["trace_sha256"] == again[1]["trace_sha256"] != ""
    assert again[0]["faults"] == shortened["faults"]


@pytest.mark.usefixtures("starts_programs_again")
def test_a_failure_is_shown_with_what_was_found_and_how_to_see_it_again(tmp_path: Path) -> None:
    result = crashtest(tmp_path, *PART, "--seeds", FINDS_IT, "--shrink", "0")
    assert result.exit_code == 1
    assert f"FOUND      seed {FINDS_IT}" in result.stdout
    assert "1 failed" in result.stdout
    assert not (tmp_path / "failures").exists()


def test_a_sound_line_exits_with_0_and_says_how_much_was_tried(tmp_path: Path) -> None:
    result = found(crashtest(tmp_path, *PART, "--seeds", "0..2", "--json"))
    assert (result["cases"], result["tried"], result["failed"]) == (3, 3, 0)
    assert (result["failures"], result["shortened"], result["by_checker"]) == ([], [], {})
    assert result["virtual_s"] > 30.0
    assert result["rate_per_s"] > 0.0
    assert result["rate_per_core_s"] > 0.0
    assert result["interrupted"] is False
    assert result["simulated"] is True


def test_a_scenario_with_nothing_in_it_finds_nothing_and_tells_of_the_whole_run(tmp_path: Path) -> None:
    (tmp_path / "calm.yaml").write_text("orders: [sensor-puck/indoor:1]\n")
    result = crashtest(tmp_path, "--replay", str(tmp_path / "calm.yaml"))
    assert result.exit_code == 0, result.output
    assert "nothing is found" in result.stdout
    assert "PartEnded" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [(), (*PART, "--seeds", "9..3"), (*PART, "--seeds", "a"), (*PART, "--every", "0")],
    ids=["no order", "backwards", "no number", "every 0"],
)
def test_what_cannot_be_searched_is_a_usage_error(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    result = crashtest(tmp_path, *arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_a_line_that_fails_undisturbed_is_said_before_anything_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HandshakeMachine, "run", lambda *_: (_ for _ in ()).throw(ValueError("planted")))
    result = crashtest(tmp_path, *PART, "--seeds", "0")
    assert result.exit_code == 1
    assert "nothing was disturbed yet" in result.stderr
    assert "FOUND" not in result.stdout


# --- interrupted, and gone on with --------------------------------------------------------------------------------


def interrupted_at(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    judge = Bench.judge

    def interrupted(self: Bench, case: Case) -> Verdict:
        if case.seed == seed:
            raise KeyboardInterrupt
        return judge(self, case)

    monkeypatch.setattr(Bench, "judge", interrupted)


def test_an_interrupted_search_says_what_it_knows_and_is_gone_on_with(tmp_path: Path) -> None:
    arguments = (*PART, "--seeds", "0..3", "--json", "--resume", str(tmp_path / "done.jsonl"))
    with pytest.MonkeyPatch.context() as patch:
        interrupted_at(patch, 2)
        first = found(crashtest(tmp_path, *arguments), code=130)
    assert (first["tried"], first["interrupted"]) == (2, True)

    with pytest.MonkeyPatch.context() as patch:
        interrupted_at(patch, 0)  # which is not tried a second time
        second = found(crashtest(tmp_path, *arguments))
    assert (second["tried"], second["interrupted"]) == (4, False)
    assert second["virtual_s"] > first["virtual_s"]


def test_a_line_that_was_half_written_when_the_power_failed_is_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "done.jsonl"
    arguments = (*PART, "--seeds", "0..1", "--json", "--resume", str(path))
    found(crashtest(tmp_path, *arguments))
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    assert found(crashtest(tmp_path, *arguments))["tried"] == 2
    assert [json.loads(line).get("case") for line in path.read_bytes().splitlines()] == [None, *SEEDS_0_AND_1]


SEEDS_0_AND_1 = [{"seed": 0}, {"seed": 1}]


@pytest.mark.parametrize("text", ["nothing of the kind\n", "{}\n"])
def test_a_file_of_something_else_is_not_gone_on_with(tmp_path: Path, text: str) -> None:
    path = tmp_path / "done.jsonl"
    path.write_text(text)
    result = crashtest(tmp_path, *PART, "--seeds", "0", "--resume", str(path))
    assert result.exit_code == 1
    assert "done.jsonl" in result.stderr
    assert path.read_text() == text


def test_a_search_with_other_orders_is_not_gone_on_with(tmp_path: Path) -> None:
    resume = ("--seeds", "0", "--resume", str(tmp_path / "done.jsonl"))
    found(crashtest(tmp_path, *PART, "--json", *resume))
    result = crashtest(tmp_path, "--order", "sensor-puck/tall", *resume)
    assert result.exit_code == 1
    assert "orders" in result.stderr


# --- the cases ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bench(puck_line: Line, puck_recipe: Recipe) -> Bench:
    orders = (Order("o1", puck_recipe.text, puck_recipe.source, "indoor", 1),)
    pace, trial = measure(puck_line, orders)
    assert not trial.findings
    return Bench(puck_line, orders, pace)


def test_a_sweep_kills_every_process_at_every_step(bench: Bench) -> None:
    cases = sweep([0], bench.line, bench.orders)
    processes = {*bench.line.processes, "runner"}
    assert {(case.step, case.process) for case in cases} == {
        (step, process) for step in range(bench.pace.steps) for process in processes
    }
    assert len(cases) == bench.pace.steps * len(processes)


def test_a_sweep_with_larger_strides_kills_each_process_where_it_says(bench: Bench) -> None:
    cases = sweep([0], bench.line, bench.orders, every=3000)
    assert {case.process for case in cases} == {*bench.line.processes, "runner"}
    for case in cases[::3]:
        trial = bench.attempt(bench.scenario(case))
        assert not trial.findings
        assert [fault.process for fault in trial.struck] == [case.process]


def test_two_processes_come_to_the_same_as_one(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cellctl_sim.crashtest.AHEAD", 1)

    def outcome(verdicts: Callable[[], Any]) -> dict[Case, tuple[Any, float]]:
        return {verdict.case: (verdict.findings, verdict.virtual_s) for verdict in verdicts()}

    cases = swarm(range(3))
    alone = outcome(lambda: try_all(bench, cases))
    assert len(alone) == 3
    assert outcome(lambda: try_all(bench, cases, processes=2)) == alone


def test_any_line_can_be_searched(tmp_path: Path) -> None:
    assert (
        found(crashtest(tmp_path, "--order", "ring/firm", "--seeds", "1", "--json", line="pallets"))["tried"]
        == 1
    )
