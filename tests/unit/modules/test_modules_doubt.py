"""What only a person can know: the question, the three answers, and what becomes of the command."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import pytest

from cellctl.messages import Event, Move, Refusal, Settle
from cellctl.packml import State, StateCommand


@contextmanager
def in_doubt(bench: ModuleType, client: object) -> Iterator[object]:
    """A run of a machine that cannot tell, killed in the middle of its program."""
    with bench.Run(bench.a_press(bench.fakes.BLIND_PLC), client) as run:
        run.until(lambda: run.bench.world.count["ran"] == 1)
        run.pause(0.1)
        run.universe.restart("cell")
        run.until(lambda: bool(client.questions))
        yield run


@pytest.mark.parametrize(
    ("choice", "outcome", "ran"), [("done", "done", 1), ("not started", "done", 2), ("failed", "failed", 1)]
)
def test_the_word_of_a_person_decides(bench: ModuleType, choice: str, outcome: str, ran: int) -> None:
    client = bench.Client([bench.PRESS], settle=lambda question: choice)
    with in_doubt(bench, client) as run:
        run.until_done()
    assert client.answers[1].outcome == outcome
    assert run.bench.world.count["ran"] == ran
    assert len(client.questions) == 1


def test_a_module_in_doubt_is_held_with_its_question_and_alarm(bench: ModuleType) -> None:
    client = bench.Client([bench.PRESS])
    with in_doubt(bench, client) as run:
        run.until_state(State.HELD)
        question = client.view.questions[0]
        assert (question.command, question.action) == (1, "run")
        assert set(question.choices) == {"done", "not started", "failed"}
        assert [alarm.code for alarm in client.view.alarms] == ["M010"]


def test_a_question_outlives_the_process_and_its_answer_lets_the_module_be_started(bench: ModuleType) -> None:
    client = bench.Client([bench.PRESS])
    with in_doubt(bench, client) as run:
        run.until_state(State.HELD)
        number = client.view.questions[0].number
        run.restart()
        run.pause(1.0)
        run.until(lambda: client.view is not None and bool(client.view.questions))
        assert client.view.state is State.HELD
        assert client.view.questions[0].number == number
        client.settle = lambda question: "done"
        run.until_done()
    assert run.bench.world.count["ran"] == 1


def test_a_kill_right_after_the_persons_word_does_not_ask_again(bench: ModuleType) -> None:
    for later in range(120):
        client = bench.Client([bench.PRESS], settle=lambda question: "done")
        with in_doubt(bench, client) as run:
            run.kill_at(run.universe.loop.steps + later, watchdogs=False)
            run.until_done()
        assert client.answers[1].outcome == "done"
        assert run.bench.world.count["ran"] == 1
        assert len(client.questions) == 1


def test_a_wrong_choice_and_a_question_that_is_not_open_are_refused(bench: ModuleType) -> None:
    client = bench.Client([bench.PRESS])
    with in_doubt(bench, client) as run:
        run.until_state(State.HELD)
        number = client.view.questions[0].number
        client.send(Settle("press", number, "perhaps", "operator"))
        client.send(Settle("press", number + 1, "done", "operator"))
        run.pause(0.1)
    refusals = [m.why for m in client.heard if isinstance(m, Refusal)]
    assert any("'perhaps'" in why for why in refusals)
    assert any("no open question" in why for why in refusals)


def test_unhold_is_refused_while_a_question_is_open(bench: ModuleType) -> None:
    client = bench.Client([bench.PRESS])
    with in_doubt(bench, client) as run:
        run.until_state(State.HELD)
        client.instruct(StateCommand.UNHOLD)
        run.pause(0.2)
        assert client.view.state is State.HELD
    assert any(isinstance(m, Refusal) and "question" in m.why for m in client.heard)


def test_a_command_given_up_leaves_its_item_where_nobody_knows(bench: ModuleType) -> None:
    """The skill's code and the record differ, as after a wrong change of the software."""
    client = bench.Client([bench.TRANSFER], settle=lambda question: "failed")
    with bench.Run(bench.an_arm(), client) as run:
        run.until(lambda: any(type(r).__name__ == "ActionEnded" and r.moves for r in run.records()))
        run.universe.kill("cell")
        rows = run.universe.disk("cell").durable
        changed = [row.replace(b"retreat from arm.a", b"retreat from arm.x") for row in rows]
        rechain(run, changed)
        run.universe.restart("cell")
        run.until_done()
    assert "is asked for" in next(iter(client.questions.values())).text
    assert client.answers[1].outcome == "failed"
    assert client.answers[1].moves[-1] == Move("c1", "?")
    moves = [m.move for m in client.heard if isinstance(m, Event) and m.move is not None]
    assert moves[-1] == Move("c1", "?")


def rechain(run: object, rows: list[bytes]) -> None:
    """Write rows anew with a chain that fits them."""
    import hashlib

    digest = bytes(16)
    durable = run.universe.disk("cell").durable
    durable.clear()
    for number, row in enumerate(rows, start=1):
        payload = row[24:]
        digest = hashlib.blake2b(digest + payload, digest_size=16).digest()
        durable.append(number.to_bytes(8, "big") + digest + payload)
