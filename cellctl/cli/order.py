"""`order` and `load`: what shall be made, and of which lots."""

from __future__ import annotations

import secrets
from pathlib import Path

import click

from cellctl.cli.operate import ask
from cellctl.cli.orders import MOST
from cellctl.cli.output import json_option, print_json, print_table, say
from cellctl.cli.state import state_of_a_line, state_option


@click.group()
def order() -> None:
    """Add, cancel and prioritise orders; drain the line."""


@order.command("add")
@click.argument("wanted", metavar="RECIPE/VARIANT:QUANTITY...", nargs=-1, required=True)
@click.option(
    "--id", "name", help="The order's id, chosen by who orders: the same id again is the same order."
)
@click.option("--priority", default=0, show_default=True, help="Higher goes first.")
@click.option(
    "--part",
    "parts",
    multiple=True,
    metavar="NAME=VALUE,...",
    help="Values of the recipe's parameters for one part; once for each part.",
)
@click.option(
    "--parts",
    "parts_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The same from a YAML file: a list with one mapping for each part.",
)
@click.option(
    "--follow", is_flag=True, help="In the best order of work, as `cellctl plan --optimal` finds it."
)
@json_option
@state_option
def add(
    wanted: tuple[str, ...],
    name: str | None,
    priority: int,
    parts: tuple[str, ...],
    parts_file: Path | None,
    follow: bool,
    as_json: bool,
    state: Path | None,
) -> None:
    """Order parts, such as `cellctl order add sensor-puck/indoor:4`.

    Each part may be another: `cellctl order add sensor-puck/indoor --part force=40N --part "force=50 N"`.
    """
    from cellctl.cli.orders import read_order, read_parts, turns_to_follow
    from cellctl.live.client import Client
    from cellctl.live.deployment import load as load_deployment

    place = state_of_a_line(state)
    line = Path(load_deployment(place).line)
    orders = [read_order(text, line) for text in wanted]
    if name and len(orders) > 1:
        raise click.UsageError("--id names one order; give each its own command")
    given = read_parts(parts, parts_file)
    if given and len(orders) > 1:
        raise click.UsageError(
            "parts with values of their own belong to one order; give each its own command"
        )
    taken = []
    with Client(place) as client:
        for each in orders:
            body = each.body | {
                "order": name or f"{each.label}-{secrets.token_hex(3)}",
                "priority": priority,
            }
            if follow:
                body["turns"] = turns_to_follow(each, line)
            if given:
                quantity = each.quantity if each.is_counted else given.count
                body |= {"parts": given.text, "parts_source": given.source, "quantity": quantity}
            taken.append(client.call("order", body))
        state_now = client.call("status", {})["state"]
    if as_json:
        print_json(taken)
    for reply in () if as_json else taken:
        click.echo(reply["order"])
        if reply["known"]:
            say(f"{reply['order']} was ordered before; nothing changes")
    if state_now != "execute":
        say(f"the line is {state_now}; it begins parts after `cellctl start`")


@order.command("cancel")
@click.argument("order_id", metavar="ORDER")
@state_option
def cancel(order_id: str, state: Path | None) -> None:
    """Begin no more parts of ORDER; those on the line are finished."""
    ask(state, "cancel", {"order": order_id})
    say(f"{order_id} is cancelled; its parts on the line are finished")


@order.command("priority")
@click.argument("order_id", metavar="ORDER")
@click.argument("number", metavar="PRIORITY", type=int)
@state_option
def priority(order_id: str, number: int, state: Path | None) -> None:
    """Give ORDER another priority; higher goes first."""
    ask(state, "priority", {"order": order_id, "priority": number})
    say(f"{order_id} has priority {number}")


@order.command("drain")
@click.option("--off", is_flag=True, help="Begin parts again.")
@state_option
def drain(off: bool, state: Path | None) -> None:
    """Begin no more parts at all; those on the line are finished."""
    ask(state, "drain", {"off": off})
    say("parts are begun again" if off else "no more parts are begun until `cellctl order drain --off`")


@order.command("list")
@json_option
@state_option
def list_orders(as_json: bool, state: Path | None) -> None:
    """The open orders and the last finished ones, and how far they are."""
    orders = ask(state, "status", {})["orders"]
    if as_json:
        print_json(orders)
        return
    heads = ("order", "recipe", "variant", "quantity", "begun", "good", "scrapped", "removed", "cancelled")
    print_table(([str(each[head]) for head in heads] for each in orders), heads)
    if not orders:
        say("no orders")


def _said(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """A text that is not empty. Raises click.BadParameter."""
    if not value.strip():
        raise click.BadParameter("an empty text names nothing; write what the label says")
    return value


@click.command()
@click.argument("material")
@click.option("--at", "station", required=True, help="The feeder's station, such as lids.black_pick.")
@click.option("--lot", required=True, callback=_said, help="The lot, as its label says.")
@click.option("--qty", "quantity", required=True, type=click.IntRange(1, MOST), help="How many pieces.")
@state_option
def load(material: str, station: str, lot: str, quantity: int, state: Path | None) -> None:
    """Say that MATERIAL was put into a feeder: from now on its components come from that lot."""
    ask(state, "load", {"material": material, "station": station, "lot": lot, "quantity": quantity})
    say(f"{quantity} {material} of lot {lot} are at {station}")
