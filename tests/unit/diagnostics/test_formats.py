"""Findings in the forms of other programs, each read back by a consumer of that form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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
