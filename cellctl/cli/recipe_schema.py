"""The JSON schema of recipe files, with the steps of every skill that is installed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from cellctl.cli.schema_parts import DIALECT, Schema, chosen, map_of, named, part, quantity
from cellctl.compile.keys import STEP_KEYS
from cellctl.kinds import JOINT_SKILLS
from cellctl.recipe.file import BlockFile, RecipeFile, StepFile, SubrecipeFile
from cellctl.recipe.parameters import ValueKind
from cellctl.recipe.variant import PLACING, REMOVE
from cellctl.skill import JointSkill, KindDeclaration, Parameter, Skill, Works
from cellctl.units import Dimension, pattern

REFERENCE = r"^\$[A-Za-z]"
_DIMENSIONS = {dimension.value for dimension in Dimension}
_PLACES = {key for _, allowed in STEP_KEYS.values() for key in allowed}
STEP = {"$ref": "#/$defs/step"}
Skills: TypeAlias = dict[
    str, list[Skill] | JointSkill
]  # a skill as each kind declares it, or one of several modules
_TOLERANCE = {
    "type": "string",
    "pattern": f"{pattern(tolerance=True)}|{REFERENCE}",
    "patternErrorMessage": "a value with its tolerance, such as 18.20 mm ± 0.15 mm",
    "examples": ["18.20 mm ± 0.15 mm"],
}


def recipe_schema(kinds: Mapping[str, KindDeclaration]) -> Schema:
    """The schema of recipe and sub-recipe files. Where a file may have a value, it may have a `$parameter`."""
    definitions: Schema = {}
    step, block = part(definitions, StepFile), part(definitions, BlockFile)
    for name in list(definitions):
        definitions[name] = _or_reference(definitions[name])
    skills = _skills(kinds)
    definitions |= _steps(step, skills)
    definitions["block"] = _or_reference(block)
    definitions["block"]["properties"]["steps"]["items"] = STEP
    for name, model in (("recipe", RecipeFile), ("sub-recipe", SubrecipeFile)):
        definitions[name] = part(definitions, model)
        for section in {"steps", "scrap"} & definitions[name]["properties"].keys():
            definitions[name]["properties"][section]["items"] = STEP
    variants = definitions["recipe"]["properties"]
    variants["variants"] = named(variants["variants"], _variant())
    del definitions["RouteFile"]["description"]  # editors would show it instead of the outcome's
    definitions["ParameterFile"]["oneOf"] = [{"required": [kind.value]} for kind in ValueKind]
    return {
        "$schema": DIALECT,
        "$id": "urn:cellctl:schema:recipe",
        "title": "A recipe of cellctl",
        "type": "object",
        "if": {"required": ["subrecipe"]},
        "then": {"$ref": "#/$defs/sub-recipe"},
        "else": {"$ref": "#/$defs/recipe"},
        "$defs": dict(sorted(definitions.items())),
    }


def _or_reference(schema: Any) -> Any:
    """The same where a `$parameter` or a `$step.result` may stand instead of each value."""
    if not isinstance(schema, dict):
        return schema
    found = dict(schema)
    if schema.get("type") == "string" and "pattern" in schema:
        found["pattern"] = f"{schema['pattern']}|{REFERENCE}"
    elif schema.get("type") in ("integer", "number", "boolean"):
        found |= {"type": [schema["type"], "string"], "pattern": REFERENCE}
        found["patternErrorMessage"] = f"{schema['type']}, or a $parameter"
    for key in ("properties", "patternProperties"):
        if key in schema:
            found[key] = {name: _or_reference(value) for name, value in schema[key].items()}
    for key in ("anyOf", "oneOf"):
        if key in schema:
            found[key] = [_or_reference(each) for each in schema[key]]
    for key in ("items", "additionalProperties"):
        if key in schema:
            found[key] = _or_reference(schema[key])
    return found


# --- steps ----------------------------------------------------------------------------------------------------------


def _skills(kinds: Mapping[str, KindDeclaration]) -> Skills:
    """Whatever a step may do: the declarations by every kind that has the skill, or the one joint skill."""
    found: dict[str, list[Skill]] = {}
    for kind in kinds.values():
        for skill in kind.skills:
            if skill.works is not Works.SUPPLIES:
                found.setdefault(skill.name, []).append(skill)
    every: Skills = {**found, **JOINT_SKILLS}
    return {name: every[name] for name in sorted(every)}


def _doc(declared: list[Skill] | JointSkill) -> str:
    return declared.doc if isinstance(declared, JointSkill) else declared[0].doc


def _steps(step: Schema, skills: Skills) -> Schema:
    """The definitions for one place in a list of steps: a block, or the step of a skill; and for changes of steps."""
    keys = {name: _or_reference(value) for name, value in step["properties"].items()}
    required = set(step.get("required", ()))
    found = {f"key-{name}": value for name, value in keys.items()}
    found |= {f"step-{name}": _step(name, declared, keys, required) for name, declared in skills.items()}
    one = chosen("step", "do", {name: _doc(declared) for name, declared in skills.items()})
    one["properties"]["do"] = {
        "description": keys["do"]["description"],
        "if": {"type": "string", "pattern": REFERENCE},
        "else": one["properties"]["do"],
    }
    one |= {"properties": {"step": _key("step")} | one["properties"], "required": sorted(required)}
    found["step"] = {
        "if": {"anyOf": [{"required": ["include"]}, {"required": ["steps"]}]},
        "then": {"$ref": "#/$defs/block"},
        "else": one,
    }
    found["change"] = _change(keys, skills)
    return found


def _key(name: str) -> Schema:
    return {"$ref": f"#/$defs/key-{name}"}


def _step(name: str, declared: list[Skill] | JointSkill, keys: Schema, required: set[str]) -> Schema:
    """A step that does this skill: the keys that it has, the skill's parameters and outcomes."""
    works = declared.works if isinstance(declared, JointSkill) else declared[0].works
    needed, allowed = STEP_KEYS[works]
    working = [] if isinstance(declared, JointSkill) else declared
    properties = {key: _key(key) for key in keys if key not in _PLACES - allowed}
    for skill in working:
        properties |= {parameter.name: _parameter(parameter) for parameter in skill.parameters}
    if working:
        needed = needed | {p.name for p in working[0].parameters if p.required}
        properties["on"] = _routes(working)
    is_open = not working or any(skill.open_parameters for skill in working)
    return {
        "type": "object",
        "description": _doc(declared),
        "properties": properties | {"do": {"const": name, "description": _doc(declared)}},
        "required": sorted(required | needed),
        "additionalProperties": is_open,
    }


def _routes(skills: Iterable[Skill]) -> Schema:
    """Where the part goes after each outcome that is not `done`."""
    outcomes = {name: outcome.doc for skill in skills for name, outcome in skill.outcomes.items()}
    route = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/RouteFile"}]}
    return {
        "type": "object",
        "description": "where the part goes after an outcome that is not `done`",
        "properties": {
            name: {"description": doc, **route} for name, doc in outcomes.items() if name != "done"
        },
        "additionalProperties": False,
    }


def _parameter(parameter: Parameter) -> Schema:
    """A parameter of a skill; its bounds are those of the module, which no schema knows."""
    if parameter.dimension in _DIMENSIONS:
        found: Schema = _or_reference(quantity(Dimension(parameter.dimension), parameter.doc))
        return found
    if parameter.dimension == "limits":
        return {"description": parameter.doc, **map_of(_TOLERANCE)}
    kind = "number" if parameter.dimension == "number" else "string"
    found = _or_reference({"type": kind, "description": parameter.doc})
    return dict(found)


# --- variants -------------------------------------------------------------------------------------------------------


def _change(keys: Schema, skills: Iterable[str]) -> Schema:
    """What a variant does with a step; nothing is needed, for the step has the rest."""
    placing = {
        key: {"type": "string", "description": f"a new step: it stands {key} this one"} for key in PLACING
    }
    properties = {key: _key(key) for key in keys if key != "step"}
    return {
        "type": ["object", "string"],
        "pattern": f"^{REMOVE}$",
        "patternErrorMessage": f"keys to change, or {REMOVE}",
        "properties": placing
        | properties
        | {"do": {"type": "string", "description": "the skill", "examples": list(skills)}},
    }


def _variant() -> Schema:
    """`extends`, `steps`, and values for parameters."""
    return {
        "type": "object",
        "properties": {
            "extends": {"type": "string", "description": "another variant, which this one takes first"},
            "steps": {
                "description": "steps changed, added or removed, by name",
                **map_of({"$ref": "#/$defs/change"}),
            },
        },
        "additionalProperties": {"type": ["string", "number", "boolean"]},
    }
