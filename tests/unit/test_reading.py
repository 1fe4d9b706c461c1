"""Nodes to models: every problem at its place, once, with a suggestion."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from cellctl import written
from cellctl.findings import Finding, Report, merge
from cellctl.reading import fault, read
from cellctl.reading.codes import CODES
from cellctl.units import EXAMPLES, Dimension, Quantity, Tolerance
from cellctl.written import AnyQuantity, Between, Duration, Length, Measured, Speed, usually
from cellctl.yamlsource import parse
from cellctl.yamlsource.codes import CODES as OF_TEXT


class Written(BaseModel):
    """As the models that people write are."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Reference = Annotated[str, Field(pattern=r"^\$[a-z]+$")]


class Mode(StrEnum):
    FAST = "fast"
    CAREFUL = "careful"


class Pose(Written):
    x: Length
    y: Length
    z: Length = usually("40 mm")


class Conveyor(Written):
    kind: Literal["conveyor"]
    speed: Annotated[Speed, Between("1 mm/s", "2 m/s")] = usually("150 mm/s")
    ramp: Annotated[Duration, Field(gt=0)] = usually("0.5 s")
    gap: Length | Reference = usually("10 mm")
    stations: dict[Annotated[str, Field(pattern=r"^[a-z_]+$")], Pose] = {}


class Arm(Written):
    kind: Literal["arm"]
    robot: str
    mode: Mode = Mode.FAST
    homed: bool = False
    tries: Annotated[int, Field(ge=1, le=9)] = 1
    via: tuple[Pose, ...] = ()
    approach: Pose | str | None = None
    height: AnyQuantity | None = None
    limits: Annotated[Tolerance, Measured(Dimension.LENGTH)] | None = None
    from_: str | None = Field(default=None, alias="from")

    @field_validator("robot")
    @classmethod
    def _robot_is_known(cls, robot: str) -> str:
        if robot == "meca50":
            raise fault("CC-L001", "no robot is called 'meca50'", "did you mean 'meca500'?")
        if robot == "{broken}":
            raise ValueError("a name has no braces")
        return robot


class Gauge(Written):
    kind: Literal["gauge"]
    gauge: Pose
    reach: Length


Module = Annotated[Conveyor | Arm | Gauge, Field(discriminator="kind")]


class Line(Written):
    line: str
    modules: dict[str, Module] = {}
    spare: list[Conveyor | Arm] = []


def findings(source: str, model: type[BaseModel] = Line) -> tuple[Finding, ...]:
    report = Report()
    assert read(parse(source, "line.yaml", report), model, report) is None
    assert report.has_errors
    return report.findings


def only(source: str, model: type[BaseModel] = Line) -> Finding:
    (finding,) = findings(source, model)
    return finding


def underlined(finding: Finding, source: str) -> str:
    span = finding.span
    line = source.splitlines()[span.line - 1]
    return line[span.column - 1 : span.end_column - 1 if span.line == span.end_line else None]


def arm(entries: str) -> str:
    return f"line: puck\nmodules:\n  arm: {{kind: arm, robot: meca500, {entries}}}\n"


def belt(entries: str) -> str:
    return f"line: puck\nmodules:\n  belt: {{kind: conveyor, {entries}}}\n"


def test_what_fits_becomes_a_model_with_si_values() -> None:
    report = Report()
    source = belt("speed: 9 m/min, gap: $gap, stations: {load: {x: 100 mm, y: -5 cm}}") + (
        "  arm: {kind: arm, robot: meca500, mode: careful, via: [{x: 1 m, y: 2 m}], approach: above,\n"
        "        height: 18.20 mm ± 0.15 mm, limits: 5 mm +/- 1 mm, from: bin}\n"
    )
    line = read(parse(source, "line.yaml", report), Line, report)
    assert report.findings == ()
    assert line is not None
    conveyor, robot = line.modules["belt"], line.modules["arm"]
    assert isinstance(conveyor, Conveyor)
    assert isinstance(robot, Arm)
    assert (conveyor.speed, conveyor.ramp, conveyor.gap) == (0.15, 0.5, "$gap")
    assert conveyor.stations == {"load": Pose.model_construct(x=0.1, y=-0.05, z=0.04)}
    assert (robot.mode, robot.approach, robot.from_) == (Mode.CAREFUL, "above", "bin")
    assert robot.height == Tolerance(0.0182, 0.01805, 0.01835, Dimension.LENGTH)
    assert Line.model_validate_json(line.model_dump_json(by_alias=True), strict=True) == line


# --- keys ---------------------------------------------------------------------------------------------------


def test_an_unknown_key_is_underlined_and_the_nearest_free_one_suggested() -> None:
    source = belt("sped: 1 m/s")
    finding = only(source)
    assert (finding.code, underlined(finding, source)) == ("CC-V001", "sped")
    assert finding.message == "'belt' has no key 'sped'"
    assert finding.help == "did you mean 'speed'?"


def test_without_a_near_one_the_keys_that_are_still_free_are_listed() -> None:
    assert only(belt("zzz: 1, speed: 1 m/s")).help == "it can have: ramp, gap, stations"


def test_an_alias_is_what_a_key_is_called() -> None:
    assert only(arm("form: x")).help == "did you mean 'from'?"


def test_missing_keys_of_a_mapping_are_one_finding() -> None:
    source = "line: puck\nmodules:\n  belt: {kind: conveyor, stations: {load: {z: 1 mm}}}\n"
    finding = only(source)
    assert (finding.code, underlined(finding, source)) == ("CC-V002", "{z: 1 mm}")
    assert finding.message == "'load' lacks the keys 'x' and 'y'"


def test_a_misspelt_key_is_not_missing_as_well() -> None:
    assert [f.code for f in findings("lin: puck\n")] == ["CC-V001"]
    assert [f.code for f in findings("lin: puck\nmodules: {a: {kind: arm, robt: x}}\n")] == [
        "CC-V001",
        "CC-V001",
    ]


def test_the_root_is_called_the_file() -> None:
    assert only("modules: {}\n").message == "the file lacks the key 'line'"
    assert only("[]\n").message == "the file must be a mapping, not a list"


def test_a_module_may_be_called_like_a_kind() -> None:
    source = (
        "line: x\nmodules:\n  belt: {kind: arm, robt: y}\n  arm: {kind: arm, robot: 5}\n  robt: {kind: arm}\n"
    )
    assert [(f.code, f.span.line, f.message) for f in findings(source)] == [
        ("CC-V001", 3, "'belt' has no key 'robt'"),
        ("CC-V003", 4, "'robot' must be text, not the number 5"),
        ("CC-V002", 5, "'robt' lacks the key 'robot'"),
    ]


def test_a_key_may_be_called_like_the_kind_of_its_mapping() -> None:
    source = "line: x\nmodules:\n  g: {kind: gauge, gauge: {x: 1 mm, y: 5}}\n"
    assert [f.message for f in findings(source)] == ["'g' lacks the key 'reach'", "5 has no unit"]


def test_a_key_in_the_wrong_form_is_underlined() -> None:
    source = belt("stations: {Load: {x: 1 mm, y: 1 mm}}")
    finding = only(source)
    assert (finding.code, underlined(finding, source)) == ("CC-V007", "Load")


# --- kinds of values ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entries", "message", "advice"),
    [
        ("homed: yes", "'homed' must be true or false, not the text 'yes'", "write true"),
        ("homed: off", "'homed' must be true or false, not the text 'off'", "write false"),
        ("homed: 1", "'homed' must be true or false, not the number 1", ""),
        ("tries: '3'", "'tries' must be a whole number, not the text '3'", "write 3 without quotes"),
        ("tries: 1.5", "'tries' must be a whole number, not the number 1.5", ""),
        ("via: here", "'via' must be a list, not the text 'here'", "write [here]"),
        ("via: [5]", "item 1 of 'via' must be a mapping, not the number 5", ""),
        ("approach: [1]", "'approach' must be a mapping or text, not a list", ""),
        ("approach: 1.10", "'approach' must be a mapping or text, not the number 1.10", ""),
        ("from: 1.10", "'from' must be text, not the number 1.10", 'put it in quotes: "1.10"'),
        ("height: {}", "'height' must be a quantity such as 150 mm, not a mapping", ""),
        ("height: true", "'height' must be a quantity such as 150 mm, not true", ""),
    ],
)
def test_a_value_of_the_wrong_kind_is_named_with_what_would_do(
    entries: str, message: str, advice: str
) -> None:
    finding = only(arm(entries))
    assert (finding.code, finding.message, finding.help) == ("CC-V003", message, advice)


@pytest.mark.parametrize(
    ("entries", "code", "message", "advice"),
    [
        ("mode: fats", "CC-V005", "'mode' cannot be 'fats'", "did you mean 'fast'?"),
        ("mode: xyz", "CC-V005", "'mode' cannot be 'xyz'", "choose 'fast' or 'careful'"),
        ("tries: 0", "CC-V006", "'tries' must be at least 1", ""),
        ("tries: 10", "CC-V006", "'tries' must be at most 9", ""),
        ("limits: 5 mm", "CC-V004", "'5 mm' has no tolerance", "write for example 5 mm ± 0.1 mm"),
        (
            "limits: 5 N ± 1 N",
            "CC-V004",
            "'5 N ± 1 N' is a force, but a length is wanted",
            "units that fit: mm, cm, m, um",
        ),
    ],
)
def test_a_value_that_does_not_do_is_named_with_one_that_would(
    entries: str, code: str, message: str, advice: str
) -> None:
    finding = only(arm(entries))
    assert (finding.code, finding.message, finding.help) == (code, message, advice)


def test_an_unknown_kind_is_underlined_and_the_nearest_suggested() -> None:
    source = "line: puck\nmodules: {belt: {kind: convyor, speed: 5}}\n"
    finding = only(source)
    assert (finding.code, underlined(finding, source)) == ("CC-V005", "convyor")
    assert finding.message == "'kind' cannot be 'convyor'"
    assert finding.help == "did you mean 'conveyor'?"


def test_a_mapping_without_its_kind_lacks_that_key_only() -> None:
    assert only("line: puck\nmodules: {belt: {speed: 5}}\n").message == "'belt' lacks the key 'kind'"


# --- quantities ---------------------------------------------------------------------------------------------


def test_a_bare_number_is_shown_with_units_that_it_may_have() -> None:
    source = belt("speed: 150")
    finding = only(source)
    assert (finding.code, underlined(finding, source)) == ("CC-V004", "150")
    assert finding.message == "150 has no unit"
    assert finding.help == "write 150 mm/s, 150 m/s or 150 m/min"


def test_a_quantity_out_of_bounds_is_told_them_in_units() -> None:
    assert only(belt("speed: 3 m/s")).message == "'speed': 3000 mm/s is outside 1 mm/s to 2 m/s"
    assert only(belt("ramp: 0 s")).message == "'ramp' must be greater than 0"


def test_what_is_neither_a_quantity_nor_a_reference_is_one_finding() -> None:
    finding = only(belt("gap: wide"))
    assert finding.message == "'wide' is not a quantity"
    assert finding.help == r"write a length with its unit, such as 150 mm; or it must match ^\$[a-z]+$"
    assert only(belt("gap: 5")).help == "write 5 mm, 5 cm, 5 m or 5 um"


ANNOTATIONS = {
    Dimension.LENGTH: written.Length, Dimension.DURATION: written.Duration, Dimension.SPEED: written.Speed,
    Dimension.ACCELERATION: written.Acceleration, Dimension.JERK: written.Jerk, Dimension.ANGLE: written.Angle,
    Dimension.ANGULAR_RATE: written.AngularRate, Dimension.ANGULAR_ACCELERATION: written.AngularAcceleration,
    Dimension.FORCE: written.Force, Dimension.TORQUE: written.Torque, Dimension.PRESSURE: written.Pressure,
    Dimension.MASS: written.Mass, Dimension.TEMPERATURE: written.Temperature,
    Dimension.VOLTAGE: written.Voltage, Dimension.CURRENT: written.Current, Dimension.RATIO: written.Ratio,
    Dimension.COUNT: written.Count,
    Dimension.FREQUENCY: written.Frequency, Dimension.STIFFNESS: written.Stiffness,
}  # fmt: skip


@pytest.mark.parametrize("dimension", Dimension)
def test_every_dimension_has_a_type_that_reads_writes_and_describes_itself(dimension: Dimension) -> None:
    adapter: TypeAdapter[float] = TypeAdapter(ANNOTATIONS[dimension])
    example = EXAMPLES[dimension]
    value = adapter.validate_json(json.dumps(example), strict=True)
    assert isinstance(value, float)
    assert adapter.validate_json(adapter.dump_json(value), strict=True) == value
    assert adapter.dump_python(value) == value
    schema = adapter.json_schema()
    assert schema["type"] == "string"
    assert schema["examples"] == [example]
    assert schema["description"].startswith(dimension.noun)
    assert re.search(schema["pattern"], example)
    assert not re.search(schema["pattern"], "150")
    with pytest.raises(ValidationError, match="has no unit"):
        adapter.validate_python(150)


def test_the_json_schema_shows_defaults_as_people_write_them() -> None:
    properties = Conveyor.model_json_schema()["properties"]
    assert properties["speed"]["default"] == "150 mm/s"
    assert Conveyor(kind="conveyor").speed == 0.15
    assert "exclusiveMinimum" not in properties["ramp"]


def test_a_quantity_of_any_dimension_keeps_it() -> None:
    adapter: TypeAdapter[Quantity | Tolerance] = TypeAdapter(AnyQuantity)
    assert adapter.validate_json('"40 N"') == Quantity(40.0, Dimension.FORCE)
    assert re.search(adapter.json_schema()["pattern"], "18.20 mm ± 0.15 mm")
    assert re.search(adapter.json_schema()["pattern"], "40 N")


# --- unions, validators, and what others found --------------------------------------------------------------


def test_of_a_union_only_the_branch_that_was_meant_is_reported() -> None:
    assert only(arm("approach: {x: 1 mm, y: 5}")).message == "5 has no unit"
    assert only("line: x\nspare: [{kind: arm, robott: y}]\n").help == "did you mean 'robot'?"
    assert only("line: x\nspare: [7]\n").message == "item 1 of 'spare' must be a mapping, not the number 7"


def test_a_validator_can_make_a_finding_of_its_own_code() -> None:
    source = "line: x\nmodules: {a: {kind: arm, robot: meca50}}\n"
    finding = only(source)
    assert (finding.code, underlined(finding, source)) == ("CC-L001", "meca50")
    assert finding.help == "did you mean 'meca500'?"


def test_an_ordinary_validator_speaks_for_itself() -> None:
    finding = only("line: x\nmodules: {a: {kind: arm, robot: '{broken}'}}\n")
    assert (finding.code, finding.message) == ("CC-V008", "'robot': a name has no braces")


def test_what_was_refused_in_the_text_is_not_reported_again() -> None:
    source = "line: *x\nmodules: {a: {kind: arm, robot: !t y, tries: &n 3}, b: {<<: *y, kind: arm}, c: *z}\n"
    assert {f.code for f in findings(source)} == {"CC-Y009", "CC-Y010", "CC-Y011"}


def test_a_refused_value_that_nothing_demands_still_fails_the_file() -> None:
    assert only(arm("from: *x")).code == "CC-Y009"


def test_findings_of_text_and_model_stand_together_in_file_order() -> None:
    codes = [f.code for f in findings("lime: x\nline: x\nline: y\nmodules: {a: *b, c: 5}\n")]
    assert codes == ["CC-V001", "CC-Y012", "CC-Y009", "CC-V003"]


def test_a_file_without_a_value_has_been_reported() -> None:
    report = Report()
    assert read(None, Line, report) is None


def test_a_finding_reads_well() -> None:
    report = Report()
    source = "line: puck\nmodules:\n  belt:\n    kind: conveyor\n    sped: 150 mm/s\n"
    read(parse(source, "lines/puck.yaml", report), Line, report)
    assert report.render() == (
        "error[CC-V001]: 'belt' has no key 'sped'\n"
        " --> lines/puck.yaml:5:5\n"
        "  |\n"
        "5 |     sped: 150 mm/s\n"
        "  |     ^^^^\n"
        "  = help: did you mean 'speed'?\n"
    )


def test_codes_of_text_and_values_do_not_meet() -> None:
    assert len(merge(CODES, OF_TEXT)) == len(CODES) + len(OF_TEXT)
