"""Six cells, as different as lines are, that the line and recipe formats can express.

Three of them are shipped as examples; here stand those that need the plug-in.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cellctl.compile.compiler import check_recipe
from cellctl.findings import Report
from cellctl.line.load import load_line
from cellctl.line.model import Line
from cellctl.motion.robots import robot
from cellctl.motion.transforms import compose, from_xyz_euler, inverse
from cellctl.plugins import load_code
from cellctl.recipe.executable import Executable
from cellctl.recipe.load import load_recipe

HERE = Path(__file__).parent
RECIPES = HERE.parents[1] / "recipes"
SHIPPED = {"kitting": "kit", "printers": "bracket", "two-arms": "valve"}
CELLS = sorted([*SHIPPED, *(path.parent.name for path in HERE.glob("*/line.yaml"))])
EXAMPLE = HERE.parent / "example_plugin"


def files(cell: str) -> tuple[Path, Path]:
    """Its line file and its recipe file."""
    if cell in SHIPPED:
        return RECIPES / "lines" / f"{cell}.yaml", RECIPES / "products" / f"{SHIPPED[cell]}.yaml"
    return HERE / cell / "line.yaml", HERE / cell / "recipe.yaml"


def made(cell: str, installed: Any) -> tuple[Line, dict[str, Executable]]:
    """The cell's line, and every variant of its recipe; fails with the findings."""
    report = Report()
    line_file, recipe_file = files(cell)
    line = load_line(line_file, report, *installed)
    recipe = load_recipe(recipe_file, report)
    assert line is not None, report.render()
    assert recipe is not None, report.render()
    variants = check_recipe(recipe, line, report)
    assert report.findings == (), report.render()
    assert variants.keys() == recipe.variants.keys()
    return line, variants


def test_there_are_six_cells() -> None:
    assert CELLS == ["kitting", "moving-belt", "pallets", "printers", "sorting", "two-arms"]


@pytest.mark.parametrize("cell", CELLS)
def test_every_variant_compiles_without_findings(cell: str, with_example_plugin: Any) -> None:
    made(cell, with_example_plugin)


@pytest.mark.parametrize("cell", CELLS)
def test_every_arm_reaches_every_nest_that_it_has_a_pose_for(cell: str, with_example_plugin: Any) -> None:
    line, _ = made(cell, with_example_plugin)
    for module in line.modules.values():
        if not module.tools:
            continue
        arm, base = robot(module.options.robot), module.options.base.pose()
        T_base_line = inverse(from_xyz_euler((base.x, base.y, base.z), (base.alpha, base.beta, base.gamma)))
        q = arm.lower * 0.0
        for station in line.stations.values():
            pose = station.pose_for(module.name)
            for nest in range(station.capacity) if pose else ():
                dx, dy = station.grid.offset(nest) if station.grid else (0.0, 0.0)
                for above in (0.0, station.approach):
                    at = (pose.x + dx, pose.y + dy, pose.z + above)
                    T = compose(T_base_line, from_xyz_euler(at, (pose.alpha, pose.beta, pose.gamma)))
                    T[:3, 3] -= module.tools[0].length * T[:3, 2]
                    q = arm.joints_near(T, q)


def test_two_arms_do_one_step_together_and_only_one_is_over_the_fixture(with_example_plugin: Any) -> None:
    line, variants = made("two-arms", with_example_plugin)
    fasten = variants["brass"].step("fasten")
    assert fasten.modules == {"holder": ("left",), "worker": ("right",)}
    assert fasten.phases == (("holder", "hold"), ("worker", "run"), ("holder", "let_go"))
    assert line.stations["left.fixture"].zone in line.modules["right"].zones
    assert variants["small"].step("fasten").parameters["screws"] == 2.0


def test_pallets_have_homes_and_parts_go_on_them_past_four_stations(with_example_plugin: Any) -> None:
    line, variants = made("pallets", with_example_plugin)
    assert [(carrier.id, carrier.home) for carrier in line.carriers] == [
        ("P1", "loop.load"), ("P2", "loop.press"), ("P3", "loop.gauge"),
    ]  # fmt: skip
    assert variants[""].step("identify").modules == {"": ("reader",)}


def test_either_printer_that_has_the_program_makes_six_parts_at_a_time(with_example_plugin: Any) -> None:
    _, variants = made("printers", with_example_plugin)
    step = variants["fine"].step("print")
    assert step.parts == 6
    assert step.modules == {"": ("printer1", "printer2")}
    assert step.timeout == 8 * 3600


def test_parts_on_the_moving_belt_are_announced(with_example_plugin: Any) -> None:
    _, variants = made("moving-belt", with_example_plugin)
    assert variants[""].announced
    assert variants[""].arrives == ("picker.window",)


def test_each_reject_has_its_lane(with_example_plugin: Any) -> None:
    line, variants = made("sorting", with_example_plugin)
    executable = variants[""]
    assert executable.step("height").routes["reject"].then == "high_inlet"
    assert executable.step("mass").routes["reject"].then == "heavy_inlet"
    assert executable.step("high").needs == ("high_inlet",)
    assert line.stations["diverter.high"].options.flap == "io.do5"
    assert line.modules["diverter"].process == line.modules["belt"].process


def test_twelve_components_are_put_in_any_order_by_one_process_of_feeders(with_example_plugin: Any) -> None:
    line, variants = made("kitting", with_example_plugin)
    inserts = [step for step in variants["full"].steps if step.skill == "insert"]
    assert len(inserts) == 12
    assert {step.needs for step in inserts} == {("box",)}
    assert len([step for step in variants["lean"].steps if step.skill == "insert"]) == 10
    assert line.processes["bowls"].modules == ("bowls",)


# --- the plug-in ---------------------------------------------------------------------------------------------------


def test_the_plug_ins_code_is_what_its_declarations_name(with_example_plugin: Any) -> None:
    kinds, drivers = with_example_plugin
    for name in ("reader", "diverter", "tracker"):
        assert load_code(kinds[name].code).__module__.startswith("cellctl_example.")
    assert load_code(drivers["tag_reader"].code).__name__ == "TagReader"


WHAT_IS_INSTALLED = """
import json
from cellctl.plugins import load_drivers, load_kinds
print(json.dumps([sorted(load_kinds()), sorted(load_drivers())]))
"""


@pytest.mark.skipif(
    importlib.util.find_spec("hatchling") is None, reason="building the plug-in needs hatchling"
)
def test_the_installed_plug_in_is_found_by_its_entry_points(tmp_path: Path) -> None:
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    subprocess.run([*pip, "--target", str(tmp_path), str(EXAMPLE)], check=True, timeout=100)
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    told = subprocess.run(
        [sys.executable, "-c", WHAT_IS_INSTALLED],
        check=True,
        timeout=60,
        capture_output=True,
        text=True,
        env=environment,
    )
    kinds, drivers = json.loads(told.stdout)
    assert {"arm", "diverter", "reader", "tracker"} <= set(kinds)
    assert {"altivar", "tag_reader"} <= set(drivers)
