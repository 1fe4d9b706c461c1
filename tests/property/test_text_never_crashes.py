"""Whatever stands in a file: values or findings, never an exception, and both parsers agree."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

import cellctl.yamlsource.build as build
from cellctl.findings import Report
from cellctl.reading import read
from cellctl.written import AnyQuantity, Length, Speed
from cellctl.yamlsource import Node, parse
from cellctl.yamlsource.codes import CODES

LOADERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if yaml.__with_libyaml__ else [])]

# Text made of what YAML finds special, which plain random text seldom holds.
PIECES = [
    "a", "b", "kind", "arm", "<<", "1", "010", "0x1F", "1e400", ".inf", "true", "no", "150 mm/s", "18 mm ± 1 mm", "~",
    ": ", ":", "- ", "? ", "\n", "\n  ", "\n    ", "\t", "\r\n", " ", "[", "]", "{", "}", ", ", ",",
    "'", '"', "\\", "\\ud800", "|", ">", "|-\n", "#", " # ",
    "&x ", "*x", "!", "!!int ", "!<t> ", "%YAML 1.1\n", "---", "---\n", "\n...\n",
    "\ufeff", "\x00", "\x85", "\u2028", "\u202e", "\ufffd", "é", "中", "\U0001f600", "\ud800", "@", "`", "$x",
]  # fmt: skip
yamlish = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
anything = st.binary(max_size=200) | st.text(max_size=200) | yamlish

KEYS = ["kind", "x", "y", "arm", "belt", "kin", "speed", "more", "any"]
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8)
    | st.sampled_from(["arm", "belt", "150 mm/s", "5 mm", "$x", "18 mm ± 1 mm", 150]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=15,
)  # fmt: skip


class Belt(BaseModel, extra="forbid", frozen=True):
    kind: Literal["belt"]
    speed: Speed
    x: Length | Annotated[str, Field(pattern=r"^\$")] | None = None


class Arm(BaseModel, extra="forbid", frozen=True):
    kind: Literal["arm"]
    x: Length
    any: AnyQuantity | list[AnyQuantity] | None = None
    more: dict[str, Belt | Arm] = {}


class File(BaseModel, extra="forbid", frozen=True):
    """A model with what is difficult about models."""

    arm: Arm | None = None
    belt: Annotated[Arm | Belt, Field(discriminator="kind")] | list[Arm | Belt] | None = None
    more: dict[Annotated[str, Field(max_length=3)], tuple[Speed, int] | float | bool] = {}
    any: Any = None


def outcome(source: bytes | str) -> tuple[Node | None, Report]:
    report = Report()
    node = parse(source, "x.yaml", report)
    assert all(finding.code in CODES for finding in report.findings)
    assert node is not None or report.has_errors
    assert report.render().count("\x1b") == 0
    report.as_json()
    return node, report


@pytest.fixture(params=LOADERS, scope="module")
def each_parser(request: pytest.FixtureRequest) -> Any:
    """A property holds on the C parser and on its fallback."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "LOADER", request.param)
        yield


@pytest.mark.usefixtures("each_parser")
@given(anything)
@settings(max_examples=400, deadline=None)
def test_any_text_is_a_value_or_findings(source: bytes | str) -> None:
    outcome(source)


@pytest.mark.usefixtures("each_parser")
@given(anything)
@settings(max_examples=200, deadline=None)
def test_any_text_is_a_model_or_findings(source: bytes | str) -> None:
    node, report = outcome(source)
    assert read(node, File, report) is not None or report.has_errors


@pytest.mark.usefixtures("each_parser")
@given(plain)
@settings(max_examples=300, deadline=None)
def test_any_value_is_a_model_or_findings_within_the_file(value: object) -> None:
    source = yaml.safe_dump(value, allow_unicode=True)
    node, report = outcome(source)
    assert (read(node, File, report) is None) == report.has_errors
    lines = source.splitlines()
    for finding in report.findings:
        assert 1 <= finding.span.line <= len(lines) + 1
        assert finding.message
    report.render()


@pytest.mark.usefixtures("each_parser")
@pytest.mark.parametrize(
    "opening", ["[", "{a: ", "- ", "? ", "[{a: ", "a:\n ", "!!x [", "&a [", '"', "*a ", "!", "%YAML 1.1\n"]
)
def test_two_hundred_thousand_openings_are_findings_not_a_crash(opening: str) -> None:
    _, report = outcome((opening * 200_000)[:900_000])
    assert report.has_errors


@given(yamlish)
@settings(max_examples=200, deadline=None)
def test_where_both_parsers_read_a_text_they_read_the_same(source: str) -> None:
    nodes = []
    for loader in LOADERS:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(build, "LOADER", loader)
            nodes.append(outcome(source)[0])
    values = {repr(node.plain) for node in nodes if node is not None}
    assert len(values) <= 1
