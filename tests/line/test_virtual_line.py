"""The shipped puck line in virtual time: the very runner, modules and drivers, judged by what the plant knows."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from interpreters import VERSIONS, interpreter

from cellctl.errors import Refused
from cellctl.line.model import Line
from cellctl_sim.plant.faults import Fault
from cellctl_sim.plant.plant import Plant
from cellctl_sim.process_faults import ProcessFault, read_faults
from cellctl_sim.simulation import Operator, Order, Result, simulate, start_line
from cellctl_sim.universe import Universe

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "recipes/products/sensor-puck.yaml"

HEIGHTS = {"indoor": 0.0182, "outdoor": 0.0182, "tall": 0.0240}  # [m], what the recipe asks for
PRESSINGS = {"indoor": 1, "outdoor": 1, "tall": 2}


def order(variant: str, quantity: int) -> Order:
    return Order(f"{quantity} {variant}", RECIPE.read_text(), RECIPE.name, variant, quantity)


def made(result: Result) -> list[dict[str, object]]:
    """The pucks that left the line, as the plant knows them."""
    return [item for item in result.items if any("left at belt.exit" in e["what"] for e in item["history"])]  # type: ignore[attr-defined]


@pytest.mark.parametrize("variant", HEIGHTS)
def test_a_variant_is_made_as_its_recipe_says(puck_line: Line, variant: str) -> None:
    result = simulate(puck_line, [order(variant, 2)], seed=1, until=300.0)
    assert result.complete
    assert result.report.parts_made == len(made(result)) == 2
    assert [item["height"] for item in made(result)] == pytest.approx([HEIGHTS[variant]] * 2, abs=1e-6)
    assert all(len(item["components"]) == 3 for item in made(result))  # type: ignore[arg-type]
    assert result.counters["press.plc.started"] == 2 * PRESSINGS[variant]
    assert result.counters["arm.gripper.gripped"] == result.counters["arm.gripper.released"] == 6
    assert result.incidents == []


def test_the_same_seed_gives_the_same_trace_and_another_seed_another(puck_line: Line) -> None:
    first, second, other = (
        simulate(puck_line, [order("indoor", 2)], seed=seed, until=300.0) for seed in (3, 3, 4)
    )
    assert first.trace == second.trace != other.trace
    assert (first.steps, first.ended, first.report) == (second.steps, second.ended, second.report)


def trace_of(puck_line: Line, plainly: bool) -> tuple[str, int]:
    with Universe(seed=5, keep_trace=True) as universe:
        plant = Plant(puck_line, universe.random)
        universe.install(plant).polls_plainly = plainly
        operator = Operator([order("indoor", 1)], universe.stop)
        start_line(universe, puck_line)
        universe.start("operator", operator.work)
        universe.run(100.0)
        assert operator.is_done
        return universe.trace.lines(), universe.loop.steps


def test_waiting_for_devices_gives_the_trace_of_plain_polling(puck_line: Line) -> None:
    jumping, few = trace_of(puck_line, plainly=False)
    polling, many = trace_of(puck_line, plainly=True)
    assert jumping == polling
    assert few < many


PROGRAM = """
import sys
from pathlib import Path
from cellctl.live.line_file import read_line
from cellctl_sim.simulation import Order, simulate
line, _ = read_line(Path("recipes/lines/puck.yaml"))
recipe = Path("recipes/products/sensor-puck.yaml")
result = simulate(line, [Order("1", recipe.read_text(), recipe.name, "tall", 2)], seed=9, until=300.0)
print(result.complete, result.ended, result.trace)
"""


@cache
def run_elsewhere(python: str, hash_seed: str) -> str:
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [python, "-c", PROGRAM],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_trace_does_not_depend_on_the_hash_seed() -> None:
    said = {run_elsewhere(sys.executable, hash_seed) for hash_seed in ("0", "1", "random")}
    assert len(said) == 1
    assert said.pop().startswith("True ")


@pytest.mark.parametrize("version", VERSIONS)
def test_the_trace_is_the_same_on_every_version_of_python(version: str) -> None:
    said = run_elsewhere(interpreter(version, "cellctl_sim", "scipy", "zmq"), "random")
    assert said == run_elsewhere(sys.executable, "0")
    assert said.startswith("True ")


def kills(*faults: tuple[float, str]) -> list[Fault | ProcessFault]:
    return read_faults([{"at": at, "process": name, "fault": "kill", "for": "0.5 s"} for at, name in faults])


def made_once(result: Result, quantity: int) -> None:
    """Everything that was ordered was made, and every actuation that may not be repeated happened once."""
    assert result.complete, result.status
    assert result.report.parts_made == len(made(result)) == quantity
    assert [item["height"] for item in made(result)] == pytest.approx([0.0182] * quantity, abs=1e-6)
    assert result.counters["press.plc.started"] == quantity
    assert result.counters["arm.gripper.gripped"] == 3 * quantity
    assert result.counters["belt.exit.swallowed"] == quantity
    assert result.incidents == []


@pytest.mark.parametrize("at", [7.3, 12.0, 19.7, 21.0, 24.0])
@pytest.mark.parametrize("process", ["belt", "arm", "io2", "press", "gauge", "runner"])
def test_a_process_that_is_killed_loses_nothing_and_does_nothing_twice(
    puck_line: Line, process: str, at: float
) -> None:
    made_once(simulate(puck_line, [order("indoor", 1)], seed=2, until=200.0, faults=kills((at, process))), 1)


def test_a_bus_that_is_cut_for_a_while_loses_nothing(puck_line: Line) -> None:
    cuts: Sequence[dict[str, object]] = [
        {"at": "8 s", "process": "arm", "fault": "cut", "for": "3 s"},
        {"at": "19 s", "process": "belt", "fault": "cut", "for": "0.5 s"},
    ]
    made_once(simulate(puck_line, [order("indoor", 1)], seed=2, until=200.0, faults=read_faults(cuts)), 1)


def test_an_order_that_the_line_cannot_make_is_refused_with_its_findings(puck_line: Line) -> None:
    with pytest.raises(Exception, match="marine") as raised:
        simulate(puck_line, [order("marine", 1)], until=10.0)
    assert isinstance(raised.value.__cause__, Refused)
