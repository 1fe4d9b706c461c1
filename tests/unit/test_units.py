"""Quantities: the table against exact definitions, reading, printing, and what the messages advise."""

from __future__ import annotations

import math
import re
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cellctl.errors import UnitError
from cellctl.units import (
    EXAMPLES,
    UNITS,
    UNITS_OF,
    Dimension,
    Quantity,
    Tolerance,
    UnreadableQuantity,
    parse,
    parse_quantity,
    parse_tolerance,
    pattern,
    show,
)

# SI brochure, 9th edition: tables 2, 4 and 7; 1 bar = 100 kPa. Numerator and denominator of the SI value of 1.
DEFINITIONS = {
    "mm": (1, 1000), "cm": (1, 100), "m": (1, 1), "um": (1, 1_000_000),
    "s": (1, 1), "ms": (1, 1000), "min": (60, 1), "h": (3600, 1),
    "mm/s": (1, 1000), "m/s": (1, 1), "m/min": (1, 60),
    "mm/s^2": (1, 1000), "m/s^2": (1, 1), "mm/s^3": (1, 1000), "m/s^3": (1, 1),
    "rad": (1, 1), "rad/s": (1, 1), "rad/s^2": (1, 1),
    "N": (1, 1), "kN": (1000, 1), "Nm": (1, 1),
    "bar": (100_000, 1), "Pa": (1, 1), "kPa": (1000, 1), "MPa": (1_000_000, 1),
    "g": (1, 1000), "kg": (1, 1), "K": (1, 1), "V": (1, 1), "mV": (1, 1000), "A": (1, 1), "mA": (1, 1000),
    "%": (1, 100), "pcs": (1, 1), "Hz": (1, 1), "kHz": (1000, 1),
    "N/mm": (1000, 1), "N/m": (1, 1),
}  # fmt: skip
FULL_TURN = {"deg": 360, "deg/s": 360, "deg/s^2": 360, "rpm": 60}  # numbers that make 2 pi


@pytest.mark.parametrize("unit", sorted(DEFINITIONS))
def test_a_unit_has_exactly_the_value_of_its_definition(unit: str) -> None:
    numerator, denominator = DEFINITIONS[unit]
    assert UNITS[unit].factor == Fraction(numerator, denominator)
    assert parse(f"7.3 {unit}") == Quantity(
        float(Fraction(73 * numerator, 10 * denominator)), UNITS[unit].dimension
    )


@pytest.mark.parametrize("unit", sorted(FULL_TURN))
def test_angles_are_radians_to_the_last_bit(unit: str) -> None:
    turn = FULL_TURN[unit]
    assert parse_quantity(f"{turn} {unit}").value == 2 * math.pi
    assert parse_quantity(f"{turn // 4} {unit}").value == math.pi / 2
    assert parse_quantity(f"-{turn // 2} {unit}").value == -math.pi


def test_degrees_celsius_have_their_zero_at_273_15_kelvin() -> None:
    assert parse_quantity("0 degC").value == 273.15
    assert parse_quantity("-273.15 degC").value == 0.0
    assert parse_tolerance("20 degC ± 2 degC") == parse_tolerance("20 degC ± 2 K")
    assert parse_tolerance("20 degC ± 2 K") == Tolerance(293.15, 291.15, 295.15, Dimension.TEMPERATURE)


def test_the_definitions_name_every_unit_of_the_table() -> None:
    assert DEFINITIONS.keys() | FULL_TURN.keys() | {"degC"} == UNITS.keys()


@pytest.mark.parametrize("dimension", Dimension)
def test_every_dimension_has_an_example_that_reads_and_fits_its_pattern(dimension: Dimension) -> None:
    example = EXAMPLES[dimension]
    assert parse_quantity(example, dimension).dimension is dimension
    assert re.fullmatch(pattern(dimension), example)
    assert show(parse_quantity(show(parse_quantity(example)))) == show(parse_quantity(example))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("150mm", 0.15),
        ("+1.5e2 mm", 0.15),
        (".5 m", 0.5),
        ("5. m", 5.0),
        ("80%", 0.8),
        ("0.1 mm", 0.0001),
        ("-0 m", 0.0),
    ],
)
def test_numbers_are_read_as_the_nearest_double(text: str, value: float) -> None:
    assert parse_quantity(text).value == value


@pytest.mark.parametrize(
    "text",
    [
        "18.20 mm ± 0.15 mm",
        "18.20 mm +/- 0.15 mm",
        "18.20 mm ± 150 um",
        "18.2mm±0.15mm",
        "18.2 mm +0.15/-0.15 mm",
    ],
)
def test_a_symmetric_tolerance_has_several_spellings(text: str) -> None:
    assert parse(text, Dimension.LENGTH) == Tolerance(0.0182, 0.01805, 0.01835, Dimension.LENGTH)


def test_an_asymmetric_tolerance_may_lie_on_one_side() -> None:
    assert parse("18.2 mm +0.2/-0.1 mm") == Tolerance(0.0182, 0.0181, 0.0184, Dimension.LENGTH)
    assert parse("20 mm +0.021/+0.008 mm") == Tolerance(0.02, 0.020008, 0.020021, Dimension.LENGTH)


def test_both_ends_of_a_tolerance_are_good() -> None:
    height = parse_tolerance("18.20 mm ± 0.15 mm")
    assert 0.01805 in height
    assert 0.01835 in height
    assert 0.018351 not in height
    assert 0.018049 not in height


@pytest.mark.parametrize(
    ("text", "expected", "why", "instead"),
    [
        ("150", Dimension.SPEED, "150 has no unit", "write 150 mm/s, 150 m/s or 150 m/min"),
        ("-2.5", Dimension.TORQUE, "-2.5 has no unit", "write -2.5 Nm"),
        ("150", None, "150 has no unit", "such as 150 mm"),
        ("150 mm/sec", Dimension.SPEED, "no unit 'mm/sec'", "write 150 mm/s"),
        ("2 m/s²", None, "no unit 'm/s²'", "write 2 m/s^2"),
        ("50 µm", Dimension.LENGTH, "no unit 'µm'", "write 50 um"),
        ("6 Bar", Dimension.PRESSURE, "no unit 'Bar'", "write 6 bar"),
        ("5 Kgs", Dimension.MASS, "no unit 'Kgs'", "did you mean kg?"),
        ("3 furlong", Dimension.LENGTH, "no unit 'furlong'", "units that fit: mm, cm, m, um"),
        (
            "40 N",
            Dimension.LENGTH,
            "'40 N' is a force, but a length is wanted",
            "units that fit: mm, cm, m, um",
        ),
        ("18,2 mm", Dimension.LENGTH, "is not a quantity", "write 18.2 mm"),
        ("150\xa0mm", None, "is not a quantity", "write 150 mm"),
        ("18,2 mm ± 0,1 mm", None, "is not a quantity", "write 18.2 mm ± 0.1 mm"),
        ("18.2 mm ± 0.1", None, "is not a quantity", "each with its unit"),
        ("18.2 mm ± 1 s", None, "gives a length a tolerance that is a duration", "mm, cm, m, um"),
        ("18.2 mm +0.1/+0.2 mm", None, "the wrong way round", "write the upper one first"),
        (
            "fast",
            Dimension.SPEED,
            "'fast' is not a quantity",
            "write a speed with its unit, such as 150 mm/s",
        ),
        ("", None, "an empty text is not a quantity", "such as 150 mm/s"),
        ("1 h 20 min", Dimension.DURATION, "is not a quantity", "such as 0.8 s"),
        ("٣ mm", None, "is not a quantity", ""),
        ("1e999 m", None, "too large", ""),
        ("1" * 101 + " m", None, "103 characters long", ""),
    ],
)
def test_a_refusal_says_why_and_what_to_write_instead(
    text: str, expected: Dimension | None, why: str, instead: str
) -> None:
    with pytest.raises(UnreadableQuantity) as caught:
        parse(text, expected)
    assert why in caught.value.why
    assert instead in caught.value.instead
    assert caught.value.why in str(caught.value)


def test_a_value_and_a_tolerance_do_not_stand_in_for_each_other() -> None:
    with pytest.raises(UnreadableQuantity, match=r"is a tolerance, but one value is wanted; write 18\.2 mm"):
        parse_quantity("18.20 mm ± 0.15 mm")
    with pytest.raises(UnreadableQuantity, match=r"has no tolerance; write for example 18\.2 mm ± 0\.1 mm"):
        parse_tolerance("18.2 mm")


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_what_is_not_finite_measures_nothing(value: float) -> None:
    with pytest.raises(UnitError, match="not a finite number"):
        Quantity(value, Dimension.LENGTH)


@pytest.mark.parametrize(
    ("quantity", "shown"),
    [
        (Quantity(0.15, Dimension.SPEED), "150 mm/s"),
        (Quantity(math.pi / 2, Dimension.ANGLE), "90 deg"),
        (Quantity(0.1, Dimension.LENGTH), "100 mm"),
        (Quantity(1e-9, Dimension.LENGTH), "1e-6 mm"),
        (Quantity(1e22, Dimension.LENGTH), "1e25 mm"),
        (Quantity(-0.0, Dimension.FORCE), "0 N"),
        (Quantity(293.15, Dimension.TEMPERATURE), "20 degC"),
        (Quantity(1e-20, Dimension.TEMPERATURE), "1e-20 K"),
        (Quantity(0.07, Dimension.RATIO), "7 %"),
        (Tolerance(0.0182, 0.01805, 0.01835, Dimension.LENGTH), "18.2 mm ± 0.15 mm"),
        (Tolerance(0.0182, 0.0181, 0.0184, Dimension.LENGTH), "18.2 mm +0.2/-0.1 mm"),
        (Tolerance(0.02, 0.020008, 0.020021, Dimension.LENGTH), "20 mm +0.021/+0.008 mm"),
    ],
)
def test_printing_is_short_and_in_the_usual_unit(quantity: Quantity | Tolerance, shown: str) -> None:
    assert show(quantity) == str(quantity) == shown


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(finite, st.sampled_from(Dimension))
@example(-6.884415559381932, Dimension.ANGLE)  # needs the double's exact value, not its shortest decimal
@example(1.7976931348623157e308, Dimension.ANGLE)
@example(5e-324, Dimension.LENGTH)
def test_what_is_printed_reads_back_identically(value: float, dimension: Dimension) -> None:
    quantity = Quantity(value, dimension)
    assert parse(show(quantity), dimension) == quantity
    assert re.fullmatch(pattern(dimension), show(quantity))


within_reason = st.floats(-1e6, 1e6).filter(lambda value: value == 0 or abs(value) > 1e-9)


@given(st.lists(within_reason, min_size=3, max_size=3), st.sampled_from(Dimension))
def test_a_printed_tolerance_reads_back_identically(values: list[float], dimension: Dimension) -> None:
    nominal, (lower, upper) = values[0], sorted(values[1:])
    tolerance = Tolerance(nominal, lower, upper, dimension)
    assert parse(show(tolerance), dimension) == tolerance


@given(st.decimals(-(10**9), 10**9, places=6), st.sampled_from(sorted(DEFINITIONS)))
def test_reading_agrees_with_long_division(number: Decimal, unit: str) -> None:
    numerator, denominator = DEFINITIONS[unit]
    with localcontext(prec=60):
        exact = number * numerator / denominator
    assert parse_quantity(f"{number:f} {unit}").value == float(exact)


@given(st.text(), st.none() | st.sampled_from(Dimension))
def test_any_text_is_read_or_refused(text: str, expected: Dimension | None) -> None:
    try:
        found = parse(text, expected)
    except UnreadableQuantity:
        return
    assert expected in (None, found.dimension)


@given(
    st.from_regex(
        r"[-+]?[0-9]{1,3}(\.[0-9])?[ ,·]?[a-zA-Z°µ%²^/]{0,5}( ?(±|\+/-|\+0\.1/-) ?0\.1 ?mm)?", fullmatch=True
    )
)
def test_what_a_message_says_to_write_can_be_read(text: str) -> None:
    for expected in (None, Dimension.LENGTH, Dimension.TEMPERATURE):
        try:
            parse(text, expected)
        except UnreadableQuantity as error:
            if match := re.fullmatch(r"write ([-+0-9][^,]*)", error.instead):
                parse(match[1].split(" or ")[0], expected)


def test_every_unit_belongs_to_one_dimension() -> None:
    assert sorted(unit.name for units in UNITS_OF.values() for unit in units) == sorted(UNITS)
