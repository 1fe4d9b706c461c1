"""The client of the runner, over real sockets, against a runner that is scripted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cellctl.errors import BusError, PeerSilent, Refused
from cellctl.live import curve
from cellctl.live import deployment as deployments
from cellctl.live.bring_up import free_addresses
from cellctl.live.bus import Bus
from cellctl.live.client import KEY, Client, LastWarning, connect, user_name
from cellctl.live.deployment import Deployment
from cellctl.live.process_table import supervising
from cellctl.messages import Message, Reply, Request

Answer = Callable[[Request], Message | None]


def deployment(state: Path, keys: str = "") -> Deployment:
    """A line of nothing but a runner."""
    return Deployment(
        line="puck.yaml", digest="x", state=str(state), processes=free_addresses(["runner"]), keys=keys
    )


@asynccontextmanager
async def runner(line: Deployment, answer: Answer) -> AsyncIterator[list[Request]]:
    """A runner that answers as told; what it was asked."""
    asked: list[Request] = []
    bus = Bus("runner", LastWarning(), Path(line.keys) if line.keys else None)
    async with bus.serve(line.process("runner")) as server:

        async def attend() -> None:
            while True:
                incoming = await server.requests.receive()
                if isinstance(incoming.message, Request):
                    asked.append(incoming.message)
                    reply = answer(incoming.message)
                    if reply is not None:
                        server.reply(incoming.peer, reply)

        task = asyncio.create_task(attend())
        try:
            yield asked
        finally:
            task.cancel()
    bus.close()


def echo(request: Request) -> Reply:
    return Reply(request.id, {"verb": request.verb, **request.body})


def test_a_request_carries_who_asks_and_gets_its_own_reply(tmp_path: Path) -> None:
    line = deployment(tmp_path)

    async def main() -> None:
        async with runner(line, echo) as asked, connect(line) as session:
            assert await session.call("status") == {"verb": "status"}
            assert await session.call("mode", {"module": "arm"}) == {"verb": "mode", "module": "arm"}
            assert {request.who for request in asked} == {user_name()}

    with supervising(tmp_path):
        asyncio.run(main())


def test_several_clients_of_one_user_get_each_their_own_replies(tmp_path: Path) -> None:
    line = deployment(tmp_path)

    async def ask(number: int) -> Any:
        async with connect(line) as session:
            return [(await session.call("x", {"n": number, "i": i}))["n"] for i in range(20)]

    async def main() -> list[Any]:
        async with runner(line, echo):
            return await asyncio.gather(*(ask(number) for number in range(5)))

    with supervising(tmp_path):
        assert asyncio.run(main()) == [[number] * 20 for number in range(5)]


def test_a_refusal_is_raised_with_the_runners_words(tmp_path: Path) -> None:
    line = deployment(tmp_path)

    async def main() -> None:
        async with runner(line, lambda request: Reply(request.id, error="not now")), connect(line) as session:
            with pytest.raises(Refused, match="not now"):
                await session.call("hold")

    with supervising(tmp_path):
        asyncio.run(main())


def test_a_request_without_an_answer_is_sent_once_and_its_fate_is_said_to_be_open(tmp_path: Path) -> None:
    line = deployment(tmp_path)

    async def main() -> int:
        async with runner(line, lambda request: None) as asked, connect(line) as session:
            await session.reach(5)
            with pytest.raises(PeerSilent, match="may have been done all the same"):
                await session.call("load", patience=0.5)
            return len(asked)

    with supervising(tmp_path):
        assert asyncio.run(main()) == 1


def test_an_answer_to_an_earlier_request_is_not_taken_for_the_next(tmp_path: Path) -> None:
    line = deployment(tmp_path)
    late: list[Reply] = []

    def answer(request: Request) -> Reply | None:
        late.append(echo(request))
        return None if len(late) == 1 else late[-2]  # always the one before

    async def main() -> None:
        async with runner(line, answer), connect(line) as session:
            await session.reach(5)
            for _ in range(2):
                with pytest.raises(PeerSilent):
                    await session.call("x", patience=0.3)

    with supervising(tmp_path):
        asyncio.run(main())


def test_a_runner_that_dies_while_it_is_asked_is_noticed_before_the_patience_ends(tmp_path: Path) -> None:
    line = deployment(tmp_path)

    async def main() -> float:
        async with connect(line) as session:
            async with runner(line, lambda request: None):
                await session.reach(5)
                call = asyncio.create_task(session.call("x", patience=60))
                await asyncio.sleep(0.1)
            began = asyncio.get_running_loop().time()
            with pytest.raises(PeerSilent, match="fell silent before it answered"):
                await call
            return asyncio.get_running_loop().time() - began

    with supervising(tmp_path):
        assert asyncio.run(main()) < 10


def test_a_line_that_is_down_is_said_to_be_so_within_about_a_second(tmp_path: Path) -> None:
    deployments.save(deployment(tmp_path))
    with Client(tmp_path) as client, pytest.raises(PeerSilent, match="the line is down"):
        client.call("status")


def test_a_client_whose_key_is_not_trusted_learns_that_and_not_only_a_silence(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    for name in ("runner", KEY):
        curve.make_keys(keys, name)
    curve.trust(keys, keys / "runner.public")
    line = deployment(tmp_path, str(keys))

    async def main() -> None:
        async with runner(line, echo), connect(line) as session:
            with pytest.raises(PeerSilent, match="does not trust our key"):
                await session.call("status", patience=1.0)

    with supervising(tmp_path):
        asyncio.run(main())


def test_a_client_with_a_trusted_key_is_served(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    for name in ("runner", KEY):
        curve.make_keys(keys, name)
        curve.trust(keys, keys / f"{name}.public")
    line = deployment(tmp_path, str(keys))

    async def main() -> None:
        async with runner(line, echo), connect(line) as session:
            assert await session.call("status") == {"verb": "status"}

    with supervising(tmp_path):
        asyncio.run(main())


def test_a_client_without_a_key_is_told_how_to_make_one(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    deployments.save(deployment(tmp_path, str(tmp_path / "keys")))
    with pytest.raises(BusError, match=f"cellctl keys make {KEY}"), Client(tmp_path):
        pass
