"""`cellctl diff`: two recipes, variants or lines in physical terms."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from cellctl.cli.sides import compiled, read_side
from cellctl.flow.events import RecipeTaken
from cellctl.live.deployment import Deployment, save
from cellctl.live.store import open_store
from cellctl.recipe.executable import Executable
from cellctl.runner.book import runner_journal

PUCK, SENSOR = "lines/puck.yaml", "products/sensor-puck.yaml"


def test_two_variants_differ_in_steps_parameters_and_materials_to_change_over(bench: Any) -> None:
    result = bench.diff("sensor-puck/indoor", "sensor-puck/tall")
    assert result.exit_code == 1
    text = re.sub(r"[0-9a-f]{12}", "HASH", result.stdout)
    assert text == (
        "- sensor-puck/indoor, revision 3  HASH\n"
        "+ sensor-puck/tall, revision 3  HASH\n"
        "~ step load\n"
        "    take: housing -> housing-tall\n"
        "~ step lid\n"
        "    take: lid-black -> lid-sealed\n"
        "~ step press\n"
        "    force: 40 N -> 55 N (+15 N, +38 %)\n"
        "+ step settle: run, at belt.press, program close, force 55 N, by press, after press\n"
        "~ step measure\n"
        "    expect.height: 18.2 mm ± 0.15 mm -> 24 mm ± 0.2 mm (+5.8 mm, wider)\n"
        "change over\n"
        "- material housing: from housings.pick\n"
        "+ material housing-tall: from housings.tall_pick\n"
        "- material lid-black: from lids.black_pick\n"
        "+ material lid-sealed: from lids.sealed_pick\n"
    )


def test_alike_is_0_different_1_and_not_comparable_2(bench: Any) -> None:
    assert bench.diff("sensor-puck/indoor", "sensor-puck/indoor").exit_code == 0
    assert bench.diff("sensor-puck/indoor", "sensor-puck/outdoor").exit_code == 1
    broken = bench.changed(SENSOR, ("do: insert", "do: insrt"))
    result = bench.diff("sensor-puck", broken)
    assert result.exit_code == 2
    assert "insrt" in result.stderr
    assert result.stdout == ""


def test_two_revisions_are_compared_variant_by_variant(bench: Any) -> None:
    newer = bench.changed(
        SENSOR, ("force: {default: 40 N", "force: {default: 42 N"), ("revision: 3", "revision: 4")
    )
    found = bench.json("sensor-puck", newer)["variants"]
    assert [pair["a"]["variant"] for pair in found] == ["indoor", "outdoor", "tall"]
    assert [pair["differs"] for pair in found] == [True, False, False], "the others set a force of their own"
    assert [pair["b"]["revision"] for pair in found] == [4, 4, 4]


def test_a_new_number_of_the_revision_alone_changes_the_hash_and_nothing_physical(bench: Any) -> None:
    newer = bench.changed(SENSOR, ("revision: 3", "revision: 4"))
    pair = bench.json("sensor-puck/indoor", f"{newer}/indoor")["variants"][0]
    assert pair["a"]["hash"] != pair["b"]["hash"]
    assert not pair["differs"]
    assert "nothing physical is different" in bench.diff("sensor-puck", newer).stderr


def test_a_variant_that_only_one_side_has_is_a_difference(bench: Any) -> None:
    newer = bench.changed(SENSOR, ("  indoor: {}\n", "  indoor: {}\n  marine: {extends: outdoor}\n"))
    found = {
        (pair.get("b") or pair["a"])["variant"]: pair for pair in bench.json("sensor-puck", newer)["variants"]
    }
    assert found["marine"]["differs"]
    assert "a" not in found["marine"]


BOARD = "take: board, into: belt.load"


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ("to: arm.bin", "to: [arm.bin, belt.load]", "scrap step bin: to: arm.bin -> arm.bin or belt.load"),
        ("timeout: 6 s", "timeout: 8 s", "step press: timeout: 6 s -> 8 s"),
        (
            "retry: 1, then: scrap",
            "retry: 2, from: measure, then: ask",
            "step measure: on reject: retry 1, then scrap -> retry 2 from measure, then ask",
        ),
        (
            "do: transfer, to: arm.bin",
            "do: transfer, to: arm.bin, speed: 50 %",
            "scrap step bin: speed:  -> 50 %",
        ),
        (BOARD, f"{BOARD}, needs: [load], by: arm, timeout: 9 s", "step board: timeout:  -> 9 s"),
        (BOARD, f"{BOARD}, on: {{missed: ask}}", "step board: on missed: retry 1, then ask -> ask"),
    ],
)
def test_one_change_in_a_recipe_is_told_as_one(bench: Any, old: str, new: str, change: str) -> None:
    newer = bench.changed(SENSOR, (old, new))
    ((how, of, name, *rest),) = bench.changes("sensor-puck/indoor", f"{newer}/indoor")
    assert how == "changed"
    assert "{} {}: {}: {} -> {}".format(of, name, *rest) == change


def test_a_step_in_another_place_has_moved_and_its_neighbours_needs_are_no_news(bench: Any) -> None:
    lid = "  - {step: lid, do: insert, take: $lid, into: belt.load}\n"
    board = "  - {step: board, do: insert, take: board, into: belt.load}\n"
    newer = bench.changed(SENSOR, (board + lid, lid + board))
    found = bench.changes("sensor-puck/indoor", f"{newer}/indoor")
    assert [each[0] for each in found] == ["moved"]


def test_another_unit_another_order_of_keys_and_comments_make_no_difference(bench: Any) -> None:
    newer = bench.changed(
        SENSOR,
        ("{default: 40 N, min: 20 N, max: 60 N}", "{max: 0.06 kN, min: 20.0 N, default: 0.04 kN}"),
        ("timeout: 6 s", "timeout: 6000 ms"),
        ("take: board, into: belt.load", "into: belt.load, take: board"),
        ("steps: #", "# a remark\nsteps: #"),
    )
    result = bench.diff("sensor-puck", newer)
    assert (result.exit_code, result.stderr.splitlines()) == (0, ["nothing is different"] * 3)


def test_a_line_says_which_device_moved_where_and_what_is_faster(bench: Any) -> None:
    newer = bench.changed(
        PUCK,
        ("10.0.1.11:502", "10.0.1.12:502"),
        ("speed: 150 mm/s", "speed: 0.18 m/s"),
        ("y: -110 mm, z: 30 mm}", "y: -111.5 mm, z: 30 mm, gamma: 2 deg}"),
        ("time: 2 s", "time: 2500 ms"),
        ("lid-black: {mass: 6 g", "lid-black: {mass: 7 g"),
    )
    old_pose = "x 200 mm, y -110 mm, z 30 mm, beta 180 deg"
    new_pose = "x 200 mm, y -111.5 mm, z 30 mm, beta 180 deg, gamma 2 deg"
    modbus = "modbus-tcp://10.0.1.1{}:502"
    assert bench.changes("puck", newer) == [
        ("changed", "device", "belt.drive", "address", modbus.format(1), modbus.format(2)),
        ("changed", "module", "belt", "speed", "150 mm/s", "180 mm/s"),
        ("changed", "module", "press", "programs.close.time", "2 s", "2.5 s"),
        ("changed", "station", "belt.load", "pose", old_pose, new_pose),
        ("changed", "material", "lid-black", "mass", "6 g", "7 g"),
    ]
    assert "(1.5 mm away, turned by 2 deg)" in bench.diff("puck", newer).stdout


def test_values_taught_at_a_line_are_differences_of_the_line(bench: Any) -> None:
    newer = bench.changed(PUCK, name="other.yaml")
    Path(newer).with_name("other.taught.yaml").write_text(
        "line: puck\nstations: {belt.load: {arm: {x: 200.4 mm, y: -110 mm, z: 30 mm}}}\n"
    )
    (change,) = bench.json("puck", newer)["changes"]
    assert (change["name"], change["what"]) == ("belt.load", "pose for arm")


def test_a_line_and_a_recipe_cannot_be_compared(bench: Any) -> None:
    result = bench.diff("sensor-puck", "puck")
    assert result.exit_code == 2
    assert "compare two lines or two recipes" in result.stderr


def test_one_variant_is_not_compared_with_a_whole_recipe(bench: Any) -> None:
    result = bench.diff("sensor-puck/indoor", "sensor-puck")
    assert result.exit_code == 2
    assert "indoor, outdoor, tall" in result.stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sensor-pukc", "sensor-puck"),
        ("sensor-puck/indor", "indoor"),
        ("puck/indoor", "no recipe is called 'puck'"),
        ("nowhere/x.yaml", "nowhere/x.yaml"),
    ],
)
def test_a_name_that_nothing_answers_to_is_a_usage_error_with_the_nearest(
    bench: Any, name: str, said: str
) -> None:
    result = bench.diff(name, "sensor-puck/indoor")
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output


def test_a_recipe_far_from_any_line_is_compiled_for_that_of_the_other_side(
    bench: Any, tmp_path: Path
) -> None:
    away = tmp_path / "old.yaml"
    away.write_text((bench.folder / SENSOR).read_text("utf-8").replace("40 N", "45 N"), encoding="utf-8")
    assert bench.changes(f"{away}/indoor", "sensor-puck/indoor") == [
        ("changed", "step", "press", "force", "45 N", "40 N")
    ]
    result = bench.diff(f"{away}/indoor", f"{away}/outdoor")
    assert result.exit_code == 2
    assert "--line" in result.stderr
    assert bench.diff(f"{away}/indoor", f"{away}/outdoor", "--line", "puck").exit_code == 1


def journaled(state: Path, line: Path, executable: Executable) -> None:
    """What is left of a line that has run: its deployment, and a journal in which the recipe was ordered."""
    state.mkdir()
    save(Deployment(line=str(line), digest="x", state=str(state)))

    async def write() -> None:
        async with open_store(state / "runner.sqlite") as store:
            await runner_journal(store).append(RecipeTaken(executable.digest, executable))

    asyncio.run(write())


def test_the_hash_that_a_part_records_stands_for_the_recipe_it_was_made_by(bench: Any) -> None:
    state, line = bench.folder / "state", bench.folder / PUCK
    older = bench.changed(SENSOR, ("default: 40 N", "default: 41 N"))
    made = compiled(read_side(f"{older}/indoor", None), [line]).executables["indoor"]
    journaled(state, line, made)
    there = ("--state", str(state))
    assert bench.changes(made.digest[:12], "sensor-puck/indoor", *there) == [
        ("changed", "step", "press", "force", "41 N", "40 N")
    ]
    assert bench.diff(made.digest, f"{older}/indoor", *there).exit_code == 0
    unknown = bench.diff("0123456789ab", "sensor-puck/indoor", *there)
    assert unknown.exit_code == 2
    assert "no recipe that was ordered has a hash that begins with 0123456789ab" in unknown.stderr
