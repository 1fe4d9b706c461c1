"""Findings in the forms of other programs, each read back by a consumer of that form."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cellctl.cli.formats import as_github, as_junit, as_sarif
from cellctl.findings import Related, Report, Span


@pytest.fixture
def report() -> Report:
    """An error with a related place, a warning, and text that every form has to quote."""
    found = Report()
    found.add_source("a b.yaml", "one: <1>\ntwo: &2\n")
    here, there = Span("a b.yaml", 2, 6, 2, 8), Span("a b.yaml", 1, 6, 1, 9)
    found.error("CC-Y009", here, "50 % of <it>\n& 'more'", "remove it", Related(there, "first here"))
    found.warn("CC-L018", Span("c.yaml", 1, 1, 1, 1), "no module uses it")
    return found


@pytest.fixture(scope="module")
def sarif_schema() -> dict[str, Any]:
    """The schema of OASIS (sarif-schema-2.1.0, rtm.5), as the npm package @microsoft/jest-sarif carries it."""
    named = os.environ.get("CELLCTL_SARIF_SCHEMA", "")
    npm = shutil.which("npm")
    if not named and npm:
        root = subprocess.run([npm, "root", "-g"], capture_output=True, text=True, check=False).stdout.strip()
        named = f"{root}/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"
    if not named or not Path(named).exists():
        pytest.skip(
            "no SARIF schema; npm install -g @microsoft/jest-sarif@1.0.0-beta.0, or CELLCTL_SARIF_SCHEMA"
        )
    found: dict[str, Any] = json.loads(Path(named).read_text("utf-8"))
    return found


def test_sarif_is_read_by_a_model_of_the_standard(report: Report) -> None:
    sarif = pytest.importorskip("sarif_pydantic")
    run = sarif.Sarif.model_validate_json(as_sarif(report, "1.0")).runs[0]
    assert [result.rule_id for result in run.results] == ["CC-Y009", "CC-L018"]
    assert [str(result.level.value) for result in run.results] == ["error", "warning"]
    assert [rule.id for rule in run.tool.driver.rules] == ["CC-L018", "CC-Y009"]
    place = run.results[0].locations[0].physical_location
    assert (place.artifact_location.uri, place.region.start_line, place.region.start_column) == (
        "a%20b.yaml",
        2,
        6,
    )


def test_sarif_fits_the_schema_of_the_standard(report: Report, sarif_schema: dict[str, Any]) -> None:
    for each in (report, Report()):
        log = json.loads(as_sarif(each, "1.0"))
        jsonschema.Draft7Validator(sarif_schema).validate(log)
    log["runs"][0]["results"] = [{"message": "text"}]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(sarif_schema).validate(log)


REQUIRED: dict[
    str, set[str]
] = {  # by SARIF 2.1.0 (OASIS, 2020), sections 3.13 to 3.49: what each object must have
    "log": {"version", "runs"},
    "run": {"tool"},
    "driver": {"name"},
    "rule": {"id"},
    "result": {"message"},
}


def test_sarif_has_what_the_standard_requires(report: Report) -> None:
    log: dict[str, Any] = json.loads(as_sarif(report, "1.0"))
    run = log["runs"][0]
    assert log["version"] == "2.1.0"
    assert REQUIRED["log"] <= log.keys()
    assert REQUIRED["run"] <= run.keys()
    assert REQUIRED["driver"] <= run["tool"]["driver"].keys()
    assert all(REQUIRED["rule"] <= rule.keys() for rule in run["tool"]["driver"]["rules"])
    for result in run["results"]:
        assert REQUIRED["result"] <= result.keys()
        assert result["level"] in ("none", "note", "warning", "error")
        for place in (*result["locations"], *result.get("relatedLocations", ())):
            region = place["physicalLocation"]["region"]
            assert min(region.values()) >= 1
    assert run["results"][0]["relatedLocations"][0]["message"]["text"] == "first here"


def test_junit_is_read_by_a_consumer(report: Report, tmp_path: Path) -> None:
    junit = pytest.importorskip("junitparser")
    path = tmp_path / "junit.xml"
    path.write_text(as_junit(report, ["a b.yaml", "c.yaml", "well.yaml"]), encoding="utf-8")
    (suite,) = junit.JUnitXml.fromfile(str(path))
    cases = {case.name: case for case in suite}
    assert list(cases) == ["a b.yaml", "c.yaml", "well.yaml"]
    assert "CC-Y009" in cases["a b.yaml"].result[0].text
    assert not cases["c.yaml"].result
    assert (suite.tests, suite.failures) == (3, 1)


def test_a_github_annotation_is_one_line_with_its_place(report: Report) -> None:
    first, second = as_github(report).splitlines()
    assert first.startswith("::error file=a b.yaml,line=2,col=6,endLine=2,title=CC-Y009::50 %25 of <it>%0A")
    assert second.startswith("::warning file=c.yaml,line=1")


def test_colour_is_asked_for_and_nothing_else_moves_the_cursor(report: Report) -> None:
    assert "\x1b" not in report.render()
    assert "\x1b[1;31m" in report.render(colour=True)
