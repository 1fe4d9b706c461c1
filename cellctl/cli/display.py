"""The line on one page, for `status`, `status --watch` and the demo. Calm: colour only for what is not normal."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from rich.console import Group, NewLine, RenderableType
from rich.table import Table
from rich.text import Text

from cellctl.cli.output import titled
from cellctl.messages import GONE, LOST

Status = dict[str, Any]

_ABNORMAL = {"aborted", "aborting", "clearing", "unknown"}
_PAUSED = {"held", "holding", "stopped", "stopping", "suspended", "suspending"}
MOST_PARTS = 20  # shown; the rest are counted


def page(status: Status, *, simulated: bool = False) -> RenderableType:
    """All that a person at the line wants to know, from the runner's status."""
    blocks: list[RenderableType] = [_head(status, simulated)]
    for block in (_orders, _modules, _parts, _alarms):
        blocks += [NewLine(), block(status)]
    return Group(*blocks)


def _head(status: Status, simulated: bool) -> Text:
    text = Text(f"{status['line']}  ")
    text.append(status["state"].upper(), style=_style(status["state"]))
    if status["waits_for"]:
        text.append(f"  waits for {', '.join(status['waits_for'])}", style="yellow")
    if status["draining"]:
        text.append("  draining: no parts are begun", style="yellow")
    if simulated:
        text.append("  SIMULATED", style="bold reverse")
    return text


def _orders(status: Status) -> RenderableType:
    table = _table("order", "recipe", "good", "scrap", "on the line", "to begin")
    for order in status["orders"]:
        ended = order["good"] + order["scrapped"] + order["removed"]
        table.add_row(
            order["order"],
            titled(order["recipe"], order["variant"]),
            f"{order['good']} of {order['quantity']}",
            Text(str(order["scrapped"]), style="yellow" if order["scrapped"] else ""),
            str(order["begun"] - ended),
            "cancelled" if order["cancelled"] else str(order["quantity"] - order["begun"]),
        )
    return table if status["orders"] else Text("no orders")


def _modules(status: Status) -> RenderableType:
    table = _table("module", "state", "does", "")
    for module in status["modules"]:
        table.add_row(
            module["module"], Text(shown_state(module), style=_style(module["state"])), *what_it_does(module)
        )
    return table


def shown_state(module: dict[str, Any]) -> str:
    """A module's state, with its mode where that is not production."""
    if not module["alive"]:
        return "silent"
    mode = module["mode"]
    return f"{module['state']}{'' if mode in ('production', 'unknown') else f' ({mode})'}"


def what_it_does(module: dict[str, Any]) -> tuple[str, str]:
    """What a module does, and a remark."""
    remarks = ["out of use"] if module["out"] else []
    remarks += [f"finishes {module['finishing']}"] if module["finishing"] else []
    remarks += [f"after the interruption: {each}" for each in module["settled"]]
    remarks += [module["refusal"]] if module["refusal"] else []
    return ", ".join(module["doing"]), "; ".join(remarks)


def _parts(status: Status) -> RenderableType:
    parts = status["parts"]
    if not parts:
        return Text("no parts on the line")
    table = _table("part", "variant", "place", "steps", "does or waits for")
    for part in sorted(parts, key=_number)[:MOST_PARTS]:
        doing = f"{part['step']} on {part['module']}" if part["step"] else part["waits"]
        style = "yellow" if part["waits"].startswith("an operator") else ""
        steps = f"{part['done']}/{part['steps']}"
        table.add_row(
            part["part"], part["variant"], shown_place(part["place"]), steps, Text(doing, style=style)
        )
    if len(parts) > MOST_PARTS:
        table.add_row(f"and {len(parts) - MOST_PARTS} more", "", "", "", "")
    return table


def shown_place(place: str) -> str:
    """A place in words."""
    return {GONE: "not yet on the line", LOST: "unknown"}.get(place, place)


def _alarms(status: Status) -> RenderableType:
    if not status["alarms"]:
        return Text("no alarms")
    text = Text()
    for (cause, remedy), alike in groupby(status["alarms"], lambda alarm: (alarm["cause"], alarm["remedy"])):
        for alarm in alike:
            text.append(f"{alarm['code']} {_named(alarm)}\n", style="bold red")
        text.append(f"     why: {cause}\n     do:  {remedy}\n")
    return text


def _named(alarm: dict[str, Any]) -> str:
    """The alarm's text, with its source where that does not begin it; a source that is a number is a command."""
    source, text = alarm["source"], str(alarm["text"])
    if text.startswith(source) and not source.isdigit():
        return text
    return f"{'command ' if source.isdigit() else ''}{source}: {text}"


def _table(*heads: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", show_footer=False)
    for head in heads:
        table.add_column(head, no_wrap=head not in ("", "does or waits for"), overflow="fold")
    return table


def _style(state: str) -> str:
    if state in _ABNORMAL:
        return "bold red"
    return "yellow" if state in _PAUSED else ""


def _number(part: dict[str, Any]) -> tuple[int, str]:
    digits = part["part"].lstrip("p")
    return (int(digits) if digits.isdigit() else 0, part["part"])
