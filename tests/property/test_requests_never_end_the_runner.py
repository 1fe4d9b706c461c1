"""Whatever a client sends, the runner answers in words and goes on: every verb, with any body."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cellctl.line.model import Line
from cellctl.messages import Reply, Request, decode, encode
from cellctl.runner.bodies import LoadBody, OrderBody
from cellctl.runner.requests import VERBS
from cellctl.runner.shell import run_runner
from cellctl_sim.runtime import SimRuntime
from cellctl_sim.simulation import journal_of
from cellctl_sim.universe import Universe

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "recipes/products/sensor-puck.yaml"
ORDER = {"order": "o1", "text": RECIPE.read_text(), "source": RECIPE.name, "variant": "indoor", "quantity": 1}
FOREIGN = re.compile(
    r"`|\$\.|Expected|msgspec|Traceback|Error\b|object at 0x|the runner failed"
)  # no words for people

FIELDS = sorted(
    {*OrderBody.__struct_fields__, *LoadBody.__struct_fields__}
    | {"module", "command", "mode", "question", "choice", "note", "part", "item", "place", "off", "x"}
)
NAMES = ["o1", "arm", "belt", "belt.load", "p1", "", "abort", "manual", "next", "housing", "housings.pick"]
PLAIN = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(max_size=9)
VALUES = st.recursive(
    st.sampled_from(NAMES) | PLAIN | st.binary(max_size=3) | st.text(min_size=60, max_size=70),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4) | st.sampled_from(NAMES), inner)
    ),
    max_leaves=4,
)
BODIES = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=6)
NEAR = st.dictionaries(st.sampled_from(sorted(OrderBody.__struct_fields__)), VALUES, max_size=2).map(
    ORDER.__or__
)
ASKED = st.tuples(st.sampled_from(sorted(VERBS)), BODIES) | st.tuples(st.just("order"), NEAR)


Requests = list[tuple[str, dict[str, Any]]]
Answers = Callable[[Requests], list[Reply]]


def replies_of(line: Line, requests: Requests) -> list[Reply]:
    """What a runner alone, without modules, replies; as it would after the wire."""
    replies: list[Reply] = []
    with Universe(1) as universe:
        universe.start("runner", lambda runtime: run_runner(runtime, line, VERBS, automatic=True))

        async def client(runtime: SimRuntime) -> None:
            async with runtime.connect("runner") as runner:
                await runner.inbox.receive()
                for number, (verb, body) in enumerate(requests):
                    request = decode(encode(Request(str(number), verb, "somebody", body)))
                    runner.send(request)
                    while not isinstance(message := (await runner.inbox.receive()).message, Reply):
                        pass
                    replies.append(message)
            universe.stop()

        universe.start("client", client)
        universe.run(30.0)
        assert universe.is_alive("runner")
        assert len(journal_of(universe)) >= 1  # what is on record can be read back
    return replies


@pytest.fixture(scope="module")
def answers(puck_line: Line) -> Answers:
    """`replies_of` the puck line: Hypothesis writes out every argument of a test, and a line is long."""

    def of(requests: Requests) -> list[Reply]:
        return replies_of(puck_line, requests)

    return of


@settings(max_examples=60, deadline=None)
@given(st.lists(ASKED, min_size=1, max_size=8))
@example([("order", ORDER), ("priority", {"order": "o1", "priority": True})])
@example([("order", ORDER), ("priority", {"order": "o1", "priority": 2**63})])
@example([("order", {**ORDER, "order": "\U0001f600"}), ("cancel", {"order": ["o1"]})])
@example([("order", {**ORDER, "text": ORDER["text"].replace("sensor-puck", '"\\\\ud800"', 1)})])
@example([("settle", {"module": "arm", "question": True, "choice": None, "note": 7})])
@example([("order", {"included": 38 * "0" + "`" + 21 * "0"})])  # cut off where it is shown
@example([("command", {"command": "abort", "module": None}), ("command", {"command": ["abort"]})])
def test_every_request_is_answered_in_words(answers: Answers, requests: Requests) -> None:
    replies = answers(requests)
    assert len(replies) == len(requests)
    for reply in replies:
        assert not FOREIGN.search(without_quotes(reply.error)), reply.error


def without_quotes(text: str) -> str:
    """What the runner says itself, not what it repeats or how it names commands."""
    return re.sub(r"is .*\.\.\.; it should be|'[^']*'|`cellctl[^`]*`", "", text)


@pytest.mark.parametrize(
    ("verb", "body", "words"),
    [
        ("priority", {"order": "o1", "priority": True}, "priority is true; it should be a whole number"),
        ("priority", {"order": "o1"}, "lacks 'priority'"),
        ("drain", {"on": True}, "no field of this request is called 'on'"),
        ("command", {"command": "abrot"}, "no command is called 'abrot'; did you mean abort?"),
        ("mode", {"module": "arm", "mode": "manaul"}, "did you mean manual?"),
        (
            "load",
            {"material": "lid", "station": 1, "lot": "l", "quantity": 1},
            "station is 1; it should be a text",
        ),
    ],
)
def test_what_is_wrong_with_a_body_is_said(
    answers: Answers, verb: str, body: dict[str, Any], words: str
) -> None:
    (_, reply) = answers([("order", ORDER), (verb, body)])
    assert words in reply.error
