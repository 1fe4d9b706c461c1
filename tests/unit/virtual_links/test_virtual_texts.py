"""In-memory links onto a device that speaks in texts: there, back, lost, made again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from links_bench import (
    TALKER,
    Talker,
    run,
    world,
)

from cellctl.errors import (
    DeviceSilent,
)
from cellctl.runtime import Texts
from cellctl_sim.runtime import SimRuntime
from cellctl_sim.universe import Main


def with_texts(work: Callable[[SimRuntime, Texts], object]) -> Main:
    async def main(runtime: SimRuntime) -> None:
        async with runtime.open_link(TALKER, Texts) as link:
            await runtime.sleep(0.009)
            await work(runtime, link)  # type: ignore[misc]

    return main


def test_texts_go_there_and_back() -> None:
    async def work(runtime: SimRuntime, link: Texts) -> None:
        await link.send("hello")
        await link.send("world")
        runtime.log.info(await link.receive())
        runtime.log.info(await link.receive())

    assert run(world(), with_texts(work)) == ["0.112000 HELLO", "0.112000 WORLD"]


def test_a_lost_connection_is_told_once_and_made_again() -> None:
    async def work(runtime: SimRuntime, link: Texts) -> None:
        with pytest.raises(DeviceSilent, match="connection was lost"):
            await link.receive()
        runtime.log.info("lost")
        with pytest.raises(DeviceSilent, match="it is not connected"):
            await link.send("in vain")
        await runtime.sleep(5.0)
        await link.send("again")
        runtime.log.info(await link.receive())

    talker = Talker(cuts=(2.0,), refuses=(2.0, 4.0))
    assert run(world(talker=talker), with_texts(work)) == ["2.001000 lost", "7.103000 AGAIN"]
    assert [text for _, text in talker.heard] == ["again"]


def test_a_killed_process_closes_its_connection_behind_what_it_had_sent() -> None:
    async def work(runtime: SimRuntime, link: Texts) -> None:
        try:
            await link.send("on its way")
            await runtime.sleep(1.0)
        finally:
            await link.send("never")

    talker = Talker()
    universe = world(talker=talker)
    universe.at(0.0105, lambda: universe.kill("node0"))
    run(universe, with_texts(work))
    assert talker.heard == [(0.011, "on its way")]
    assert talker.closed == [0.0115]
