"""Many open orders of one recipe that has to wait cost one question, not one each."""

from __future__ import annotations

from typing import Any

import pytest

from cellctl.flow import decide as deciding
from cellctl.flow.events import OrderTaken
from cellctl.flow.fold import fold


def test_a_recipe_that_has_to_wait_is_asked_about_once_however_many_orders_want_it(
    cup_recipe: Any, small_line: Any, ordered: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def waits(state: Any, line: Any, ready: Any, parts: Any, step: Any, *more: Any) -> str:
        asked.append(step.name)
        return "it waits"

    monkeypatch.setattr(deciding, "bind", waits)
    more = [OrderTaken(f"o{number}", cup_recipe.digest, 1) for number in range(2, 100)]
    state = fold(more, ordered(cup_recipe, 1))
    assert deciding._begins(deciding._Now(state, _asked(small_line))) == []
    assert len(asked) == 1


def _asked(line: Any) -> Any:
    return deciding._Asked(line, frozenset(line.modules), 0.0, None, lambda state, command: True)
