"""What the runner knows beforehand about jams: the table of states for the recipes in play."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from cellctl.flow.safe_states import SafeStates
from cellctl.flow.state import FlowState, Order
from cellctl.line.model import Line
from cellctl.recipe.executable import Executable

# States, not seconds, so that the same orders always run the same. The runner answers nobody while it counts: 0.1 s.
MOST_STATES = 8_000

MOST_RECIPES = 50  # each part of an order may have its own


class Foresight:
    """Keeps the table; it follows from the orders alone, so a runner that starts again has it as before."""

    def __init__(self, line: Line, states: int = MOST_STATES) -> None:
        self._line, self._states = line, states
        self._orders: Mapping[str, Order] = {}  # of the last question
        self._recipes: frozenset[str] = frozenset()
        self._known: SafeStates | None = None

    def known(self, state: FlowState) -> SafeStates | None:
        """The table for all recipes of which parts are on the line or on order; where that would be too large, for
        those on the line, which the banker's rule alone might not let go on; None where that is too large as well."""
        if state.orders is self._orders:
            return self._known
        self._orders = state.orders
        open_orders = (order for order in state.orders.values() if not order.is_complete)
        recipes = frozenset(digest for order in open_orders for digest in order.made_by)
        if not recipes <= self._recipes:
            self._recipes = recipes
            on_line = frozenset(part.recipe for part in state.parts.values())
            self._known = self._table(state, recipes) or self._table(state, on_line)
        return self._known

    def _table(self, state: FlowState, recipes: frozenset[str]) -> SafeStates | None:
        if not recipes or len(recipes) > MOST_RECIPES:
            return None
        digests = tuple(sorted(recipes))
        return _counted(
            self._line, _Recipes(digests, tuple(state.recipes[digest] for digest in digests)), self._states
        )


@dataclass(frozen=True, slots=True)
class _Recipes:
    """Recipes, known by their digests."""

    digests: tuple[str, ...]
    executables: tuple[Executable, ...] = field(compare=False)


@lru_cache(maxsize=32)
def _counted(line: Line, recipes: _Recipes, states: int) -> SafeStates | None:
    """The table, made once for all runners of one process: crash searches run the same orders again and again."""
    from cellctl.plan.deadlock import decide_jams  # with numpy: not before the first order
    from cellctl.plan.reachable import Budget

    return decide_jams(line, recipes.executables, budget=Budget(states)).known
