"""`recover`: where everything is by the journal and by the sensors, and what only a person can say."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from cellctl.cli.operate import ask
from cellctl.cli.output import json_option, print_json, print_table, say
from cellctl.cli.state import state_option

PATIENCE = 2.0  # [s] that sensors may take to be read
GONE = "gone"  # what people write for: it is not on the line


@click.group(invoke_without_command=True)
@json_option
@state_option
@click.pass_context
def recover(context: click.Context, as_json: bool, state: Path | None) -> None:
    """The part map with both views, and what waits for a person. Nothing moves because of this command.

    Exits with 1 while something waits for a person.
    """
    if context.invoked_subcommand is not None:
        context.obj = state
        return
    found = _fresh_map(state)
    if as_json:
        print_json(found)
    else:
        print_map(found)
    if (
        found["journals"]
        or found["contradictions"]
        or found["questions"]
        or found["lost"]
        or found["decisions"]
    ):
        context.exit(1)


def _fresh_map(state: Path | None) -> dict[str, Any]:
    """The part map with sensors read now; after `PATIENCE` as it is, where a device does not answer."""
    asked = ask(state, "look", {})["asked"]
    ends = time.monotonic() + PATIENCE
    while (found := ask(state, "map", {}))["seen_at"] < asked and time.monotonic() < ends:
        time.sleep(0.1)
    return found


def print_map(found: dict[str, Any]) -> None:
    """The part map as text, with the commands that settle what is open."""
    rows = [
        (item["item"], item["journal"] or "not yet on the line", _seen(item["sensor"]))
        for item in found["items"]
    ]
    print_table(rows, ("item", "journal", "sensor there"))
    if not rows:
        click.echo("the journal has nothing on the line")
    if unsettled := _unsettled(found):
        click.echo(
            f"\nUNSETTLED {', '.join(unsettled)}: not seen where the journal has it, and a command that moves it has"
        )
        click.echo("  not ended. Its module settles that when it goes on (`cellctl start`), or asks.")
    for each in found["journals"]:
        click.echo(f"\nJOURNAL {each['module']}: {each['text']}")
        click.echo("  compare the items above with the line, put them right, and go on:")
        click.echo(f"    cellctl recover accept {each['module']} --note WHY")
    for each in found["contradictions"]:
        click.echo(f"\nCONTRADICTION {each['text']}")
        click.echo("  put it right at the line, or say where it is:")
        for item in each["items"] or ["ITEM"]:
            click.echo(f"    cellctl recover correct {item} PLACE      (a station, or `{GONE}`)")
    for item in found["lost"]:
        click.echo(f"\nLOST {item}: nobody knows where it is. Find it, then say where it is now:")
        click.echo(
            f"    cellctl recover correct {item} PLACE      (a station, or `{GONE}` when it was taken away)"
        )
    for question in found["questions"]:
        click.echo(f"\nQUESTION {question['number']} of {question['module']}: {question['text']}")
        for choice, meaning in question["choices"].items():
            quoted = f"'{choice}'" if " " in choice else choice
            command = f"cellctl recover settle {question['module']} {question['number']}"
            click.echo(f"    {command} {quoted:13} {meaning}")
    for each in found["decisions"]:
        detail = f" ({each['detail']})" if each["detail"] else ""
        click.echo(f"\nDECISION {each['part']}: {each['step']} ended with {each['outcome']}{detail}")
        for choice, meaning in CHOICES.items():
            click.echo(f"    cellctl recover decide {each['part']} {choice:8} {meaning}")


def _unsettled(found: dict[str, Any]) -> list[str]:
    """Items that their sensors do not see, without a contradiction: those of commands under way are not compared."""
    known = {item for each in found["contradictions"] for item in each["items"]}
    return [item["item"] for item in found["items"] if item["sensor"] is False and item["item"] not in known]


CHOICES = {
    "retry": "the step once more",
    "next": "go on as if it had been done",
    "scrap": "the recipe's scrap steps",
    "remove": "a person has taken the part away",
    "STEP": "go on from the step of this name",
}


def _seen(sensor: bool | None) -> str:
    return {True: "occupied", False: "EMPTY", None: "none"}[sensor]


@recover.command("settle")
@click.argument("module")
@click.argument("question", type=int)
@click.argument("choice")
@click.option("--note", default="", help="Why; it is journaled.")
@state_option
@click.pass_obj
def settle(
    above: Path | None, module: str, question: int, choice: str, note: str, state: Path | None
) -> None:
    """Answer a QUESTION that MODULE asked, with one of the choices that `cellctl recover` lists."""
    word = {"module": module, "question": question, "choice": choice, "note": note}
    found = ask(state or above, "settle", word)
    say(f"{module} has taken the answer {choice!r} and is {found['state']}")


@recover.command("decide")
@click.argument("part")
@click.argument("choice")
@state_option
@click.pass_obj
def decide(above: Path | None, part: str, choice: str, state: Path | None) -> None:
    """Say how PART goes on: retry, next, scrap, remove, or the name of a step."""
    ask(state or above, "decide", {"part": part, "choice": choice})
    say(f"{part}: {choice}")


@recover.command("accept")
@click.argument("module")
@click.option("--note", default="", help="Why; it is journaled.")
@state_option
@click.pass_obj
def accept(above: Path | None, module: str, note: str, state: Path | None) -> None:
    """Go on with MODULE although its journal, or the runner's, lost records: you have compared the part map."""
    accepted = ask(state or above, "accept", {"module": module, "note": note})["modules"]
    say(f"{', '.join(accepted)}: the journals are accepted as they are")


@recover.command("correct")
@click.argument("item")
@click.argument("place")
@click.option("--note", default="", help="Why; it is journaled.")
@state_option
@click.pass_obj
def correct(above: Path | None, item: str, place: str, note: str, state: Path | None) -> None:
    """Say that ITEM is at PLACE: a station, `station#nest`, or `gone` for not on the line."""
    ask(state or above, "correct", {"item": item, "place": "" if place == GONE else place, "note": note})
    say(f"{item} is {'not on the line' if place == GONE else f'at {place}'}")
    left = ask(state or above, "map", {})["contradictions"]
    for each in left:
        say(f"still open: {each['text']}")
