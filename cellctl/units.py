"""Quantities with units, as people write them: `150 mm/s`, `18.20 mm ± 0.15 mm`. Inside, SI and radians.

A closed table with one spelling for each unit, so that files compare and search well; another spelling is
refused with the right one suggested. Not an algebra of units: nothing here multiplies or divides.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from decimal import Context, Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

from cellctl.errors import UnitError, nearest

LONGEST = 100  # characters in a quantity; longer text is not one
PI = Fraction(
    "3.14159265358979323846264338327950288419716939937510"
)  # so that 180 deg is math.pi to the last bit


class Dimension(StrEnum):
    """What a quantity measures."""

    LENGTH = "length"
    DURATION = "duration"
    SPEED = "speed"
    ACCELERATION = "acceleration"
    JERK = "jerk"
    ANGLE = "angle"
    ANGULAR_RATE = "angular rate"
    ANGULAR_ACCELERATION = "angular acceleration"
    FORCE = "force"
    TORQUE = "torque"
    PRESSURE = "pressure"
    MASS = "mass"
    TEMPERATURE = "temperature"
    VOLTAGE = "voltage"
    CURRENT = "current"
    RATIO = "ratio"
    COUNT = "count"
    FREQUENCY = "frequency"
    STIFFNESS = "stiffness"

    @property
    def noun(self) -> str:
        """The dimension with its article: "a length"."""
        return f"{'an' if self.value[0] in 'aeiou' else 'a'} {self.value}"


@dataclass(frozen=True, slots=True)
class Unit:
    """One way to write a dimension: SI value = number * factor + zero, all exact."""

    name: str
    dimension: Dimension
    factor: Fraction
    zero: Fraction = Fraction(0)  # the SI value of 0 in this unit


# Each row begins with the unit in which `show` prints.
_TABLE: dict[Dimension, dict[str, str | int | Fraction]] = {
    Dimension.LENGTH: {"mm": "1e-3", "cm": "1e-2", "m": 1, "um": "1e-6"},
    Dimension.DURATION: {"s": 1, "ms": "1e-3", "min": 60, "h": 3600},
    Dimension.SPEED: {"mm/s": "1e-3", "m/s": 1, "m/min": Fraction(1, 60)},
    Dimension.ACCELERATION: {"mm/s^2": "1e-3", "m/s^2": 1},
    Dimension.JERK: {"mm/s^3": "1e-3", "m/s^3": 1},
    Dimension.ANGLE: {"deg": PI / 180, "rad": 1},
    Dimension.ANGULAR_RATE: {"deg/s": PI / 180, "rad/s": 1, "rpm": PI / 30},
    Dimension.ANGULAR_ACCELERATION: {"deg/s^2": PI / 180, "rad/s^2": 1},
    Dimension.FORCE: {"N": 1, "kN": 1000},
    Dimension.TORQUE: {"Nm": 1},
    Dimension.PRESSURE: {"bar": 100_000, "Pa": 1, "kPa": 1000, "MPa": 1_000_000},
    Dimension.MASS: {"g": "1e-3", "kg": 1},
    Dimension.TEMPERATURE: {"degC": 1, "K": 1},
    Dimension.VOLTAGE: {"V": 1, "mV": "1e-3"},
    Dimension.CURRENT: {"A": 1, "mA": "1e-3"},
    Dimension.RATIO: {"%": "1e-2"},
    Dimension.COUNT: {"pcs": 1},
    Dimension.FREQUENCY: {"Hz": 1, "kHz": 1000},
    Dimension.STIFFNESS: {"N/mm": 1000, "N/m": 1},
}
_ZEROS = {"degC": Fraction("273.15")}
UNITS_OF = {
    dimension: tuple(
        Unit(name, dimension, Fraction(f), _ZEROS.get(name, Fraction(0))) for name, f in row.items()
    )
    for dimension, row in _TABLE.items()
}
UNITS = {unit.name: unit for units in UNITS_OF.values() for unit in units}

EXAMPLES = {
    Dimension.LENGTH: "150 mm",
    Dimension.DURATION: "0.8 s",
    Dimension.SPEED: "150 mm/s",
    Dimension.ACCELERATION: "2 m/s^2",
    Dimension.JERK: "20 m/s^3",
    Dimension.ANGLE: "90 deg",
    Dimension.ANGULAR_RATE: "180 deg/s",
    Dimension.ANGULAR_ACCELERATION: "720 deg/s^2",
    Dimension.FORCE: "40 N",
    Dimension.TORQUE: "1.2 Nm",
    Dimension.PRESSURE: "6 bar",
    Dimension.MASS: "85 g",
    Dimension.TEMPERATURE: "21 degC",
    Dimension.VOLTAGE: "24 V",
    Dimension.CURRENT: "1.5 A",
    Dimension.RATIO: "80 %",
    Dimension.COUNT: "200 pcs",
    Dimension.FREQUENCY: "50 Hz",
    Dimension.STIFFNESS: "400 N/mm",
}

# What people write instead of a name in the table. Only for suggestions.
_MEANT = {
    "μm": "um", "mic": "um", "millimeter": "mm", "meter": "m",
    "sec": "s", "secs": "s", "seconds": "s", "mins": "min", "minutes": "min", "hr": "h", "hours": "h",
    "msec": "ms", "mm/sec": "mm/s", "m/sec": "m/s", "mps": "m/s",
    "m/s2": "m/s^2", "mm/s2": "mm/s^2", "m/s3": "m/s^3", "mm/s3": "mm/s^3",
    "deg/s2": "deg/s^2", "rad/s2": "rad/s^2", "°": "deg", "degrees": "deg", "°/s": "deg/s",
    "1/min": "rpm", "U/min": "rpm", "N·m": "Nm", "N⋅m": "Nm", "N*m": "Nm", "°C": "degC", "C": "degC",
    "grams": "g", "percent": "%", "pc": "pcs", "pieces": "pcs",
}  # fmt: skip
_FOLDED = {name.casefold(): name for name in UNITS} | {name.casefold(): unit for name, unit in _MEANT.items()}

_PLUS = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?"
_NUMBER = rf"[-+]?{_PLUS}"
_UNIT = r"[^\s0-9.,±+-][^\s±]*?"
_BARE = re.compile(_NUMBER)
_QUANTITY = re.compile(rf"({_NUMBER}) *({_UNIT})")
_SYMMETRIC = re.compile(rf"({_NUMBER}) *({_UNIT}) *(?:±|\+/-) *({_PLUS}) *({_UNIT})")
_ASYMMETRIC = re.compile(rf"({_NUMBER}) *({_UNIT}) *([-+]{_PLUS}) */ *([-+]?{_PLUS}) *({_UNIT})")


class UnreadableQuantity(UnitError):
    """Text that is not the quantity that is wanted; `why` it is not, and what to write `instead`."""

    def __init__(self, text: str, why: str, instead: str) -> None:
        self.text, self.why, self.instead = text, why, instead
        super().__init__(f"{why}; {instead}" if instead else why)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A finite SI value [m, s, rad, ...] and what it measures. A ratio of 80 % has the value 0.8."""

    value: float
    dimension: Dimension

    def __post_init__(self) -> None:
        _demand_finite(self.value)

    def __str__(self) -> str:
        return show(self)


@dataclass(frozen=True, slots=True)
class Tolerance:
    """A nominal value with the lowest and highest that are good, all absolute and SI; the ends are good."""

    nominal: float
    lower: float
    upper: float
    dimension: Dimension

    def __post_init__(self) -> None:
        _demand_finite(self.nominal, self.lower, self.upper)
        if self.lower > self.upper:
            raise UnitError(f"a tolerance from {self.lower:g} to {self.upper:g} holds nothing")

    def __contains__(self, value: float) -> bool:
        return self.lower <= value <= self.upper

    def __str__(self) -> str:
        return show(self)


def _demand_finite(*values: float) -> None:
    for value in values:
        if not math.isfinite(value):
            raise UnitError(f"{value} is not a finite number, so it measures nothing")


# --- reading ------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def parse(text: str, expected: Dimension | None = None) -> Quantity | Tolerance:
    """Read `150 mm/s`, `18.2 mm ± 0.1 mm`, `18.2 mm +/- 0.1 mm` or `18.2 mm +0.2/-0.1 mm`, correctly rounded.

    Raises `UnreadableQuantity` if `text` is none of these, or does not measure what is expected.
    """
    if len(text) > LONGEST:
        why = f"{text[:20]!r}... is {len(text)} characters long, a quantity at most {LONGEST}"
        raise UnreadableQuantity(text, why, _write(expected))
    if match := _QUANTITY.fullmatch(text):
        number, name = match.groups()
        unit = _unit(name, text, expected)
        return Quantity(_si(number, unit, text), unit.dimension)
    if match := _SYMMETRIC.fullmatch(text):
        nominal, name, deviation, other = match.groups()
        return _tolerance(text, expected, nominal, name, deviation, f"-{deviation}", other)
    if match := _ASYMMETRIC.fullmatch(text):
        nominal, name, upper, lower, other = match.groups()
        return _tolerance(text, expected, nominal, name, upper, lower, other)
    if _BARE.fullmatch(text):
        raise UnreadableQuantity(text, f"{text} has no unit", _with_unit(text, expected))
    raise UnreadableQuantity(text, f"{_quoted(text)} is not a quantity", _another_text(text, expected))


def parse_quantity(text: str, expected: Dimension | None = None) -> Quantity:
    """Read a quantity without a tolerance. Raises `UnreadableQuantity`, also for a tolerance."""
    found = parse(text, expected)
    if isinstance(found, Tolerance):
        nominal = show(Quantity(found.nominal, found.dimension))
        raise UnreadableQuantity(
            text, f"{text!r} is a tolerance, but one value is wanted", f"write {nominal}"
        )
    return found


def parse_tolerance(text: str, expected: Dimension | None = None) -> Tolerance:
    """Read a quantity with its tolerance. Raises `UnreadableQuantity`, also if there is no tolerance."""
    found = parse(text, expected)
    if isinstance(found, Quantity):
        deviation = f"0.1 {UNITS_OF[found.dimension][0].name}"
        raise UnreadableQuantity(
            text, f"{text!r} has no tolerance", f"write for example {text} ± {deviation}"
        )
    return found


def unit_called(name: str) -> Unit:
    """The unit of this name. Raises `UnreadableQuantity`, with the one that may be meant."""
    if name in UNITS:
        return UNITS[name]
    meant = _FOLDED.get(name.casefold())
    close = (meant,) if meant else nearest(name.casefold(), _FOLDED)[:1]
    advice = f"did you mean {_FOLDED.get(close[0], close[0])}?" if close else f"known: {', '.join(UNITS)}"
    raise UnreadableQuantity(name, f"there is no unit {name!r}", advice)


def pattern(dimension: Dimension | None = None, *, tolerance: bool = False) -> str:
    """The regular expression (ECMA 262, as JSON Schema wants it) of a quantity, or of a tolerance."""
    units = [unit.name for unit in (UNITS_OF[dimension] if dimension else UNITS.values())]
    unit = f"(?:{'|'.join(re.escape(name) for name in units)})"
    if not tolerance:
        return f"^{_NUMBER} *{unit}$"
    symmetric = rf"(?:±|\+/-) *{_PLUS}"
    asymmetric = rf"[-+]{_PLUS} */ *[-+]?{_PLUS}"
    return f"^{_NUMBER} *{unit} *(?:{symmetric}|{asymmetric}) *{unit}$"


def _tolerance(
    text: str, expected: Dimension | None, nominal: str, name: str, upper: str, lower: str, other: str
) -> Tolerance:
    unit, deviation = _unit(name, text, expected), _unit(other, text, None)
    if deviation.dimension is not unit.dimension:
        why = f"{text!r} gives {unit.dimension.noun} a tolerance that is {deviation.dimension.noun}"
        raise UnreadableQuantity(text, why, f"write the tolerance in {_units(unit.dimension)}")
    middle = Fraction(nominal) * unit.factor + unit.zero
    high, low = (
        middle + Fraction(part) * deviation.factor for part in (upper, lower)
    )  # a difference has no zero
    if low > high:
        raise UnreadableQuantity(
            text, f"{text!r} has its limits the wrong way round", "write the upper one first"
        )
    return Tolerance(_float(middle, text), _float(low, text), _float(high, text), unit.dimension)


def _unit(name: str, text: str, expected: Dimension | None) -> Unit:
    unit = UNITS.get(name)
    if unit is None:
        raise UnreadableQuantity(text, f"there is no unit {name!r}", _another_unit(name, text, expected))
    if expected is not None and unit.dimension is not expected:
        why = f"{text!r} is {unit.dimension.noun}, but {expected.noun} is wanted"
        raise UnreadableQuantity(text, why, f"units that fit: {_units(expected)}")
    return unit


def _si(number: str, unit: Unit, text: str) -> float:
    return _float(Fraction(number) * unit.factor + unit.zero, text)


def _float(exact: Fraction, text: str) -> float:
    """The nearest double. Raises `UnreadableQuantity` beyond the largest."""
    try:
        return float(exact)
    except OverflowError:
        raise UnreadableQuantity(text, f"{text!r} is too large to compute with", "") from None


# --- suggestions --------------------------------------------------------------------------------------------


def _units(dimension: Dimension) -> str:
    return ", ".join(unit.name for unit in UNITS_OF[dimension])


def _write(expected: Dimension | None) -> str:
    if expected is None:
        return "write a number and a unit, such as 150 mm/s"
    return f"write {expected.noun} with its unit, such as {EXAMPLES[expected]}"


def _with_unit(number: str, expected: Dimension | None) -> str:
    if expected is None:
        return f"write a unit behind it, such as {number} mm"
    *most, last = (f"{number} {unit.name}" for unit in UNITS_OF[expected])
    return f"write {', '.join(most)} or {last}" if most else f"write {last}"


def _another_text(text: str, expected: Dimension | None) -> str:
    if meant := _meant(text, expected):
        return f"write {meant}"
    if "±" in text or "+/-" in text:
        return "write value and tolerance, each with its unit: 18.20 mm ± 0.15 mm"
    return _write(expected)


def _another_unit(name: str, text: str, expected: Dimension | None) -> str:
    if meant := _meant(text, expected):
        return f"write {meant}"
    known = [unit.name for unit in UNITS_OF[expected]] if expected else list(UNITS)
    folded = {unit.casefold(): unit for unit in known}
    if close := nearest(name.casefold(), folded):
        return f"did you mean {' or '.join(folded[unit] for unit in close)}?"
    return f"units that fit: {_units(expected)}" if expected else f"known: {', '.join(known)}"


def _meant(text: str, expected: Dimension | None) -> str | None:
    """The same quantity in the spelling of the table, if it takes no more than that to read it."""
    plain = unicodedata.normalize("NFKC", text).replace("\N{MINUS SIGN}", "-")
    plain = re.sub(r"(?<=[0-9]),(?=[0-9])", ".", " ".join(plain.split()))
    number = _BARE.match(plain)
    name = plain[number.end() :].strip() if number else ""
    if number and name not in UNITS:
        plain = f"{number[0]} {_FOLDED.get(name.casefold(), name)}"
    readable = _QUANTITY.fullmatch(plain) or _SYMMETRIC.fullmatch(plain) or _ASYMMETRIC.fullmatch(plain)
    if plain == text or not readable or not {readable[2], readable[readable.lastindex or 2]} <= UNITS.keys():
        return None
    return plain if expected in (None, UNITS[readable[2]].dimension) else None


def _quoted(text: str) -> str:
    return repr(text) if text else "an empty text"


# --- printing -----------------------------------------------------------------------------------------------

_EXACT = Context(prec=700)  # room for the difference of any two doubles


def show(quantity: Quantity | Tolerance) -> str:
    """Print in the unit that the table puts first; as short as still reads back as the same value.

    A tolerance whose parts differ by more than some eighty decades prints longer than `parse` accepts.
    """
    if isinstance(quantity, Quantity):
        number, unit = _shortest(quantity.value, quantity.dimension)
        return f"{_plain(number)} {unit.name}"
    values = (quantity.nominal, quantity.lower, quantity.upper)
    shown = [_shortest(value, quantity.dimension) for value in values]
    unit = shown[0][1]
    if any(other is not unit for _, other in shown):  # a temperature next to absolute zero
        unit, shown = UNITS["K"], [(Decimal(repr(value)), UNITS["K"]) for value in values]
    nominal, lower, upper = (number for number, _ in shown)
    above, below = _EXACT.subtract(upper, nominal), _EXACT.subtract(lower, nominal)
    difference = "K" if unit.dimension is Dimension.TEMPERATURE else unit.name
    if above == -below and above >= 0:
        return f"{_plain(nominal)} {unit.name} ± {_plain(above)} {difference}"
    return f"{_plain(nominal)} {unit.name} {_signed(above)}/{_signed(below)} {difference}"


def _shortest(value: float, dimension: Dimension) -> tuple[Decimal, Unit]:
    """The shortest number of the usual unit that is read as `value`;
    of kelvin next to absolute zero, where no number of degC is."""
    unit = UNITS_OF[dimension][0]
    for exact in (Fraction(repr(value)), Fraction(value)):  # the first is shorter, the second surer
        number = (exact - unit.zero) / unit.factor
        for digits in range(1, 18):
            rounded = Context(prec=digits).divide(Decimal(number.numerator), Decimal(number.denominator))
            if _reads_as(rounded, unit, value):
                return rounded, unit
    assert dimension is Dimension.TEMPERATURE  # all others keep their relative precision in any unit
    return Decimal(repr(value)), UNITS["K"]


def _reads_as(number: Decimal, unit: Unit, value: float) -> bool:
    try:
        return float(Fraction(number) * unit.factor + unit.zero) == value
    except OverflowError:
        return False


def _signed(number: Decimal) -> str:
    return _plain(number) if number < 0 else f"+{_plain(number)}"


def _plain(number: Decimal) -> str:
    """Digits without trailing zeros; an exponent only where there would be many zeros."""
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    if not any(digits):
        return "0"
    text = "".join(map(str, digits)).rstrip("0")
    point = len(digits) + exponent  # where the point stands, counted from the first digit
    sign = "-" if number.is_signed() else ""
    if not -5 < point <= 17:
        return f"{sign}{text[0]}{'.' + text[1:] if text[1:] else ''}e{point - 1}"
    if point <= 0:
        return f"{sign}0.{'0' * -point}{text}"
    whole, rest = text[:point].ljust(point, "0"), text[point:]
    return f"{sign}{whole}{'.' + rest if rest else ''}"
