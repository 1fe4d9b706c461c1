"""Orders as they are written, `sensor-puck/tall:10`, for runs in virtual time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cellctl.line.model import Line
    from cellctl_sim.simulation import Order


def read_orders(texts: Sequence[str], path: Path, line: Line, follow: bool = False) -> list[Order]:
    """The orders that are written so, with `follow` in the best order of their work.

    Raises click.UsageError; RecipeRefused where the line cannot make one, and BadPlan where no best order is known.
    """
    from cellctl.cli.orders import read_order, turns_to_follow
    from cellctl.compile.order import OrderText, compile_order
    from cellctl_sim.simulation import Order

    orders = []
    for number, text in enumerate(texts, start=1):
        wanted = read_order(text, path)
        turns = turns_to_follow(wanted, path) if follow else {}
        order = Order(id=f"{number}-{wanted.label}", turns=turns, **wanted.body)
        compile_order(OrderText(order.text, order.source, order.variant, order.included), line)
        orders.append(replace(order, source=_from_the_line(wanted.recipe, path)))
    return orders


def _from_the_line(recipe: Path, line: Path) -> str:
    """The recipe's path as seen from the line's: the trace has it, and must be the same in every directory."""
    return Path(os.path.relpath(recipe, line.parent)).as_posix()
