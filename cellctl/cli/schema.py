"""`schema`: JSON schemas of the two files, for editors; with the keys of every kind and driver that is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cellctl.cli.output import print_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from cellctl.device import DriverDeclaration
    from cellctl.skill import KindDeclaration

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"


@click.command()
@click.argument("which", type=click.Choice(["recipe", "line"]))
def schema(which: str) -> None:
    """Print the JSON schema of WHICH file.

    In an editor with the YAML language server, the file's first line names it:
    # yaml-language-server: $schema=line.schema.json
    """
    from cellctl.plugins import load_drivers, load_kinds

    print_json(
        recipe_schema(load_kinds()) if which == "recipe" else line_schema(load_kinds(), load_drivers())
    )


def line_schema(kinds: Mapping[str, KindDeclaration], drivers: Mapping[str, DriverDeclaration]) -> Schema:
    """The schema of line files."""
    from cellctl.line.file import DeviceFile, LineFile, ModuleFile, StationFile, ToolFile

    definitions: Schema = {}
    for name, driver in drivers.items():
        definitions[f"device {name}"] = _joined(definitions, driver.doc, DeviceFile, driver.options, use=name)
        definitions[f"tool {name}"] = _joined(definitions, driver.doc, ToolFile, driver.options, use=name)
    for name, kind in kinds.items():
        module = _joined(definitions, kind.doc, ModuleFile, kind.options, kind=name)
        module["properties"]["devices"] = {
            "type": "object",
            "additionalProperties": {"anyOf": [{"type": "string"}, _chosen("device", "use", drivers)]},
        }
        module["properties"]["tools"] = _map_of(_chosen("tool", "use", drivers))
        station = _part(definitions, StationFile)
        station["properties"] = {
            key: value for key, value in station["properties"].items() if key in kind.stations.allowed
        }
        station["required"] = sorted(kind.stations.required)
        module["properties"]["stations"] = _map_of(station)
        definitions[f"module {name}"] = module
    whole = _part(definitions, LineFile)
    whole["properties"]["devices"] = _map_of(_chosen("device", "use", drivers))
    whole["properties"]["modules"] = _map_of(_chosen("module", "kind", kinds))
    return {"$schema": DIALECT, **whole, "title": "cellctl line", "$defs": definitions}


def recipe_schema(kinds: Mapping[str, KindDeclaration]) -> Schema:
    """The schema of recipe files."""
    from cellctl.recipe.file import RecipeFile, StepFile

    definitions: Schema = {}
    step = _part(definitions, StepFile)
    skills = sorted({skill.name for kind in kinds.values() for skill in kind.skills} | _joint_skills())
    step["properties"]["do"] |= {"examples": skills}
    step["additionalProperties"] = True  # the parameters of its skill
    definitions["step"] = step
    whole = _part(definitions, RecipeFile)
    for section in ("steps", "scrap"):
        whole["properties"][section] |= {"items": {"$ref": "#/$defs/step"}}
    return {"$schema": DIALECT, **whole, "title": "cellctl recipe", "$defs": definitions}


def _joint_skills() -> set[str]:
    from cellctl import kinds
    from cellctl.skill import JointSkill

    return {value.name for value in vars(kinds).values() if isinstance(value, JointSkill)}


def _joined(definitions: Schema, doc: str, *models: type[BaseModel], **constants: str) -> Schema:
    """One object with the keys of several models, one of them fixed."""
    parts = [_part(definitions, model) for model in models]
    properties = {key: value for part in parts for key, value in part["properties"].items()}
    required = [key for part in parts for key in part.get("required", ())]
    properties |= {key: {"const": value} for key, value in constants.items()}
    return {
        "type": "object",
        "description": doc,
        "properties": properties,
        "required": sorted(set(required) | set(constants)),
        "additionalProperties": False,
    }


def _part(definitions: Schema, model: type[BaseModel]) -> Schema:
    """A model's own schema; what it refers to goes into `definitions`."""
    found = model.model_json_schema(ref_template="#/$defs/{model}")
    definitions |= found.pop("$defs", {})
    found.setdefault("properties", {})
    return found


def _chosen(what: str, key: str, names: Mapping[str, object]) -> Schema:
    """The definition that fits the value of `key`."""
    return {
        "type": "object",
        "properties": {key: {"enum": sorted(names)}},
        "required": [key],
        "allOf": [
            {
                "if": {"properties": {key: {"const": name}}, "required": [key]},
                "then": {"$ref": f"#/$defs/{what} {name}".replace(" ", "%20")},
            }
            for name in sorted(names)
        ],
    }


def _map_of(schema: Schema) -> Schema:
    return {"type": "object", "additionalProperties": schema}
