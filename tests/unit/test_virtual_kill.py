"""A kill is a power cut: nothing that the process would still have done happens, and the world does not notice more."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest

from cellctl.errors import DeadlineExceeded, StoreError, StoreLocked
from cellctl.messages import Event, Inquire, LeaseRequest
from cellctl.runtime import Incoming, RecordStore
from cellctl_sim.loop import Deadlock, UnhandledError
from cellctl_sim.runtime import SimRuntime
from cellctl_sim.universe import Main, Universe


def rows_of(universe: Universe, name: str) -> list[bytes]:
    return universe.disk(name).durable


async def idle(runtime: SimRuntime) -> None:
    await runtime.event().wait()


async def tries_everything_on_its_way_out(runtime: SimRuntime) -> None:
    async with (
        runtime.open_store("belt") as store,
        runtime.serve("belt") as server,
        runtime.connect("runner") as runner,
    ):
        try:
            await runtime.sleep(10.0)
        finally:
            runtime.log.error("finally")
            server.reply("runner", Inquire("reply"))
            server.publish(Event(1, "belt"))
            runner.send(Inquire("request"))
            await store.append([b"goodbye"])
            runtime.log.error("after finally")


async def listens(runtime: SimRuntime, heard: list[Incoming]) -> None:
    async with runtime.serve("runner") as server, runtime.connect("belt") as belt, runtime.tasks() as group:

        async def listen(receive: Callable[[], object]) -> None:
            while True:
                heard.append(await receive())  # type: ignore[misc]

        group.start(listen(server.requests.receive))
        group.start(listen(belt.inbox.receive))


@pytest.mark.parametrize("ended_by", ["kill", "the end of the world"])
def test_nothing_in_a_finally_block_of_a_dead_process_has_an_effect(ended_by: str) -> None:
    heard: list[Incoming] = []
    with Universe(keep_trace=True) as universe:
        universe.start("runner", lambda runtime: listens(runtime, heard))
        universe.start("belt", tries_everything_on_its_way_out)
        universe.run(1.0)
        if ended_by == "kill":
            universe.kill("belt")
            gc.collect()
            universe.run(60.0)
        happened = universe.trace.count
    gc.collect()
    assert [incoming for incoming in heard if incoming.message is not None] == []
    assert rows_of(universe, "belt") == []
    assert universe.records == []
    assert universe.trace.count == happened


def test_the_same_process_says_goodbye_when_it_is_not_killed() -> None:
    heard: list[Incoming] = []
    with Universe() as universe:
        universe.start("runner", lambda runtime: listens(runtime, heard))
        universe.start("belt", tries_everything_on_its_way_out)
        universe.run(60.0)
    said = [incoming.message for incoming in heard if incoming.message is not None]
    assert said == [Inquire("reply"), Event(1, "belt"), Inquire("request")]
    assert rows_of(universe, "belt") == [b"goodbye"]
    assert [record.event for record in universe.records] == ["finally", "after finally"]


def appends(rows: int, durable: list[int]) -> Main:
    async def main(runtime: SimRuntime) -> None:
        async with runtime.open_store("belt") as store:
            for number in range(rows):
                await store.append([str(number).encode()])
                durable.append(number)
            await idle(runtime)

    return main


def test_rows_that_were_durable_survive_a_kill_and_the_others_are_lost() -> None:
    durable: list[int] = []
    with Universe() as universe:
        universe.start("belt", appends(10, durable))
        universe.at(0.001, lambda: universe.kill("belt"))  # 300 us a row: in the midst of the fourth
        universe.run(1.0)
        assert durable == [0, 1, 2]
        assert rows_of(universe, "belt") == [b"0", b"1", b"2"]


def test_an_append_that_was_acknowledged_is_never_lost_wherever_the_kill_falls() -> None:
    seen = set()
    for step in range(60):
        durable: list[int] = []
        with Universe() as universe:
            universe.start("belt", appends(5, durable))
            universe.at_step(step, lambda: universe.kill("belt"))
            universe.run(1.0)
            rows = rows_of(universe, "belt")
            assert rows == [str(number).encode() for number in range(len(rows))]
            assert len(durable) <= len(rows) <= len(durable) + 1
            seen.add((len(durable), len(rows)))
    assert {(0, 0), (0, 1), (1, 1), (1, 2), (5, 5)} <= seen


def test_a_kill_loses_the_unsynced_rows_of_every_writer_of_the_process() -> None:
    async def main(runtime: SimRuntime) -> None:
        async with runtime.open_store("belt") as store, runtime.tasks() as group:
            for name in (b"a", b"b", b"c"):
                group.start(store.append([name]))
            await runtime.sleep(200e-6)
            group.start(store.append([b"d"]))

    with Universe() as universe:
        universe.start("belt", main)
        universe.at(350e-6, lambda: universe.kill("belt"))
        universe.run(1.0)
        assert rows_of(universe, "belt") == [b"a"]


def test_a_restarted_process_finds_what_its_former_life_made_durable_and_its_lock_free() -> None:
    found: list[list[bytes]] = []

    async def main(runtime: SimRuntime) -> None:
        async with runtime.open_store("belt") as store:
            found.append(list(store.replay()))
            await store.append([str(runtime.life.epoch).encode()])
            await idle(runtime)

    with Universe() as universe:
        universe.start("belt", main)
        for second in (1.0, 2.0, 3.0):
            universe.at(second, lambda: universe.restart("belt"))
        universe.run(5.0)
    assert found == [[], [b"1"], [b"1", b"2"], [b"1", b"2", b"3"]]


def test_a_process_that_was_killed_in_the_midst_of_an_append_can_append_again() -> None:
    durable: list[int] = []
    with Universe() as universe:
        universe.start("belt", appends(2, durable))
        universe.at(0.0001, lambda: universe.restart("belt"))
        universe.run(1.0)
        assert rows_of(universe, "belt") == [b"0", b"1"]


def test_two_processes_cannot_hold_one_store() -> None:
    async def second(runtime: SimRuntime) -> None:
        with pytest.raises(StoreLocked, match="held by first"):
            async with runtime.open_store("belt"):
                pass
        runtime.log.info("refused")

    async def first(runtime: SimRuntime) -> None:
        async with runtime.open_store("belt"):
            await runtime.sleep(1.0)

    with Universe() as universe:
        universe.start("first", first)
        universe.start("second", second)
        universe.run(2.0)
        assert [record.event for record in universe.records] == ["refused"]
        universe.start("first", first)
        universe.run(3.0)


def test_what_was_sent_before_the_kill_arrives() -> None:
    heard: list[Incoming] = []

    async def sends(runtime: SimRuntime) -> None:
        async with runtime.connect("runner") as runner:
            await runner.inbox.receive()
            runner.send(Inquire("last word"))
            await idle(runtime)

    with Universe() as universe:
        universe.start("runner", lambda runtime: listens(runtime, heard))
        universe.start("belt", sends)
        universe.at(0.0003, lambda: universe.kill("belt"))
        universe.run(0.01)
    assert Incoming("belt", Inquire("last word")) in heard


def test_a_message_to_a_process_that_dies_before_it_arrives_is_lost() -> None:
    heard: list[Incoming] = []

    async def sends(runtime: SimRuntime) -> None:
        async with runtime.connect("runner") as runner:
            await runner.inbox.receive()
            runner.send(Inquire("too late"))
            await idle(runtime)

    with Universe() as universe:
        universe.start("runner", lambda runtime: listens(runtime, heard))
        universe.start("belt", sends)
        universe.at(0.0003, lambda: universe.restart("runner"))
        universe.run(0.01)
    assert [incoming.alive for incoming in heard if incoming.peer == "belt"] == [True, True]
    assert all(incoming.message is None for incoming in heard)


def test_who_kills_itself_has_no_effect_from_then_on() -> None:
    async def main(runtime: SimRuntime) -> None:
        async with runtime.open_store("belt") as store, runtime.connect("runner") as runner:
            universe.kill("belt")
            runtime.log.info("after the kill")
            runner.send(Inquire("after the kill"))
            await store.append([b"after the kill"])

    with Universe(keep_trace=True) as universe:
        universe.start("belt", main)
        universe.run(1.0)
        assert [str(h.what) for h in universe.trace.happenings] == ["starts", "killed"]
        assert universe.records == []
        assert rows_of(universe, "belt") == []


def test_timers_and_callbacks_of_a_dead_process_never_run() -> None:
    ran: list[str] = []

    async def main(runtime: SimRuntime) -> None:
        async with runtime.tasks() as group:

            async def ticks() -> None:
                while True:
                    await runtime.sleep(0.1)
                    ran.append("tick")

            group.start(ticks())
            try:
                async with runtime.deadline(1.0):
                    await idle(runtime)
            except DeadlineExceeded:
                ran.append("deadline")

    with Universe() as universe:
        universe.start("belt", main)
        universe.at(0.55, lambda: universe.kill("belt"))
        universe.run(10.0)
    assert ran == ["tick"] * 5


def test_a_process_that_fails_ends_the_run_and_says_which_it_was() -> None:
    async def main(runtime: SimRuntime) -> None:
        await runtime.sleep(1.5)
        raise ValueError("broken")

    universe = Universe()
    universe.start("belt", main)
    with pytest.raises(UnhandledError, match=r"belt failed at 1.5 s: ValueError\('broken'\)"):
        universe.run(10.0)
    universe.close()


def test_a_broken_disk_refuses_what_is_under_way_and_all_that_follows() -> None:
    async def main(runtime: SimRuntime) -> None:
        async with runtime.open_store("belt") as store:
            await store.append([b"well"])
            for _ in range(2):
                with pytest.raises(StoreError, match="belt cannot be written: no space left"):
                    await _append_slowly(store)
            runtime.log.info("refused twice")

    async def _append_slowly(store: RecordStore) -> None:
        await store.append([b"lost"])

    with Universe() as universe:
        universe.start("belt", main)
        universe.at(0.0005, lambda: universe.disk("belt").fail("no space left"))
        universe.run(1.0)
        assert [record.event for record in universe.records] == ["refused twice"]
        assert rows_of(universe, "belt") == [b"well"]


def test_a_dead_process_is_no_part_of_a_deadlock_report() -> None:
    async def waits() -> None:
        await universe.loop.create_future()

    with Universe() as universe:
        universe.start("belt", idle)
        universe.start("arm", idle)
        universe.run(1.0)
        universe.kill("belt")
        with pytest.raises(Deadlock) as raised:
            universe.run_until_complete(waits())
        assert "arm: main waits in idle" in str(raised.value)
        assert "belt" not in str(raised.value)


def test_appends_that_come_while_a_sync_runs_share_the_next_one() -> None:
    ends: list[float] = []

    async def main(runtime: SimRuntime) -> None:
        async with runtime.open_store("belt") as store, runtime.tasks() as group:

            async def append(name: bytes) -> None:
                await store.append([name])
                ends.append(runtime.now())

            for name in (b"a", b"b", b"c", b"d"):
                group.start(append(name))

    with Universe() as universe:
        universe.start("belt", main)
        universe.run(1.0)
    assert ends == [0.0003, 0.0006, 0.0006, 0.0006]
    assert rows_of(universe, "belt") == [b"a", b"b", b"c", b"d"]


def test_the_lease_of_a_name_ends_with_the_life_that_held_it() -> None:
    async def serves(runtime: SimRuntime) -> None:
        async with runtime.serve("belt") as server:
            while True:
                incoming = await server.requests.receive()
                if isinstance(incoming.message, LeaseRequest):
                    runtime.log.info("asked", epoch=runtime.life.epoch)

    async def asks(runtime: SimRuntime) -> None:
        async with runtime.connect("belt") as belt:
            while True:
                await runtime.sleep(0.1)
                belt.send(LeaseRequest("belt", "runner"))

    with Universe() as universe:
        universe.start("belt", serves)
        universe.start("runner", asks)
        universe.at(0.25, lambda: universe.restart("belt"))
        universe.run(0.45)
        assert [record.fields["epoch"] for record in universe.records] == [1, 1, 2, 2]
