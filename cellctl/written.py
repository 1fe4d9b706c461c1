"""The types of what people write: models that take no unknown key, and quantities with their units.

A field of type `Length` is written `150 mm`, read as metres, and described to editors with its units.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from cellctl.units import (
    EXAMPLES,
    UNITS,
    UNITS_OF,
    Dimension,
    Quantity,
    Tolerance,
    Unit,
    UnreadableQuantity,
    parse,
    parse_quantity,
    parse_tolerance,
    pattern,
    show,
    unit_called,
)

T = TypeVar("T")
Q = TypeVar("Q", bound=Quantity | Tolerance)


class Written(BaseModel):
    """Anything that people write: no key that is not known, nothing that changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class OfDimension:
    """Annotates a `float` that is written as a quantity and read as its SI value."""

    dimension: Dimension

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        def read_value(value: object) -> float:
            return _read_quantity(value, self.dimension, parse_quantity).value

        def write_value(value: float) -> str:
            return show(Quantity(value, self.dimension))

        return _quantity_schema(read_value, write_value)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        units = ", ".join(unit.name for unit in UNITS_OF[self.dimension])
        return {
            "type": "string",
            "pattern": pattern(self.dimension),
            "examples": [EXAMPLES[self.dimension]],
            "description": f"{self.dimension.noun} with its unit: {units}",
        }


@dataclass(frozen=True, slots=True)
class Measured:
    """Annotates a `Quantity | Tolerance`, or a `Tolerance` alone, that keeps its dimension; of any unless given."""

    dimension: Dimension | None = None

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        reader = parse_tolerance if source is Tolerance else parse

        def read_value(value: object) -> Quantity | Tolerance:
            return _read_quantity(value, self.dimension, reader)

        return _quantity_schema(read_value, show)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "type": "string",
            "pattern": f"{pattern(self.dimension)}|{pattern(self.dimension, tolerance=True)}",
            "examples": ["150 mm", "18.20 mm ± 0.15 mm"],
            "description": f"{self.dimension.noun if self.dimension else 'a quantity'} with its unit",
        }


class _UnitByName:
    """Annotates a `Unit` that is written by its name: `mm`."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _quantity_schema(_read_unit, lambda unit: unit.name)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"enum": list(UNITS), "description": "the unit in which people read it"}


def _read_unit(value: object) -> Unit:
    if not isinstance(value, str):
        raise PydanticCustomError(
            "quantity_type", "Input should be {expected}", {"expected": "a unit such as mm"}
        )
    try:
        return unit_called(value)
    except UnreadableQuantity as error:
        raise PydanticCustomError("quantity", "{why}", {"why": error.why, "instead": error.instead}) from None


UnitName = Annotated[Unit, _UnitByName()]


class NamesOrUnits:
    """Annotates a mapping of names to units that may be a list of names, of which is not said what they measure."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_with_units, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        names = {"type": "array", "items": {"type": "string"}, "uniqueItems": True}
        units = {
            "type": "object",
            "additionalProperties": _UnitByName().__get_pydantic_json_schema__(schema, handler),
        }
        return {"anyOf": [units, names]}


def _with_units(value: object) -> object:
    if isinstance(value, dict):
        return value
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        expected = {"expected": "a mapping of names to units, or a list of names"}
        raise PydanticCustomError("quantity_type", "Input should be {expected}", expected)
    twice = next((name for place, name in enumerate(value) if name in value[:place]), None)
    if twice is not None:
        raise ValueError(f"{twice!r} stands twice; keep one of the two")
    return dict.fromkeys(value)


Measures = Annotated[Mapping[str, UnitName | None], NamesOrUnits()]
"""Names of what is measured, each with its unit; None where nothing is said: `{height: mm}`, or `[height]`."""


def _quantity_schema(reader: Callable[[object], T], writer: Callable[[T], str]) -> CoreSchema:
    as_text = core_schema.plain_serializer_function_ser_schema(writer, when_used="json")
    return core_schema.no_info_plain_validator_function(reader, serialization=as_text)


def _read_quantity(
    value: object, dimension: Dimension | None, reader: Callable[[str, Dimension | None], Q]
) -> Q:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        expected = f"{dimension.noun if dimension else 'a quantity'} such as {EXAMPLES[dimension or Dimension.LENGTH]}"
        raise PydanticCustomError("quantity_type", "Input should be {expected}", {"expected": expected})
    try:
        return reader(str(value), dimension)
    except UnreadableQuantity as error:
        raise PydanticCustomError("quantity", "{why}", {"why": error.why, "instead": error.instead}) from None


@dataclass(frozen=True, slots=True)
class Between:
    """Annotates a quantity with the least and the greatest that is allowed, both as text: `Between("0 mm", "2 m")`."""

    least: str
    greatest: str

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        least = parse_quantity(self.least)
        greatest = parse_quantity(self.greatest, least.dimension)

        def check(value: float) -> float:
            if least.value <= value <= greatest.value:
                return value
            shown = show(Quantity(value, least.dimension))
            context = {"message": f"{shown} is outside {self.least} to {self.greatest}"}
            raise PydanticCustomError("quantity_range", "{message}", context)

        return core_schema.no_info_after_validator_function(check, handler(source))


def usually(text: str, meaning: str | None = None) -> Any:
    """The default of a quantity's field, as text: `speed: Speed = usually("150 mm/s")`; the JSON schema shows it so.

    `meaning` describes the field to editors and in the reference.
    """
    return Field(default=parse_quantity(text).value, description=meaning, json_schema_extra={"default": text})


Length = Annotated[float, OfDimension(Dimension.LENGTH)]
Duration = Annotated[float, OfDimension(Dimension.DURATION)]
Speed = Annotated[float, OfDimension(Dimension.SPEED)]
Acceleration = Annotated[float, OfDimension(Dimension.ACCELERATION)]
Jerk = Annotated[float, OfDimension(Dimension.JERK)]
Angle = Annotated[float, OfDimension(Dimension.ANGLE)]
AngularRate = Annotated[float, OfDimension(Dimension.ANGULAR_RATE)]
AngularAcceleration = Annotated[float, OfDimension(Dimension.ANGULAR_ACCELERATION)]
Force = Annotated[float, OfDimension(Dimension.FORCE)]
Torque = Annotated[float, OfDimension(Dimension.TORQUE)]
Pressure = Annotated[float, OfDimension(Dimension.PRESSURE)]
Mass = Annotated[float, OfDimension(Dimension.MASS)]
Temperature = Annotated[float, OfDimension(Dimension.TEMPERATURE)]
Voltage = Annotated[float, OfDimension(Dimension.VOLTAGE)]
Current = Annotated[float, OfDimension(Dimension.CURRENT)]
Ratio = Annotated[float, OfDimension(Dimension.RATIO)]
Count = Annotated[float, OfDimension(Dimension.COUNT)]
Frequency = Annotated[float, OfDimension(Dimension.FREQUENCY)]
Stiffness = Annotated[float, OfDimension(Dimension.STIFFNESS)]
AnyQuantity = Annotated[Quantity | Tolerance, Measured()]
