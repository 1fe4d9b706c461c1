"""Kills that share what comes before them: a process that splits comes to what one does that runs each by itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from cellctl.line.model import Line
from cellctl_sim.crash_search import Recipe, measure
from cellctl_sim.crashtest import THREADS, TOGETHER, Bench, Case, swarm, sweep, together, try_all
from cellctl_sim.shared_prefix import may_split
from cellctl_sim.simulation import Order

ROOT = Path(__file__).parents[2]

SCRIPT = """
import json, sys
from dataclasses import replace
from pathlib import Path
from cellctl.live.line_file import read_line
from cellctl_sim.aimed_kills import StepKill
from cellctl_sim.crash_search import run, undisturbed
from cellctl_sim.shared_prefix import may_split, split_run
from cellctl_sim.simulation import Order

line, _ = read_line(Path("recipes/lines/puck.yaml"))
recipe = Path("recipes/products/sensor-puck.yaml")
calm = undisturbed(line, [Order("o1", recipe.read_text(), recipe.name, "indoor", 1)], seed=3)
kills = [StepKill(step=s, process=p, **{"for": 0.7}) for p, s in json.loads(sys.argv[1])]

def what(trial):
    return [trial.result.trace, trial.result.steps, trial.result.counters]

def tell(trial):
    if "mute" in sys.argv and trial.result.steps % 2:
        raise RuntimeError("a copy that breaks")
    return json.dumps(what(trial)).encode()

told = split_run(line, kills, lambda stage: run(line, calm, stage=stage), tell)
alone = [what(run(line, replace(calm, kills=(kill,)))) for kill in kills]
print(json.dumps([may_split(), [json.loads(told[k]) if k in told else None for k in kills], alone]))
"""


def split(kills: list[tuple[str, int]], *arguments: str) -> tuple[bool, list[Any], list[Any]]:
    """In a process of its own with one thread: whether it may split, what the copies told, what runs alone come to."""
    command = (sys.executable, "-c", SCRIPT, json.dumps(kills), *arguments)
    alone = os.environ | dict.fromkeys(THREADS, "1")
    ended = subprocess.run(command, cwd=ROOT, env=alone, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    may, told, apart = json.loads(ended.stdout)
    return may, told, apart


def test_a_copy_comes_to_the_same_as_a_run_of_its_own_to_the_last_event() -> None:
    kills = [("arm", 1800), ("runner", 400), ("arm", 400)]
    may, told, alone = split(kills)
    assert may
    assert told == alone
    assert len({trace for trace, *_ in told}) == len(kills)


def test_of_a_step_that_never_comes_nothing_is_told() -> None:
    _, told, _ = split([("runner", 400), ("arm", 1_000_000)])
    assert [what is not None for what in told] == [True, False]


def test_a_copy_that_breaks_tells_nothing_and_the_others_go_on() -> None:
    kills = [(process, step) for step in (600, 900) for process in ("runner", "arm")]
    _, told, alone = split(kills, "mute")
    assert [what is None for what in told] == [bool(steps % 2) for _, steps, _ in alone]
    assert any(what is None for what in told)
    assert any(what is not None for what in told)


def test_a_process_with_a_second_thread_does_not_split() -> None:
    end = Event()
    other = Thread(target=end.wait)
    other.start()
    assert not may_split()
    end.set()
    other.join()


# --- a sweep ------------------------------------------------------------------------------------------------------


def test_a_sweep_by_copies_has_the_verdicts_of_one_without(puck_line: Line, puck_recipe: Recipe) -> None:
    orders = (Order("o1", puck_recipe.text, puck_recipe.source, "indoor", 1),)
    bench = Bench(puck_line, orders, measure(puck_line, orders)[0])
    cases = sweep([0], puck_line, orders, every=2000)

    def outcome(verdicts: Callable[[], Any]) -> dict[Case, Any]:
        return {verdict.case: (verdict.findings, verdict.virtual_s) for verdict in verdicts()}

    assert outcome(lambda: try_all(bench, cases, processes=2)) == outcome(lambda: map(bench.judge, cases))


def test_only_kills_of_one_seed_are_judged_together() -> None:
    kills = [Case(seed, step, "arm") for seed in (0, 1) for step in range(TOGETHER + 1)]
    parcels = list(together([*swarm(range(3)), *kills]))
    assert [len(parcel) for parcel in parcels] == [1, 1, 1, TOGETHER, 1, TOGETHER, 1]
    assert [case for parcel in parcels for case in parcel] == [*swarm(range(3)), *kills]
    assert all(len({case.seed for case in parcel}) == 1 for parcel in parcels)


@pytest.mark.parametrize("name", THREADS)
def test_the_search_leaves_the_environment_as_it_was(
    name: str, monkeypatch: pytest.MonkeyPatch, puck_line: Line
) -> None:
    monkeypatch.setenv(name, "3")
    bench: Any = None
    assert list(try_all(bench, [], processes=2)) == []
    assert os.environ[name] == "3"
