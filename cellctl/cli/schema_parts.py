"""JSON schemas of the models that people's files are read by, made fit for editors: no titles that say nothing, words
instead of regular expressions, no names beside those that a pattern allows. JSON Schema draft 2020-12.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from cellctl.device import Reference
from cellctl.units import EXAMPLES, UNITS_OF, Dimension, pattern

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"

# `patternErrorMessage`, `errorMessage` and `enumDescriptions` are no keywords of the standard, which lets validators
# pass over them; the language servers of editors show them.
POINT = r"^(?:.+\.)?d[io][0-9]+$"
BUS = r"^tcp://\S+:[0-9]{1,5}$"
FORMS = {
    "point": (POINT, "an input or output, such as io1.di0 or io1.do4"),
    "input": (POINT.replace("[io]", "i"), "an input, such as io1.di0"),
    "output": (POINT.replace("[io]", "o"), "an output, such as io1.do0"),
    "bus": (BUS, "a bus address, such as tcp://127.0.0.1:5700"),
}
_DIMENSION_OF = {example: dimension for dimension, example in EXAMPLES.items()}


def part(definitions: Schema, model: type[BaseModel]) -> Schema:
    """A model's own schema; what it refers to goes into `definitions`."""
    found: Schema = model.model_json_schema(ref_template="#/$defs/{model}")
    for name, inner in found.pop("$defs", {}).items():
        definitions.setdefault(name, tidy(inner))
    found.setdefault("properties", {})
    found = tidy(found)
    for name, field in model.model_fields.items():
        kinds = [mark.kind for mark in field.metadata if isinstance(mark, Reference)]
        if "point" in kinds:
            found["properties"][field.alias or name] |= form("point")
    return found


def tidy(schema: Schema) -> Schema:
    """The schema as editors show it best."""
    schema = _without_null(schema)
    found = {key: _tidy_inside(key, value) for key, value in schema.items() if not _says_nothing(key, value)}
    if "patternProperties" in found:
        found.setdefault("additionalProperties", False)
    dimension = _DIMENSION_OF.get((schema.get("examples") or [""])[0])
    if "pattern" in found and dimension:
        words = wanted(None if "±" in found["pattern"] else dimension)
        found |= {"patternErrorMessage": words, "errorMessage": words}
    elif "pattern" in found:
        found["patternErrorMessage"] = "a name: a letter, then letters, digits, - and _"
    return found


def _without_null(schema: Schema) -> Schema:
    """A key that may be left out is left out: nobody writes `null`."""
    branches = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(branches) != 1:
        return schema
    return {**branches[0], **{key: value for key, value in schema.items() if key != "anyOf"}}


def _says_nothing(key: str, value: object) -> bool:
    return (key == "title" and isinstance(value, str)) or (key == "default" and value in ("", [], {}, None))


def _tidy_inside(key: str, value: Any) -> Any:
    if key in ("properties", "patternProperties", "$defs"):
        return {name: tidy(inner) for name, inner in value.items()}
    if isinstance(value, dict) and key not in ("default", "const"):
        return tidy(value)
    if key in ("anyOf", "oneOf", "allOf", "prefixItems"):
        return [tidy(inner) for inner in value]
    return value


def wanted(dimension: Dimension | None) -> str:
    """What a quantity looks like, in words."""
    if dimension is None:
        return "a quantity with its unit, such as 40 N or 18.20 mm ± 0.15 mm"
    units = ", ".join(unit.name for unit in UNITS_OF[dimension])
    return f"{dimension.noun} with its unit ({units}), such as {EXAMPLES[dimension]}"


def quantity(dimension: Dimension, description: str) -> Schema:
    """A quantity of this dimension, as text with its unit."""
    return {
        "type": "string",
        "description": description,
        "pattern": pattern(dimension),
        "patternErrorMessage": wanted(dimension),
        "errorMessage": wanted(dimension),
        "examples": [EXAMPLES[dimension]],
    }


def form(name: str) -> Schema:
    """Text of one of the forms that have a name."""
    text, words = FORMS[name]
    return {"pattern": text, "patternErrorMessage": words}


def address(schemes: Iterable[str]) -> Schema:
    """The address of a device over one of the links that are installed."""
    names = sorted(schemes)
    return {
        "pattern": rf"^(?:{'|'.join(map(re.escape, names))})://\S+$",
        "patternErrorMessage": f"an address: {', '.join(f'{name}://...' for name in names)}",
    }


def chosen(what: str, key: str, names: Mapping[str, str], kind: str | list[str] = "object") -> Schema:
    """The definition "`what`-NAME" for the name that stands under `key`; `names` with what each is."""
    choices = sorted(names)
    return {
        "type": kind,
        "properties": {key: {"enum": choices, "enumDescriptions": [names[name] for name in choices]}},
        "required": [key],
        "allOf": [
            {
                "if": {"type": "object", "properties": {key: {"const": name}}, "required": [key]},
                "then": {"$ref": f"#/$defs/{what}-{name}"},
            }
            for name in choices
        ],
    }


def map_of(schema: Schema) -> Schema:
    """A mapping of any names to this."""
    return {"type": "object", "additionalProperties": schema}


def named(mapping: Schema, schema: Schema) -> Schema:
    """The same mapping, whose names are of the same form, to this."""
    return {**mapping, "patternProperties": dict.fromkeys(mapping["patternProperties"], schema)}
