"""YAML text to values with their places; and each thing that is refused, at its place."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import cellctl.yamlsource.build as build
from cellctl.findings import Report, Severity, Span, merge
from cellctl.yamlsource import (
    Mapping,
    Node,
    Refused,
    Scalar,
    Sequence,
    find,
    load,
    parse,
)
from cellctl.yamlsource.build import MOST_DEPTH
from cellctl.yamlsource.codes import CODES
from cellctl.yamlsource.text import MOST_BYTES


@pytest.fixture(params=["libyaml", "python"], autouse=True)
def both_parsers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test runs on the C parser and on its fallback."""
    if request.param == "python":
        monkeypatch.setattr(build, "LOADER", yaml.SafeLoader)
    elif not yaml.__with_libyaml__:
        pytest.skip("PyYAML was built without libyaml")


def read(source: str | bytes) -> Node:
    report = Report()
    node = parse(source, "x.yaml", report)
    assert report.findings == ()
    assert node is not None
    return node


def refused(source: str | bytes) -> list[tuple[str, int, int]]:
    report = Report()
    parse(source, "x.yaml", report)
    assert report.has_errors
    assert all(finding.code in CODES for finding in report.findings)
    return [(finding.code, finding.span.line, finding.span.column) for finding in report.findings]


# --- values -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["no", "off", "yes", "on", "y", "NO", "12:30:45", "1_000", "0b1", "2026-11-22", "0o9", "1e", ".", "+.", "1.2.3",
     "tRUE", "nULL", "=", "0x", "+.nan", "150 mm/s"],
)  # fmt: skip
def test_what_yaml_1_2_has_no_other_type_for_is_text(text: str) -> None:
    assert read(f"key: {text}").plain == {"key": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0), ("-19", -19), ("+3", 3), ("0o14", 12), ("0xC", 12), ("9223372036854775807", 2**63 - 1),
        ("0.", 0.0), ("-0.0", -0.0), (".5", 0.5), ("+12e03", 12000.0), ("-2E+05", -200000.0), ("1.10", 1.1),
        (".inf", float("inf")), ("-.INF", float("-inf")), ("true", True), ("FALSE", False), ("~", None), ("Null", None),
        ("", None),
    ],
)  # fmt: skip
def test_the_core_schema_gives_plain_scalars_their_types(text: str, value: object) -> None:
    node = read(f"key: {text}")
    assert isinstance(node, Mapping)
    found = node.items["key"]
    assert isinstance(found, Scalar)
    assert (type(found.value), found.value, found.text) == (type(value), value, text)


@pytest.mark.parametrize("text", ["'12'", '"true"', "'~'", '"12"'])
def test_quotes_make_text(text: str) -> None:
    assert read(f"key: {text}").plain == {"key": text[1:-1]}


def test_every_key_and_value_knows_its_place() -> None:
    node = read("a: é中 b\nlist:\n  - x\n  - {k: 1.5}\ntext: |\n  one\n  two\nlast: 'q'\n")
    assert isinstance(node, Mapping)
    assert node.key_spans["list"] == Span("x.yaml", 2, 1, 2, 5)
    assert node.items["a"].span == Span("x.yaml", 1, 4, 1, 8)
    assert node.items["list"].span == Span("x.yaml", 3, 3, 4, 13)
    assert find(node, "list", 1, "k").span == Span("x.yaml", 4, 9, 4, 12)
    assert node.items["text"].span == Span("x.yaml", 5, 7, 7, 6)
    assert node.items["last"].span == Span("x.yaml", 8, 7, 8, 10)
    assert node.span == Span("x.yaml", 1, 1, 8, 10)


def test_columns_are_the_same_behind_a_byte_order_mark_and_with_any_line_ends() -> None:
    for source in (b"\xef\xbb\xbfa: 1\nb: 2\n", b"a: 1\r\nb: 2\r\n", b"a: 1\rb: 2\r", "\ufeffa: 1\nb: 2"):
        node = read(source)
        assert node.plain == {"a": 1, "b": 2}
        assert find(node, "a").span == Span("x.yaml", 1, 4, 1, 5)
        assert find(node, "b").span == Span("x.yaml", 2, 4, 2, 5)


def test_finding_a_node_stops_at_the_deepest_that_exists() -> None:
    node = read("steps: [{do: advance}]")
    assert find(node, "steps", 0, "do").plain == "advance"
    assert find(node, "steps", 0, "to").plain == {"do": "advance"}
    assert find(node, "steps", 7, "to").plain == [{"do": "advance"}]


# --- what is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "findings"),
    [
        ("a: 1\na: 2\nb: 3\nb: 4\n", [("CC-Y012", 2, 1), ("CC-Y012", 4, 1)]),
        ("a: 1\n'a': 2\n", [("CC-Y012", 2, 1)]),
        ("a: &x 1\nb: *x\n", [("CC-Y009", 1, 4), ("CC-Y009", 2, 4)]),
        ("a: {x: 1}\n<<: *base\n", [("CC-Y011", 2, 1)]),
        ("a: {<<: [*base, *more], b: *x}\n", [("CC-Y011", 1, 5), ("CC-Y009", 1, 28)]),
        ("a: !!int 5\nb: !x [1]\nc: ! d\n", [("CC-Y010", 1, 4), ("CC-Y010", 2, 4), ("CC-Y010", 3, 4)]),
        ("a: !!python/name:os.system x\n", [("CC-Y010", 1, 4)]),
        ("a: !no!x y\n", [("CC-Y010", 1, 4)]),
        (
            "1: a\nnull: b\ntrue: c\n? [d]\n: e\n",
            [("CC-Y013", n, c) for n, c in ((1, 1), (2, 1), (3, 1), (4, 3))],
        ),
        ("a: {{ x }}\n", [("CC-Y013", 1, 5)]),
        ("?\n: a\n", [("CC-Y013", 1, 2)]),
        ("a: 1\n---\nb: 2\n", [("CC-Y014", 2, 1)]),
        ("%YAML 1.1\n---\na: 1\n", [("CC-Y015", 1, 1)]),
        ("", [("CC-Y016", 1, 1)]),
        ("# only a comment\n", [("CC-Y016", 1, 1)]),
        ("a: 9223372036854775808\nb: 1e999\nc: " + "9" * 5000, [("CC-Y018", n, 4) for n in (1, 2, 3)]),
        ("a:\n\tb: 1\n\tc: 2\n", [("CC-Y005", 2, 1), ("CC-Y005", 3, 1)]),
        ("a:\n  \tb: 1\n", [("CC-Y005", 2, 3)]),
        ("a: x\x07y\nb: \x1b[0m\n", [("CC-Y004", 1, 5), ("CC-Y004", 2, 4)]),
        (
            "a: left\u202eright\nb: zero\u200bwidth\nc: \x85",
            [("CC-Y004", 1, 8), ("CC-Y004", 2, 8), ("CC-Y004", 3, 4)],
        ),
        ("a: lost \ufffd\n", [("CC-Y004", 1, 9)]),
        ("a: \ud800\n", [("CC-Y004", 1, 4)]),
        (b"a: 18 \xb1 1\nb: \xff\n", [("CC-Y003", 1, 7), ("CC-Y003", 2, 4)]),
        ("a: 1\n".encode("utf-16"), [("CC-Y003", 1, 1)]),
        (b"a" * (MOST_BYTES + 1), [("CC-Y002", 1, 1)]),
        ("[" * 200_000, [("CC-Y007", 1, MOST_DEPTH + 1)]),
        ("{a: " * 200_000, [("CC-Y007", 1, 4 * MOST_DEPTH + 1)]),
    ],
    ids=lambda value: None if isinstance(value, list) else repr(value[:20]),
)
def test_each_thing_that_is_refused_has_its_code_and_place(
    source: str | bytes, findings: list[tuple[str, int, int]]
) -> None:
    assert refused(source) == findings


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("a: b: c", (1, 5)), ("a:\n    b: 1\n   c: 2", (3, 4)), ("a: @x", (1, 4)), ("a: *.stl", (1, 4)),
        ("- a\nb: 1", (2, 1)), ("a: 1\n- b", (2, 1)), ("]", (1, 1)), ("a: |x\n  b", (1, 5)), ("a: 'x'y", (1, 7)),
    ],
)  # fmt: skip
def test_what_is_not_yaml_is_explained_at_its_place(source: str, place: tuple[int, int]) -> None:
    report = Report()
    assert parse(source, "x.yaml", report) is None
    (finding,) = report.findings
    assert (finding.code, (finding.span.line, finding.span.column)) == ("CC-Y006", place)
    assert finding.help
    assert "YAML" not in finding.message  # none of the parser's own words


@pytest.mark.parametrize("source", ["a: [1, 2\nb: 3", "a: {x: 1\n", "a: 'x\nb: 1\n"])
def test_what_is_not_closed_shows_where_it_began(source: str) -> None:
    report = Report()
    parse(source, "x.yaml", report)
    (finding,) = report.findings
    assert [(other.span.line, other.span.column) for other in finding.related] == [(1, 4)]


def test_more_values_than_a_person_writes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "MOST_NODES", 5)
    assert refused("[1, 2, 3, 4, 5]") == [("CC-Y008", 1, 14)]
    read("[1, 2, 3, 4]")


def test_nesting_is_allowed_to_its_limit() -> None:
    read("[" * MOST_DEPTH + "]" * MOST_DEPTH)
    assert refused("[" * (MOST_DEPTH + 1) + "]" * (MOST_DEPTH + 1))[0][0] == "CC-Y007"


def test_all_findings_come_in_one_run_and_the_rest_is_read() -> None:
    report = Report()
    node = parse("a: &x 1\nb: *x\n3: c\nd: !t e\nf: 010\nok: [yes]\n", "x.yaml", report)
    assert [finding.code for finding in report.findings] == [
        "CC-Y009",
        "CC-Y009",
        "CC-Y013",
        "CC-Y010",
        "CC-Y017",
    ]
    assert isinstance(node, Mapping)
    assert not node.is_whole
    assert node.plain == {"a": 1, "b": None, "d": None, "f": 10, "ok": ["yes"]}
    assert isinstance(node.items["b"], Refused)


def test_a_duplicate_key_shows_the_first_and_keeps_it() -> None:
    report = Report()
    node = parse("speed: 1\nramp: 2\nspeed: 3\n", "x.yaml", report)
    (finding,) = report.findings
    assert finding.related[0].span == Span("x.yaml", 1, 1, 1, 6)
    assert node is not None
    assert node.plain == {"speed": 1, "ramp": 2}


@pytest.mark.parametrize(("text", "value"), [("010", 10), ("-007", -7), ("00.5", 0.5)])
def test_leading_zeros_are_a_warning(text: str, value: float) -> None:
    report = Report()
    node = parse(f"a: {text}", "x.yaml", report)
    assert node is not None
    assert node.plain == {"a": value}
    assert [(f.code, f.severity) for f in report.findings] == [("CC-Y017", Severity.WARNING)]
    assert not report.has_errors


def test_a_quoted_merge_key_is_a_key_like_others() -> None:
    assert read("'<<': 1").plain == {"<<": 1}


def test_text_blocks_may_hold_tabs() -> None:
    assert read("a: |\n  x\n  \ty\n").plain == {"a": "x\n\ty\n"}


def test_a_file_that_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    report = Report()
    assert load(tmp_path / "none.yaml", report) is None
    assert load(tmp_path, report) is None
    assert [finding.code for finding in report.findings] == ["CC-Y001", "CC-Y001"]


def test_a_file_is_read_from_disk(tmp_path: Path) -> None:
    path = tmp_path / "line.yaml"
    path.write_bytes(b"line: puck\n")
    node = load(path, Report())
    assert isinstance(node, Mapping)
    assert node.items["line"] == Scalar("puck", Span(str(path), 1, 7, 1, 11), "puck")


def test_an_empty_list_is_a_list() -> None:
    assert read("[]") == Sequence((), Span("x.yaml", 1, 1, 1, 3))


# --- reports ------------------------------------------------------------------------------------------------


def test_a_finding_is_rendered_with_its_excerpt() -> None:
    report = Report()
    parse("modules:\n  中: {a: 1, a: 2}\n", "line.yaml", report)
    assert report.render() == (
        "error[CC-Y012]: the key 'a' stands twice in one mapping\n"
        " --> line.yaml:2:13\n"
        "  |\n"
        "2 |   中: {a: 1, a: 2}\n"
        "  |              ^\n"
        "  |\n"
        "2 |   中: {a: 1, a: 2}\n"
        "  |        - first here\n"
        "  = help: keep one of the two\n"
    )
    assert "\x1b[1;31merror[CC-Y012]\x1b[0m" in report.render(colour=True)


def test_the_part_of_a_long_line_that_matters_is_shown() -> None:
    report = Report()
    parse("a: [" + "x, " * 10_000 + "*here, " + "y, " * 10_000 + "]", "line.yaml", report)
    excerpt, carets = report.render().splitlines()[3:5]
    assert len(excerpt) < 130
    start = carets.index("^")
    assert excerpt[start : start + carets.count("^")] == "*here"


def test_no_text_reaches_a_terminal_as_a_command() -> None:
    report = Report()
    parse('"\\e[2J": 1\n"\\e[2J": 2\n"\x1b]0;x\x07": !<\x1b> 3\n', "x.yaml", report)
    assert report.has_errors
    assert "\x1b" not in report.render()


def test_a_flood_of_one_mistake_is_counted() -> None:
    report = Report()
    parse("a: 0\n" * 100, "x.yaml", report)
    assert len(report.findings) == 20
    assert report.left_out == {("x.yaml", "CC-Y012"): 79}
    assert report.render().endswith("... and 79 more of CC-Y012 in x.yaml\n")


def test_findings_come_in_the_order_of_files_and_lines() -> None:
    report = Report()
    parse("a: *x\n", "z.yaml", report)
    parse("\n\nb: *x\n", "a.yaml", report)
    report.error("CC-V001", Span("a.yaml", 1, 1, 1, 2), "found later")
    assert [str(finding.span) for finding in report.findings] == ["z.yaml:1:4", "a.yaml:1:1", "a.yaml:3:4"]


def test_a_report_is_plain_data_for_other_programs() -> None:
    report = Report()
    parse("a: 1\na: 2\n", "x.yaml", report)
    assert report.as_json() == {
        "schema_version": 1,
        "ok": False,
        "findings": [
            {
                "code": "CC-Y012", "severity": "error", "message": "the key 'a' stands twice in one mapping",
                "help": "keep one of the two", "file": "x.yaml",
                "line": 2, "column": 1, "end_line": 2, "end_column": 2,
                "related": [{"label": "first here", "file": "x.yaml",
                             "line": 1, "column": 1, "end_line": 1, "end_column": 2}],
            }
        ],
        "left_out": [],
    }  # fmt: skip


def test_a_code_has_one_meaning() -> None:
    assert list(merge(CODES)) == sorted(CODES)
    with pytest.raises(ValueError, match="CC-Y001"):
        merge(CODES, {"CC-Y001": CODES["CC-Y002"]})
