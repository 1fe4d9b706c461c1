"""The bus in memory keeps the live bus's promises: order, silence, return, and nothing that cannot travel."""

from __future__ import annotations

from typing import Any

import pytest

from cellctl.errors import BusError
from cellctl.messages import MAX_MESSAGE_BYTES, Event, Inquire, Message, Reply, Request
from cellctl.runtime import Incoming
from cellctl_sim.loop import UnhandledError
from cellctl_sim.runtime import SimRuntime
from cellctl_sim.universe import Main, Universe

Heard = list[tuple[float, Incoming]]


def server(heard: Heard) -> Main:
    async def main(runtime: SimRuntime) -> None:
        async with runtime.serve("belt") as belt:
            while True:
                incoming = await belt.requests.receive()
                heard.append((runtime.now(), incoming))
                if incoming.message is not None:
                    belt.reply(incoming.peer, incoming.message)

    return main


def client(heard: Heard, *messages: Message) -> Main:
    async def main(runtime: SimRuntime) -> None:
        async with runtime.connect("belt") as belt:
            while True:
                incoming = await belt.inbox.receive()
                heard.append((runtime.now(), incoming))
                if incoming.message is None and incoming.alive:
                    for message in messages:
                        belt.send(message)

    return main


def notices(heard: Heard) -> list[tuple[float, bool]]:
    return [(time, incoming.alive) for time, incoming in heard if incoming.message is None]


def messages(heard: Heard) -> list[Message]:
    return [incoming.message for _, incoming in heard if incoming.message is not None]


def test_requests_and_answers_arrive_one_latency_later_in_order() -> None:
    at_server: Heard = []
    at_client: Heard = []
    sent = [Inquire(str(number)) for number in range(100)]
    with Universe() as universe:
        universe.start("belt", server(at_server))
        universe.start("runner", client(at_client, *sent))
        universe.run(1.0)
    assert messages(at_server) == sent
    assert messages(at_client) == sent
    assert {time for time, incoming in at_client if incoming.message} == {0.0006}


def test_a_server_may_come_after_its_peers() -> None:
    at_server: Heard = []
    at_client: Heard = []
    with Universe() as universe:
        universe.start("runner", client(at_client, Inquire("belt")))
        universe.at(3.0, lambda: universe.start("belt", server(at_server)))
        universe.run(4.0)
    assert notices(at_client) == [(3.0002, True)]
    assert messages(at_client) == [Inquire("belt")]


def test_silence_is_noticed_after_one_second_at_both_ends_and_so_is_the_return() -> None:
    at_server: Heard = []
    at_client: Heard = []
    with Universe() as universe:
        universe.start("belt", server(at_server))
        universe.start("runner", client(at_client))
        universe.at(2.0, lambda: universe.kill("belt"))
        universe.at(5.0, lambda: universe.restart("belt"))
        universe.at(8.0, lambda: universe.kill("runner"))
        universe.run(10.0)
    assert notices(at_client) == [(0.0002, True), (3.0, False), (5.0002, True)]
    assert notices(at_server) == [(0.0002, True), (5.0002, True), (9.0, False)]


def test_a_process_that_is_back_within_a_second_is_told_as_gone_and_back() -> None:
    at_server: Heard = []
    at_client: Heard = []
    with Universe() as universe:
        universe.start("belt", server(at_server))
        universe.start("runner", client(at_client))
        universe.at(2.0, lambda: universe.restart("belt"))
        universe.at(4.0, lambda: universe.restart("runner"))
        universe.run(6.0)
    assert notices(at_client) == [(0.0002, True), (2.0002, False), (2.0002, True), (4.0002, True)]
    assert notices(at_server)[-2:] == [(4.0002, False), (4.0002, True)]


def test_a_cut_that_is_mended_within_a_second_is_not_noticed_but_loses_what_was_sent() -> None:
    at_server: Heard = []
    at_client: Heard = []
    asks_often = asker(at_client)
    with Universe() as universe:
        universe.start("belt", server(at_server))
        universe.start("runner", asks_often)
        universe.at(1.05, lambda: universe.bus.cut("runner", "belt"))
        universe.at(1.55, lambda: universe.bus.mend("runner", "belt"))
        universe.run(2.05)
    assert notices(at_client) == [(0.0002, True)]
    assert len(messages(at_client)) == 20 - 5


def test_a_cut_of_more_than_a_second_is_noticed_at_both_ends() -> None:
    at_server: Heard = []
    at_client: Heard = []
    with Universe() as universe:
        universe.start("belt", server(at_server))
        universe.start("runner", client(at_client))
        universe.at(1.0, lambda: universe.bus.cut("runner", "belt"))
        universe.at(4.0, lambda: universe.bus.mend("runner", "belt"))
        universe.run(6.0)
    assert notices(at_client) == notices(at_server) == [(0.0002, True), (2.0, False), (4.0002, True)]


def asker(heard: Heard) -> Main:
    async def main(runtime: SimRuntime) -> None:
        async with runtime.connect("belt") as belt, runtime.tasks() as group:

            async def ask() -> None:
                while True:
                    await runtime.sleep(0.1)
                    belt.send(Inquire("belt"))

            group.start(ask())
            while True:
                incoming = await belt.inbox.receive()
                heard.append((runtime.now(), incoming))

    return main


def test_events_reach_everyone_who_is_connected_and_nobody_else() -> None:
    first: Heard = []
    second: Heard = []

    async def publishes(runtime: SimRuntime) -> None:
        async with runtime.serve("belt") as belt:
            for number in (1, 2, 3):
                await runtime.sleep(1.0)
                belt.publish(Event(number, "belt"))

    with Universe() as universe:
        universe.start("belt", publishes)
        universe.start("runner", client(first))
        universe.at(1.5, lambda: universe.start("display", client(second)))
        universe.run(5.0)
    assert messages(first) == [Event(1, "belt"), Event(2, "belt"), Event(3, "belt")]
    assert messages(second) == [Event(2, "belt"), Event(3, "belt")]


def test_one_name_is_served_once() -> None:
    async def serves(runtime: SimRuntime) -> None:
        async with runtime.serve("belt"):
            await runtime.event().wait()

    async def refused(runtime: SimRuntime) -> None:
        with pytest.raises(BusError, match="belt is served by first already"):
            async with runtime.serve("belt"):
                pass
        runtime.log.info("refused")

    with Universe() as universe:
        universe.start("first", serves)
        universe.start("second", refused)
        universe.run(1.0)
        assert len(universe.records) == 1


def test_a_second_connection_to_the_same_server_is_refused() -> None:
    async def connects_twice(runtime: SimRuntime) -> None:
        async with runtime.connect("belt"):
            with pytest.raises(BusError, match="runner is connected to belt already"):
                async with runtime.connect("belt"):
                    pass
        async with runtime.connect("belt"):
            runtime.log.info("again, after the first was closed")

    with Universe() as universe:
        universe.start("runner", connects_twice)
        universe.run(1.0)
        assert len(universe.records) == 1


def sends(message: Message) -> Main:
    async def main(runtime: SimRuntime) -> None:
        async with runtime.connect("belt") as belt:
            belt.send(message)

    return main


@pytest.mark.parametrize(
    ("body", "cause"),
    [({"what": object()}, "unsupported"), ({"text": "x" * MAX_MESSAGE_BYTES}, "larger than the allowed")],
    ids=["no message", "too large"],
)
def test_what_cannot_travel_fails_at_its_sender(body: dict[str, Any], cause: str) -> None:
    universe = Universe()
    universe.start("runner", sends(Request("1", "order", "who", body)))
    with pytest.raises(UnhandledError, match=cause):
        universe.run(1.0)
    universe.close()


def test_a_receiver_gets_a_message_of_its_own() -> None:
    at_client: Heard = []
    body: dict[str, Any] = {"parts": [1, 2, 3]}
    with Universe() as universe:
        universe.start("belt", server([]))
        universe.start("runner", client(at_client, Reply("1", body)))
        universe.run(1.0)
    (reply,) = messages(at_client)
    assert isinstance(reply, Reply)
    assert reply.body == body
    assert reply.body is not body
