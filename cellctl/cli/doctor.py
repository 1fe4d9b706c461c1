"""`doctor`: what is wrong with the set-up of this computer, a state directory or a line, each with its remedy."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cellctl.cli.files import find_line
from cellctl.cli.output import json_option, print_json, uses_colour
from cellctl.cli.state import state_for, state_of_a_line, state_option

if TYPE_CHECKING:
    from cellctl.cli.examine import Symptom

_MARKS = {"error": ("ERROR", "red"), "warning": ("warning", "yellow"), "well": ("well", "green")}


@click.command()
@click.argument("line", required=False)
@click.option(
    "--devices", is_flag=True, help="Also knock at the devices' addresses; only while the line is down."
)
@json_option
@state_option
def doctor(line: str | None, devices: bool, as_json: bool, state: Path | None) -> None:
    """Look for what is wrong with the set-up: of this computer, and of LINE. Exits with 1 when there is an error."""
    symptoms = _examined(line, devices, state)
    if as_json:
        print_json([symptom.as_json() for symptom in symptoms])
    else:
        for symptom in symptoms:
            _print(symptom)
    sys.exit(1 if any(symptom.severity == "error" for symptom in symptoms) else 0)


def _examined(line: str | None, devices: bool, state: Path | None) -> list[Symptom]:
    from cellctl.cli import examine

    symptoms = [*examine.computer(), *examine.plug_ins()]
    if line is None:
        try:
            return [*symptoms, *examine.state_directory(state_of_a_line(state))]
        except click.UsageError:
            return symptoms  # no line was started from here: nothing to look at
    found, of_file = examine.line_file(find_line(line))
    symptoms += of_file
    if found is not None:
        place = state_for(found.name, state)
        symptoms += [*examine.state_directory(place), *examine.bus(found, place)]
        symptoms += examine.devices(found, place) if devices else []
    return symptoms


def _print(symptom: Symptom) -> None:
    mark, colour = _MARKS[symptom.severity]
    shown = (
        click.style(f"{mark:8}", fg=colour) if uses_colour() and symptom.severity != "well" else f"{mark:8}"
    )
    click.echo(f"{shown} {symptom.what}", color=uses_colour())
    if symptom.remedy:
        click.echo(f"{'':8} do: {symptom.remedy}")
