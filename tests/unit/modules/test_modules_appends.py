"""What is made durable together: a result, and what the skill does next."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from cellctl.journal import ActionBegan, ActionEnded, Answered, Journal


@pytest.fixture
def appends(monkeypatch: pytest.MonkeyPatch) -> list[list[type]]:
    """The kinds of records of each append, of all journals."""
    kept: list[list[type]] = []
    append = Journal.append

    async def keep(self: Any, *records: Any) -> Any:
        kept.append([type(record) for record in records])
        return await append(self, *records)

    monkeypatch.setattr(Journal, "append", keep)
    return kept


def test_a_result_shares_an_append_with_the_next_start_or_the_answer(
    bench: ModuleType, appends: list[list[type]]
) -> None:
    client = bench.Client([bench.TRANSFER])
    with bench.Run(bench.an_arm(), client) as run:
        run.until_done()
    of_command = [kinds for kinds in appends if ActionBegan in kinds or ActionEnded in kinds][-9:]
    assert of_command[-1] == [ActionEnded, Answered]
    assert of_command[:-1] == [[ActionEnded, ActionBegan]] * 8
