"""The hostile world bites: on the bus, on disks, on clocks, and on the power of the whole computer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cellctl.errors import DeadlineExceeded, StoreError
from cellctl.live.restarts import LONGEST_PAUSE
from cellctl.messages import Inquire, Message
from cellctl_sim.process_faults import ProcessFault, read_disturbances
from cellctl_sim.runtime import START, SimRuntime
from cellctl_sim.tail import commit_bytes, recovered, torn
from cellctl_sim.universe import Universe

COUNT = 400
Said = list[tuple[float, str]]


def strike(universe: Universe, **fault: object) -> None:
    ProcessFault.model_validate(fault).happen_in(universe)


# --- the bus ------------------------------------------------------------------------------------------------------


def exchange(*faults: dict[str, object], seed: int = 1) -> tuple[Said, Said]:
    """What the process `belt` hears of a runner that says something every 10 ms, and the runner of its echo."""
    heard: Said = []
    echoed: Said = []

    async def belt(runtime: SimRuntime) -> None:
        async with runtime.serve("belt") as server:
            while True:
                incoming = await server.requests.receive()
                heard.append((runtime.now(), word(incoming.message)))
                if incoming.message is not None:
                    server.reply("runner", incoming.message)

    async def runner(runtime: SimRuntime) -> None:
        async with runtime.connect("belt") as peer, runtime.tasks() as group:

            async def listen() -> None:
                while True:
                    incoming = await peer.inbox.receive()
                    echoed.append((runtime.now(), word(incoming.message)))

            group.start(listen())
            for number in range(COUNT):
                await runtime.sleep(0.01)
                peer.send(Inquire(str(number)))

    with Universe(seed) as universe:
        universe.start("belt", belt)
        universe.start("runner", runner)
        for fault in faults:
            strike(universe, **({"process": "belt", "for": 60.0} | fault))
        universe.run(30.0)
    return heard, echoed


def word(message: Message | None) -> str:
    return message.module if isinstance(message, Inquire) else "-"


def words(said: Said) -> list[str]:
    return [word for _, word in said if word != "-"]


ALL = [str(number) for number in range(COUNT)]


def test_without_faults_everything_comes_once_and_in_order() -> None:
    heard, echoed = exchange()
    assert words(heard) == words(echoed) == ALL


def test_a_lossy_wire_loses_its_share_both_ways() -> None:
    heard, echoed = exchange({"fault": "lossy", "value": 0.3})
    assert 0.6 < len(words(heard)) / COUNT < 0.8
    assert 0.4 < len(words(echoed)) / COUNT < 0.6
    assert words(heard) == [word for word in ALL if word in set(words(heard))]


def test_a_doubling_wire_brings_its_share_twice() -> None:
    heard, _ = exchange({"fault": "doubled", "value": 0.5})
    assert set(words(heard)) == set(ALL)
    assert 1.4 < len(words(heard)) / COUNT < 1.6


def test_a_late_wire_keeps_the_order_also_when_it_is_quick_again() -> None:
    heard, _ = exchange({"fault": "late", "value": 0.5, "at": 0.5, "for": 1.0})
    assert words(heard) == ALL
    late = [at - 0.01 * (int(word) + 1) for at, word in heard if word != "-"]
    assert max(late) > 0.4
    assert late[-1] < 0.001


def test_a_disordered_wire_lets_messages_overtake_each_other() -> None:
    heard, _ = exchange({"fault": "disordered", "value": 0.2})
    assert words(heard) != ALL
    assert sorted(words(heard), key=int) == ALL


@pytest.mark.parametrize(("fault", "at_belt", "at_runner"), [("deaf", False, False), ("mute", True, False)])
def test_one_way_the_wire_is_dead(fault: str, at_belt: bool, at_runner: bool) -> None:
    heard, echoed = exchange({"fault": fault, "at": 1.0, "for": 2.0})
    assert any(1.1 < at < 2.9 and word != "-" for at, word in heard) is at_belt
    assert any(1.1 < at < 2.9 and word != "-" for at, word in echoed) is at_runner
    assert words(heard)[-1] == words(echoed)[-1] == ALL[-1]
    silences = {"deaf": heard, "mute": echoed}[fault]
    assert [at for at, word in silences if word == "-" and at > 1.0] == pytest.approx([2.0, 3.0])


def test_the_weather_is_the_same_for_the_same_seed() -> None:
    fault = {"fault": "disordered", "value": 0.2}
    assert exchange(fault, seed=4) == exchange(fault, seed=4) != exchange(fault, seed=5)


# --- disks --------------------------------------------------------------------------------------------------------


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=5), st.floats(0.0, 1.0))
def test_of_a_torn_commit_all_is_there_or_nothing(rows: list[bytes], share: float) -> None:
    commit = commit_bytes(rows)
    tail = torn(commit, share)
    assert recovered(tail) == (tuple(rows) if tail == commit else ())


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=5), st.data())
def test_a_bit_that_flipped_on_the_medium_makes_a_commit_void(rows: list[bytes], data: st.DataObject) -> None:
    commit = bytearray(commit_bytes(rows))
    commit[data.draw(st.integers(0, len(commit) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert recovered(bytes(commit)) == ()


def writes(seen: list[list[bytes]], rows: int = 1) -> Callable[[SimRuntime], object]:
    async def main(runtime: SimRuntime) -> None:
        async with runtime.open_store("belt") as store:
            seen.append(list(store.replay()))
            number = len(seen[-1])
            while True:
                await store.append([f"{number}.{row}".encode() for row in range(rows)])
                number += 1
                await runtime.sleep(0.1)

    return main


@pytest.mark.parametrize(("share", "is_there"), [(0.0, False), (0.5, False), (0.9, False), (1.0, True)])
def test_a_kill_in_the_midst_of_a_sync_leaves_a_torn_commit_or_a_whole_one(
    share: float, is_there: bool
) -> None:
    seen: list[list[bytes]] = []
    with Universe() as universe:
        strike(universe, process="belt", fault="torn_disk", value=share, **{"for": 60.0})
        universe.start("belt", writes(seen, rows=3))  # type: ignore[arg-type]
        universe.at(0.00015, lambda: universe.kill("belt"))  # half-way through the first sync
        universe.at(1.0, lambda: universe.restart("belt"))
        universe.run(1.5)
    assert seen[1] == ([b"0.0", b"0.1", b"0.2"] if is_there else [])


def test_a_full_disk_ends_its_process_until_there_is_room_again() -> None:
    seen: list[list[bytes]] = []
    with Universe(keep_trace=True) as universe:
        strike(universe, process="belt", fault="full_disk", at=1.0, **{"for": 7.0})
        universe.start("belt", writes(seen))  # type: ignore[arg-type]
        universe.run(20.0)
        started = [h.time / 1e9 for h in universe.trace.happenings if h.who == "belt" and h.what == "starts"]
    assert 1.0 + LONGEST_PAUSE < started[1] < 1.2 + LONGEST_PAUSE  # and finds it full still
    assert started[2] == pytest.approx(started[1] + LONGEST_PAUSE)
    assert len(seen) == 2  # the second start could not open it
    assert len(seen[1]) == pytest.approx(10, abs=1)


def test_a_failed_sync_ends_the_store_and_loses_what_was_under_way() -> None:
    seen: list[list[bytes]] = []
    with Universe() as universe:
        strike(universe, process="belt", fault="failed_sync", at=1.0, **{"for": 1.0})
        universe.start("belt", writes(seen))  # type: ignore[arg-type]
        universe.run(8.0)
        assert len(universe.disk("belt").durable) == pytest.approx(10 + 20, abs=3)
    assert len(seen) == 2


def test_a_disk_that_fails_for_good_still_ends_the_run() -> None:
    with Universe() as universe:
        universe.start("belt", writes([]))  # type: ignore[arg-type]
        universe.at(1.0, lambda: universe.disk("belt").fail("a head crashed"))
        with pytest.raises(Exception, match="a head crashed"):
            universe.run(8.0)


def test_a_slow_disk_takes_its_time() -> None:
    took: list[float] = []

    async def main(runtime: SimRuntime) -> None:
        async with runtime.open_store("belt") as store:
            for _ in range(2):
                began = runtime.now()
                await store.append([b"row"])
                took.append(runtime.now() - began)
                await runtime.sleep(2.0)

    with Universe() as universe:
        strike(universe, process="belt", fault="slow_disk", value="0.7 s", at=1.0, **{"for": 5.0})
        universe.start("belt", main)
        universe.run(10.0)
    assert took == pytest.approx([0.0003, 0.7])


def test_nothing_is_archived_on_a_full_disk() -> None:
    refused: list[str] = []

    async def main(runtime: SimRuntime) -> None:
        async with runtime.open_store("belt") as store:
            await store.append([b"row"])
            await runtime.sleep(1.0)
            for work in (store.append([b"more"]), store.archive(1)):
                try:
                    await work
                except StoreError as error:
                    refused.append(str(error))

    with Universe() as universe:
        strike(universe, process="belt", fault="full_disk", at=0.5, **{"for": 5.0})
        universe.start("belt", main)
        universe.run(2.0)
    assert len(refused) == 2
    assert all("the disk is full" in text for text in refused)


# --- clocks -------------------------------------------------------------------------------------------------------


def test_a_fast_clock_shortens_every_wait_and_shows_more_time() -> None:
    shown: list[tuple[float, float]] = []

    async def main(runtime: SimRuntime) -> None:
        for _ in range(2):
            await runtime.sleep(1.0)
            shown.append((universe.now, runtime.now()))
        with pytest.raises(DeadlineExceeded):
            async with runtime.deadline(1.0):
                await runtime.event().wait()
        shown.append((universe.now, runtime.now()))

    with Universe() as universe:
        strike(universe, process="belt", fault="drift", value=0.25, at=1.0, **{"for": 60.0})
        universe.start("belt", main)
        universe.run(10.0)
    assert shown == [pytest.approx((1.0, 1.0)), pytest.approx((1.8, 2.0)), pytest.approx((2.6, 3.0))]


def test_a_clock_that_is_set_goes_on_counting_but_shows_another_time_of_day_also_after_a_restart() -> None:
    shown: list[tuple[float, float]] = []

    async def main(runtime: SimRuntime) -> None:
        await runtime.sleep(1.0)
        shown.append((runtime.now(), runtime.utc() - START))

    with Universe() as universe:
        strike(universe, process="belt", fault="jump", value=-30.0, at=2.0)
        universe.start("belt", main)
        universe.at(5.0, lambda: universe.restart("belt"))
        universe.run(10.0)
    assert shown == [(1.0, pytest.approx(1.0)), (6.0, pytest.approx(-24.0))]


# --- the power ----------------------------------------------------------------------------------------------------


def test_when_the_power_fails_every_process_dies_at_one_instant_but_people_do_not() -> None:
    async def idle(runtime: SimRuntime) -> None:
        await runtime.event().wait()

    with Universe(keep_trace=True) as universe:
        for name in ("belt", "runner", "operator"):
            universe.start(name, idle)
        strike(universe, process="all", fault="kill", at=1.0, **{"for": 2.0})
        universe.run(10.0)
        told = [(h.time / 1e9, h.who, h.what) for h in universe.trace.happenings if h.time]
    assert told == [
        (1.0, "belt", "killed"),
        (1.0, "runner", "killed"),
        (3.0, "belt", "starts"),
        (3.0, "runner", "starts"),
    ]


# --- as data ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"fault": "lossy"}, "needs a value"),
        ({"fault": "lossy", "value": 1.5}, "between 0 and 1"),
        ({"fault": "late", "value": -1.0}, "between 0 and"),
        ({"fault": "drift", "value": 2.0}, "between -0.5 and 0.5"),
        ({"fault": "kill", "value": 1.0}, "takes no value"),
        ({"fault": "killed"}, "full_disk"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_with_the_reason(fault: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        read_disturbances([{"process": "belt", **fault}])
