"""The lines and recipes in recipes/ that are examples: with nothing but what cellctl brings, every variant is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cellctl.compile.compiler import check_recipe
from cellctl.findings import Report
from cellctl.flow.events import Answered, Dispatched
from cellctl.line.load import load_line
from cellctl.line.model import Line
from cellctl.plugins import load_drivers, load_kinds
from cellctl.recipe.executable import Executable
from cellctl.recipe.load import Recipe, load_recipe
from cellctl.recipe.subrecipes import included_texts
from cellctl_sim.checkers import check
from cellctl_sim.crash_search import evidence_of
from cellctl_sim.plant.faults import Fault
from cellctl_sim.process_faults import ProcessFault, read_faults
from cellctl_sim.simulation import Order, Result, simulate

ROOT = Path(__file__).parents[2]
LINES, PRODUCTS = ROOT / "recipes" / "lines", ROOT / "recipes" / "products"
MADE_ON = {
    "kit": "kitting",
    "service-kit": "kitting",
    "bracket": "printers",
    "clip": "printers",
    "valve": "two-arms",
    "ring": "pallets",
    "ring-unpressed": "pallets",
}
QUICKLY = "simulated: {makes:", "simulated: {takes: 120 s, makes:"  # printers that print in two minutes
UNTIL = 2000.0  # [s]
Written = tuple[str, str]


@cache
def line_called(name: str, written: Written = QUICKLY) -> Line:
    """The shipped line, one piece of it written otherwise, with the kinds and drivers that come with cellctl."""
    report = Report()
    kinds = {n: kind for n, kind in load_kinds().items() if kind.code.startswith("cellctl.")}
    drivers = {
        n: driver for n, driver in load_drivers().items() if driver.code.startswith("cellctl_drivers.")
    }
    with TemporaryDirectory() as place:
        path = Path(place) / f"{name}.yaml"
        path.write_text((LINES / path.name).read_text("utf-8").replace(*written), "utf-8")
        line = load_line(path, report, kinds, drivers)
    assert not report.findings, report.render()
    assert line is not None
    return line


def recipe_called(name: str) -> Recipe:
    report = Report()
    recipe = load_recipe(PRODUCTS / f"{name}.yaml", report)
    assert not report.findings, report.render()
    assert recipe is not None
    return recipe


def compiled(name: str) -> dict[str, Executable]:
    """Every variant, on the recipe's line; fails with the findings, warnings too."""
    report = Report()
    made = check_recipe(recipe_called(name), line_called(MADE_ON[name]), report)
    assert not report.findings, report.render()
    return dict(made)


def run(
    name: str,
    quantities: dict[str, int],
    faults: Sequence[Fault | ProcessFault] = (),
    written: Written = QUICKLY,
) -> Result:
    """So many parts of each variant, in virtual time."""
    path = PRODUCTS / f"{name}.yaml"
    text, included = path.read_text("utf-8"), included_texts(path)
    orders = [
        Order(variant or name, text, path.name, variant, quantity, included=included)
        for variant, quantity in quantities.items()
    ]
    return simulate(line_called(MADE_ON[name], written), orders, 1, until=UNTIL, faults=faults)


def test_every_recipe_that_is_shipped_is_an_example_or_the_puck() -> None:
    recipes = {p.stem for p in PRODUCTS.glob("*.yaml") if "\nrecipe:" in p.read_text("utf-8")}
    assert recipes == {*MADE_ON, "sensor-puck"}
    assert {p.stem for p in LINES.glob("*.yaml")} == {*MADE_ON.values(), "puck"}


@pytest.mark.parametrize("name", MADE_ON)
def test_three_parts_of_the_first_variant_and_one_of_each_other_are_made(name: str) -> None:
    variants = list(recipe_called(name).variants)
    quantities = {variant: 3 if variant == variants[0] else 1 for variant in variants}
    result = run(name, quantities)
    assert result.complete, result.status.get("alarms")
    assert result.incidents == []
    assert result.report.parts_made == sum(quantities.values())
    assert {variant: counts["good"] for variant, counts in result.report.by_variant.items()} == quantities
    assert check(evidence_of(line_called(MADE_ON[name]), result)) == []


# --- what each page tells -----------------------------------------------------------------------------------------


def in_each_box(result: Result, sink: str) -> list[Counter[str]]:
    return [Counter(item["components"]) for item in result.items if item["place"] == sink]


def test_a_service_kit_has_a_screw_and_a_washer_for_each_seal() -> None:
    (box,) = in_each_box(run("service-kit", {"overhaul": 1}), "arm.out")
    assert box == Counter(box=1, seal=4, screw=4, washer=4, spring=1, label=1)


def test_a_kit_goes_on_with_what_is_there_while_one_bowl_is_slow() -> None:
    slow = "present: di1}", "present: di1, simulated: {takes: 8 s}}"
    usual = dispatched(run("kit", {"full": 1}))
    late = dispatched(run("kit", {"full": 1}, written=slow))
    assert usual.index("screw") == 1 < late.index("screw")  # it is the first in the file
    assert sorted(usual) == sorted(late)


def dispatched(result: Result) -> list[str]:
    return [event.step for event in result.events if isinstance(event, Dispatched) and event.step]


def test_clips_are_printed_on_all_printers_and_brackets_on_those_that_have_the_program() -> None:
    assert compiled("clip")["usual"].step("print").modules == {"": ("printer1", "printer2", "printer3")}
    assert compiled("bracket")["draft"].step("print").modules == {"": ("printer1", "printer2")}


def test_what_lies_on_the_plate_is_what_the_program_makes() -> None:
    assert in_each_box(run("clip", {"sample": 1}), "arm.box") == [Counter(clip=1)]


def test_a_valve_that_is_not_screwed_well_is_laid_aside() -> None:
    fails = "values: {angle: 7.4}", "fail_rate: 1, values: {angle: 7.4}"
    result = run("valve", {"brass": 2}, written=fails)
    assert (result.report.parts_made, result.report.parts_scrapped) == (0, 2)
    assert in_each_box(result, "left.reject") == [Counter(body=1, cover=1)] * 2


def test_a_valve_records_the_torque_that_its_screws_were_driven_with() -> None:
    result = run("valve", {"steel": 1})
    (torque,) = [
        e.results["torque"] for e in result.events if isinstance(e, Answered) and "torque" in e.results
    ]
    assert torque == pytest.approx(1.1, rel=0.02)


def test_a_ring_out_of_its_limits_is_unloaded_into_the_rejects_by_the_steps_that_all_rings_share() -> None:
    high = read_faults([{"at": 0, "device": "gauge.head", "fault": "offset", "value": "0.2 mm", "count": 1}])
    result = run("ring", {"usual": 3}, high)
    assert (result.report.parts_made, result.report.parts_scrapped) == (2, 1)
    assert len(in_each_box(result, "arm.rejects")) == 1
    shared = [step.name for step in compiled("ring-unpressed")[""].steps if step.name.startswith("outbound.")]
    assert shared == [step.name for step in compiled("ring")["firm"].steps if step.name in shared]
