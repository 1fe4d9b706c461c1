"""Every cell makes parts in virtual time: the plant has what the report says, and a killed process loses nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cellctl.findings import Report
from cellctl.flow.events import Dispatched
from cellctl.line.load import load_line
from cellctl.line.model import Line
from cellctl_sim.checkers import check
from cellctl_sim.cli.sim import sim
from cellctl_sim.crash_search import evidence_of
from cellctl_sim.plant.faults import Fault
from cellctl_sim.process_faults import ProcessFault, read_faults
from cellctl_sim.simulation import Order, Result, simulate

HERE = Path(__file__).parent
RECIPES = HERE.parents[1] / "recipes"
SHIPPED = {"kitting": "kit", "printers": "bracket", "two-arms": "valve"}
COMPONENTS = (
    "screw",
    "washer",
    "nut",
    "spring",
    "pin",
    "clip",
    "seal",
    "spacer",
    "bolt",
    "rivet",
    "cap",
    "label",
)
LEAN = COMPONENTS[:10]
PRINT = "simulated: {makes:", "simulated: {takes: 120 s, makes:"  # controllers that print in two minutes


@dataclass(frozen=True)
class Cell:
    """What is ordered of a cell, where it ends up, and what the plant counts for each part."""

    name: str
    variant: str
    sink: str
    counts: Mapping[str, int]
    made_of: tuple[str, ...]
    kills: Mapping[str, float]  # process -> when, while it works [s]
    written: tuple[str, str] = ("", "")  # what of the line file is read otherwise
    quantity: int = 3
    also: Mapping[str, int] = field(default_factory=dict)  # in all


CELLS = [
    Cell(
        "kitting",
        "lean",
        "arm.out",
        {
            "arm.gripper.gripped": 12,
            "arm.gripper.released": 12,
            "bowls.screw_bowl.fed": 1,
            "bowls.rivet_bowl.fed": 1,
        },
        ("box", *LEAN),
        {"bowls": 6.2, "arm": 31.0, "runner": 60.0},
    ),
    Cell(
        "moving-belt",
        "",
        "arm.out",
        {"picker.controller.picked": 1, "arm.gripper.gripped": 1},
        ("part",),
        {"picker": 9.0, "arm": 12.0, "runner": 14.0},
    ),
    Cell(
        "pallets",
        "",
        "arm.box",
        {"press.plc.done": 1, "gauge.head.measured": 1, "arm.gripper.gripped": 2, "housings.bowl.fed": 1},
        ("housing",),
        {"io": 17.0, "arm": 22.0, "reader": 9.5, "press": 16.6, "gauge": 20.5, "runner": 26.0},
    ),
    Cell(
        "printers",
        "fine",
        "arm.box",
        {"arm.gripper.gripped": 1},
        ("bracket",),
        {"printer1": 60.0, "arm": 128.0, "runner": 131.0},
        PRINT,
        quantity=8,
        also={"printer1.plc.made": 6, "printer2.plc.made": 2},
    ),
    Cell(
        "sorting",
        "",
        "diverter.good",
        {"gauge.head.measured": 1, "scale.head.measured": 1, "diverter.received": 1, "belt.gauge.passed": 1},
        ("ring",),
        {"io": 12.0, "arm": 8.0, "gauge": 12.9, "scale": 13.5, "runner": 14.0},
    ),
    Cell(
        "two-arms",
        "steel",
        "left.done",
        {"left.gripper.gripped": 4, "right.plc.done": 1, "bodies.bowl.fed": 1, "covers.bowl.fed": 1},
        ("body", "cover"),
        {"io": 30.0, "left": 17.0, "right": 23.0, "runner": 44.0},
    ),
]


def files(name: str) -> tuple[Path, Path]:
    """Its line file and its recipe file; those of three cells are shipped."""
    if name in SHIPPED:
        return RECIPES / "lines" / f"{name}.yaml", RECIPES / "products" / f"{SHIPPED[name]}.yaml"
    return HERE / name / "line.yaml", HERE / name / "recipe.yaml"


EACH = pytest.mark.parametrize("cell", CELLS, ids=[cell.name for cell in CELLS])
Load = Callable[[Cell], Line]


@pytest.fixture(name="load")
def of_a_cell(example_on_path: Any, tmp_path: Path) -> Load:
    def load(cell: Cell) -> Line:
        path, report = tmp_path / "line.yaml", Report()
        path.write_text(files(cell.name)[0].read_text("utf-8").replace(*cell.written), "utf-8")
        line = load_line(path, report, *example_on_path)
        assert line is not None, report.render()
        return line

    return load


def run(line: Line, cell: Cell, seed: int = 1, faults: Sequence[Fault | ProcessFault] = ()) -> Result:
    text = files(cell.name)[1].read_text("utf-8")
    order = Order("1", text, "recipe.yaml", cell.variant, cell.quantity)
    return simulate(line, [order], seed, until=400, faults=faults)


def in_sink(result: Result, sink: str) -> list[dict[str, Any]]:
    return [item for item in result.items if item["place"] == sink]


@EACH
def test_a_cell_makes_what_was_ordered_and_the_plant_has_it(cell: Cell, load: Load) -> None:
    line = load(cell)
    result = run(line, cell)
    assert result.complete, result.status.get("alarms")
    assert result.report.parts_made == cell.quantity >= 3
    assert result.incidents == []
    made = in_sink(result, cell.sink)
    assert [Counter(item["components"]) for item in made] == [Counter(cell.made_of)] * cell.quantity
    counted = {name: result.counters.get(name, 0) for name in (*cell.counts, *cell.also)}
    assert counted == {name: cell.quantity * each for name, each in cell.counts.items()} | dict(cell.also)
    assert check(evidence_of(line, result)) == []


@EACH
def test_the_same_seed_gives_the_same_trace_and_another_seed_another(cell: Cell, load: Load) -> None:
    line = load(cell)
    first = run(line, cell, seed=3).trace
    assert run(line, cell, seed=3).trace == first
    assert run(line, cell, seed=4).trace != first


KILLS = [(cell, process, at) for cell in CELLS for process, at in cell.kills.items()]


@pytest.mark.parametrize(("cell", "process", "at"), KILLS, ids=[f"{c.name}-{p}" for c, p, _ in KILLS])
def test_a_process_that_is_killed_at_work_costs_no_part(
    cell: Cell, process: str, at: float, load: Load
) -> None:
    line = load(cell)
    faults = read_faults([{"at": at, "process": process, "fault": "kill", "for": "0.4 s"}])
    result = run(line, cell, faults=faults)
    assert result.complete, result.status
    assert len(in_sink(result, cell.sink)) == result.report.parts_made == cell.quantity
    assert result.incidents == []
    assert check(evidence_of(line, result)) == []


ORDERS = [("moving-belt", ":3"), ("pallets", ":3"), ("sorting", ":3")]  # the others: test_shipped_examples.py


@pytest.mark.parametrize(("name", "order"), ORDERS, ids=[name for name, _ in ORDERS])
@pytest.mark.usefixtures("example_on_path")
def test_cellctl_sim_runs_a_cell_with_the_plug_in_installed(name: str, order: str) -> None:
    variant, _, quantity = order.partition(":")
    line, recipe = files(name)
    wanted = f"{recipe}{f'/{variant}' if variant else ''}:{quantity}"
    told = CliRunner().invoke(sim, [str(line), "--order", wanted, "--json"])
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["parts_made"] == 3


@pytest.mark.usefixtures("example_on_path")
def test_cellctl_sim_jumps_over_the_three_hours_of_a_print() -> None:
    told = CliRunner().invoke(sim, ["printers", "--order", "bracket/fine:3", "--json"])
    assert told.exit_code == 0, told.output
    summary = json.loads(told.stdout)
    assert summary["parts_made"] == 3
    assert 3 * 3600 < summary["virtual_s"] < 3 * 3600 + 60


# --- what is each cell's own --------------------------------------------------------------------------------------


def by_name(name: str, quantity: int = 3) -> Cell:
    found = next(cell for cell in CELLS if cell.name == name)
    return Cell(found.name, found.variant, found.sink, {}, found.made_of, {}, found.written, quantity)


def test_pallets_go_round_and_the_reader_says_which_one_carries_a_part(load: Load) -> None:
    cell = by_name("pallets", quantity=6)
    line = load(cell)
    result = run(line, cell)
    tags = [event.results["tag"] for event in result.events if "tag" in getattr(event, "results", {})]
    assert tags == ["P1", "P3", "P2", "P1", "P3", "P2"]
    empties = [e for e in result.events if isinstance(e, Dispatched) and e.skill == "advance" and not e.step]
    assert {event.items[0].id for event in empties} == {"P1", "P2", "P3"}
    assert check(evidence_of(line, result)) == []


def test_a_pallet_that_does_not_leave_is_not_sent_again_until_a_person_says_where_it_is(load: Load) -> None:
    cell = by_name("pallets")
    stuck = read_faults([{"at": 0, "device": "io", "fault": "stuck", "point": "di2", "value": 1}])
    result = run(load(cell), cell, faults=stuck)
    moves = [e for e in result.events if isinstance(e, Dispatched) and not e.step and e.items[0].id == "P3"]
    assert len(moves) == 1
    assert not result.complete


def test_a_tag_that_does_not_answer_is_read_again(load: Load) -> None:
    cell = by_name("pallets")
    blind = read_faults([{"at": "8 s", "device": "reader.head", "fault": "unreadable", "for": "2.5 s"}])
    result = run(load(cell), cell, faults=blind)
    assert result.complete
    assert result.report.retries >= 1


def test_too_high_and_too_heavy_rings_slide_into_their_lanes(load: Load) -> None:
    cell = by_name("sorting", quantity=4)
    line = load(cell)
    faults = read_faults(
        [
            {"at": 0, "device": "gauge.head", "fault": "offset", "value": "0.2 mm", "count": 1},
            {"at": "14 s", "device": "scale.head", "fault": "offset", "value": 0.0005, "count": 1},
        ]
    )
    result = run(line, cell, faults=faults)
    lanes = Counter(item["place"] for item in result.items)
    assert lanes["diverter.high"] == lanes["diverter.heavy"] == 1
    assert lanes["diverter.good"] == result.report.parts_made == 2
    assert result.report.parts_scrapped == 2
    assert check(evidence_of(line, result)) == []


def test_a_crash_while_a_part_falls_into_its_lane_is_held_with_a_question_that_names_it(load: Load) -> None:
    cell = by_name("sorting", quantity=1)
    line = load(cell)
    released = run(line, cell)
    fell = next(e["at"] for e in released.items[0]["history"] if "left at" in e["what"])  # type: ignore[attr-defined]
    faults = read_faults([{"at": fell - 0.1, "process": "io", "fault": "kill", "for": "1 s"}])
    result = run(line, cell, faults=faults)
    assert len(in_sink(result, "diverter.good")) == 1
    assert not result.complete
    diverter = next(module for module in result.status["modules"] if module["module"] == "diverter")
    assert diverter["state"] == "held"
    assert any("diverter.good" in alarm["text"] for alarm in result.status["alarms"]), result.status["alarms"]


def test_the_screws_are_driven_while_the_other_arm_holds_the_cover(load: Load) -> None:
    cell = by_name("two-arms", quantity=1)
    result = run(load(cell), cell)
    history = [event["what"] for event in result.items[0]["history"]]  # type: ignore[attr-defined]
    driven = next(place for place, what in enumerate(history) if what.startswith("worked on by right"))
    assert history[driven - 1] == "gripped by left.gripper"
    assert history[driven + 1] == "put down at left.fixture"
