"""What the commands that need no running line do: check, schema, explain, keys, systemd, doctor, and naming files."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from cellctl.cli.explain import all_codes
from cellctl.cli.files import find_line, find_recipe, written_as
from cellctl.cli.main import main
from cellctl.cli.orders import read_order


def cellctl(*arguments: str) -> Result:
    """Run the command line in this process."""
    return CliRunner().invoke(main, arguments)


# --- naming files -------------------------------------------------------------------------------------------------


def test_a_line_beside_us_goes_before_the_shipped_one_of_the_same_name(cell: Path) -> None:
    assert find_line("puck") == cell / "lines" / "puck.yaml"


def test_a_shipped_line_is_found_by_name_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_line("puck").name == find_line("puck.yaml").name == "puck.yaml"


def test_a_recipe_is_found_in_the_products_beside_the_lines(cell: Path) -> None:
    assert find_recipe("sensor-puck", cell / "lines" / "puck.yaml") == cell / "products" / "sensor-puck.yaml"


def test_taught_values_are_no_line(cell: Path) -> None:
    (cell / "lines" / "puck.taught.yaml").write_text("line: puck\n")
    with pytest.raises(click.UsageError):
        find_line("puck.taught")


def test_files_are_told_apart_by_their_keys(cell: Path) -> None:
    (cell / "notes.yaml").write_text("name: neither\n")
    names = ("lines/puck.yaml", "products/sensor-puck.yaml", "notes.yaml")
    assert [written_as(cell / name) for name in names] == ["line", "recipe", ""]


@pytest.mark.parametrize(
    ("text", "variant", "quantity"),
    [
        ("sensor-puck/indoor:4", "indoor", 4),
        ("sensor-puck/tall", "tall", 1),
        ("sensor-puck:7", "", 7),
        ("products/sensor-puck.yaml/outdoor:2", "outdoor", 2),
        ("products/sensor-puck.yaml", "", 1),
    ],
)
def test_orders_are_written_as_recipe_variant_and_quantity(
    cell: Path, text: str, variant: str, quantity: int
) -> None:
    order = read_order(text, cell / "lines" / "puck.yaml")
    assert order.recipe == cell / "products" / "sensor-puck.yaml"
    assert (order.variant, order.quantity) == (variant, quantity)


# --- check --------------------------------------------------------------------------------------------------------


def test_a_line_is_checked_with_the_recipes_beside_it(cell: Path) -> None:
    result = cellctl("check", "puck")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "2 files checked: all well" in result.stderr


def test_a_recipe_that_only_another_line_can_make_is_left_to_that_line(cell: Path) -> None:
    found = json.loads(cellctl("check", "kitting", "--json").stdout)
    assert [Path(file).stem for file in found["files"]] == ["kitting", "kit", "service-kit"]


def test_a_recipe_that_no_line_can_make_is_told_whichever_line_is_checked(cell: Path) -> None:
    recipe = cell / "products" / "ring-unpressed.yaml"
    recipe.write_text(recipe.read_text("utf-8").replace("take: housing", "take: huosing"))
    result = cellctl("check", "kitting")
    assert result.exit_code == 1
    assert "products/ring-unpressed.yaml" in result.stdout
    assert "did you mean 'housing'?" in result.stdout


def test_a_mistake_in_a_recipe_is_shown_with_its_line_and_an_excerpt(cell: Path) -> None:
    recipe = cell / "products" / "sensor-puck.yaml"
    recipe.write_text(recipe.read_text().replace("to: belt.exit", "to: belt.exut"))
    where = next(n for n, row in enumerate(recipe.read_text().splitlines(), 1) if "exut" in row)
    result = cellctl("check", str(recipe))
    assert result.exit_code == 1
    assert f"> products/sensor-puck.yaml:{where}:" in result.stdout
    assert "^^^^" in result.stdout
    assert "\x1b" not in result.stdout


def test_a_file_elsewhere_is_named_in_full_and_one_below_from_here(
    cell: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(cell / "products")
    found = json.loads(cellctl("check", "../lines/puck.yaml", "--json").stdout)
    assert found["files"] == [str(cell.resolve() / "lines" / "puck.yaml"), "sensor-puck.yaml"]


def test_a_directory_is_checked_whole_and_each_file_once(cell: Path) -> None:
    found = json.loads(cellctl("check", str(cell), str(cell), "--json").stdout)
    written = [path for path in cell.glob("*/*.yaml") if written_as(path) in ("line", "recipe")]
    assert sorted(found["files"]) == sorted(str(path.relative_to(cell)) for path in written)
    assert found["ok"] is True


def test_a_directory_without_lines_or_recipes_is_a_usage_error(tmp_path: Path) -> None:
    assert cellctl("check", str(tmp_path)).exit_code == 2


def test_a_recipe_is_well_when_one_of_the_lines_beside_it_can_make_it(cell: Path) -> None:
    other = (cell / "lines" / "puck.yaml").read_text().replace("line: puck", "line: other")
    (cell / "lines" / "other.yaml").write_text(other.replace("board", "plank"))
    assert cellctl("check", "products/sensor-puck.yaml").exit_code == 0
    assert cellctl("check", "products/sensor-puck.yaml", "--line", "other").exit_code == 1


@pytest.fixture
def broken(cell: Path) -> Path:
    """A cell whose line has two mistakes."""
    line = cell / "lines" / "puck.yaml"
    line.write_text(
        line.read_text().replace("speed: 150 mm/s", "speed: 150").replace("kind: inspection", "kind: x")
    )
    return line


def test_findings_for_github_are_one_annotation_each(broken: Path) -> None:
    rows = cellctl("check", "puck", "--format", "github").stdout.splitlines()
    assert len(rows) >= 2
    assert all(row.startswith("::error file=lines/puck.yaml,line=") for row in rows)


def test_findings_in_sarif_have_rule_message_and_region(broken: Path) -> None:
    found = json.loads(cellctl("check", "puck", "--format", "sarif").stdout)
    assert found["version"] == "2.1.0"
    results = found["runs"][0]["results"]
    assert {rule["id"] for rule in found["runs"][0]["tool"]["driver"]["rules"]} == {
        r["ruleId"] for r in results
    }
    for result in results:
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "lines/puck.yaml"
        assert place["region"]["startLine"] >= 1


def test_findings_as_junit_are_one_failed_case_a_file(broken: Path) -> None:
    suite = ET.fromstring(cellctl("check", "puck", "--format", "junit").stdout.encode())
    assert suite.attrib["failures"] == "1"
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert "lines/puck.yaml" in str(failure.text)


# --- schema and explain -------------------------------------------------------------------------------------------


def test_the_schema_of_lines_has_the_keys_of_every_kind_and_driver() -> None:
    schema = json.loads(cellctl("schema", "line").stdout)
    belt = schema["$defs"]["module-conveyor"]
    assert {"kind", "devices", "stations", "speed"} <= set(belt["properties"])
    assert belt["additionalProperties"] is False
    assert "address" in schema["$defs"]["device-altivar"]["properties"]


def test_every_reference_in_a_schema_leads_somewhere() -> None:
    for which in ("line", "recipe"):
        text = cellctl("schema", which).stdout
        schema = json.loads(text)
        for part in text.split('"$ref": "#/$defs/')[1:]:
            assert part.partition('"')[0] in schema["$defs"]


def test_the_schema_of_recipes_names_every_skill() -> None:
    step = json.loads(cellctl("schema", "recipe").stdout)["$defs"]["step"]["else"]
    assert {"transfer", "insert", "advance", "measure", "run"} <= set(
        step["properties"]["do"]["else"]["enum"]
    )


def test_every_code_is_explained_with_what_why_and_remedy() -> None:
    for code, text in all_codes().items():
        assert all(text[part].strip() for part in ("what", "why", "instead")), code


def test_a_code_is_explained_in_any_case_and_an_unknown_one_is_a_usage_error() -> None:
    result = cellctl("explain", "m001")
    assert result.exit_code == 0
    assert "Do:" in result.stdout
    assert cellctl("explain", "M999").exit_code == 2


# --- keys ---------------------------------------------------------------------------------------------------------


def test_keys_for_a_line_are_made_once_trusted_and_secret(cell: Path) -> None:
    keys = cell / ".cellctl" / "puck" / "keys"
    assert cellctl("keys", "make", "--line", "puck").exit_code == 0
    before = {path.name: path.read_text() for path in keys.glob("*.secret")}
    assert {"runner.secret", "belt.secret", "operator.secret"} <= set(before)
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in keys.glob("*.secret"))
    again = cellctl("keys", "make", "--line", "puck")
    assert (again.exit_code, again.stdout) == (0, "")
    assert {path.name: path.read_text() for path in keys.glob("*.secret")} == before
    listed = json.loads(cellctl("keys", "list", "--keys", str(keys), "--json").stdout)
    assert {row["name"] for row in listed if row["secret_here"]} == {
        name.removesuffix(".secret") for name in before
    }


def test_listing_keys_never_shows_a_secret(cell: Path) -> None:
    cellctl("keys", "make", "arm", "--keys", "keys")
    secret = (cell / "keys" / "arm.secret").read_text().splitlines()[-1]
    for options in ((), ("--json",)):
        assert secret not in cellctl("keys", "list", "--keys", "keys", *options).output


def test_a_file_that_is_no_key_is_not_trusted(cell: Path) -> None:
    (cell / "x.public").write_text("nothing")
    result = cellctl("keys", "trust", "x.public", "--keys", "keys")
    assert result.exit_code == 1
    assert "is not a cellctl key" in result.stderr


# --- systemd ------------------------------------------------------------------------------------------------------


def test_unit_files_run_the_line_as_a_service_with_restart(cell: Path) -> None:
    result = cellctl("systemd", "puck", "--write", "units", "--user", "operator")
    assert result.exit_code == 0
    service = (cell / "units" / "cellctl-puck.service").read_text()
    assert f"-m cellctl up {cell}/lines/puck.yaml --state /var/lib/cellctl/puck" in service
    assert "Restart=on-failure" in service
    assert "User=operator" in service
    assert "WantedBy=cellctl.target" in service


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_finds_nothing_wrong_with_the_unit_files(cell: Path) -> None:
    cellctl("systemd", "puck", "--write", "units", "--user", "root", "--state", str(cell / "a state"))
    units = [str(cell / "units" / name) for name in ("cellctl-puck.service", "cellctl.target")]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# --- doctor -------------------------------------------------------------------------------------------------------


@pytest.fixture
def free_bus(cell: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else runs on this computer, the bus addresses are free."""
    monkeypatch.setattr("cellctl.cli.examine.check_free", lambda addresses: None)


@pytest.mark.usefixtures("free_bus")
def test_the_doctor_finds_a_healthy_set_up_well(cell: Path) -> None:
    result = cellctl("doctor", "puck", "--json")
    symptoms = json.loads(result.stdout)
    assert [symptom["what"] for symptom in symptoms if symptom["severity"] == "error"] == []
    assert result.exit_code == 0
    assert any("line puck: 7 modules in 6 processes" in symptom["what"] for symptom in symptoms)


def test_the_doctor_names_records_that_others_can_change_with_the_remedy(cell: Path) -> None:
    state = cell / "state"
    state.mkdir()
    os.chmod(state, 0o777)
    result = cellctl("doctor", "puck", "--state", str(state))
    assert result.exit_code == 1
    assert f"others can change the records in {state}" in result.stdout
    assert f"do: chmod go-w {state}" in result.stdout


def test_the_doctor_names_secret_keys_that_others_can_read(cell: Path) -> None:
    cellctl("keys", "make", "--line", "puck", "--state", "state")
    os.chmod(cell / "state" / "keys" / "arm.secret", 0o644)
    result = cellctl("doctor", "puck", "--state", "state")
    assert result.exit_code == 1
    assert "arm.secret" in result.stdout


def test_the_doctor_names_a_bus_beyond_this_computer_without_keys(cell: Path) -> None:
    line = cell / "lines" / "puck.yaml"
    line.write_text(line.read_text().replace("tcp://127.0.0.1:5700", "tcp://192.0.2.1:5700"))
    result = cellctl("doctor", "puck")
    assert result.exit_code == 1
    assert (
        "the bus reaches beyond this computer (tcp://192.0.2.1:5700), and there are no keys" in result.stdout
    )


def test_the_doctor_names_a_bus_address_that_is_taken(cell: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        line = cell / "lines" / "puck.yaml"
        line.write_text(line.read_text().replace("tcp://127.0.0.1:5700", address))
        result = cellctl("doctor", "puck")
    assert result.exit_code == 1
    assert f"runner cannot listen at {address}: the address is in use" in result.stdout
