"""A module that finds parts by itself: it says so until somebody has noted it, and only while it executes."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel

from cellctl.errors import PlugInError
from cellctl.journal import Found, HandedOn, Left, LeftKnown
from cellctl.line.model import Module, Station
from cellctl.messages import Announced, Command, Noted, Withdrawn
from cellctl.modules.shell import make_kind
from cellctl.packml import State, StateCommand
from cellctl.skill import KindDeclaration


class Options(BaseModel):
    """None."""


class Idle:
    """A kind that does nothing."""

    def __init__(self, module: Module, line: Any, rack: Any) -> None:
        self.module, self.rack = module, rack

    def check(self, command: Command) -> None: ...

    async def prepare(self, act: Any) -> None: ...

    async def idle(self, act: Any) -> None: ...

    async def halt(self) -> None: ...

    async def occupied(self) -> dict[str, bool | None]:
        return {}

    async def faults(self) -> list[Any]:
        return []


class Finder(Idle):
    """Finds a part every second, and shows each again until it is confirmed, as a camera does."""

    seen = 1  # in the world, which outlives the process
    looks: list[float] = []  # noqa: RUF012
    confirms = True

    async def watch(self, announce: Any) -> None:
        while True:
            await self.rack.runtime.sleep(1.0)
            Finder.looks.append(self.rack.runtime.now())
            await announce("cam.window", given={"pick.x": float(Finder.seen)}, mark=str(Finder.seen))
            if Finder.confirms:
                Finder.seen += 1


class Passing(Finder):
    """A finder whose parts pass by: when told, it says that one has left."""

    passed = ""

    async def watch(self, announce: Any) -> None:
        await announce("cam.window", mark="1")
        await announce("cam.window", mark="2")
        while True:
            await self.rack.runtime.sleep(0.5)
            if Passing.passed:
                await announce.withdraw("cam.window", Passing.passed)
                Passing.passed = ""


class Lost(Idle):
    """Finds a part where it has no business."""

    async def watch(self, announce: Any) -> None:
        await announce("belt.load")


DECLARED = KindDeclaration("finder", "", f"{__name__}:Finder", (), {}, Options, announces=True)
NEVER = Command(1, "cam", 0, 1, "nothing")


@pytest.fixture(autouse=True)
def a_new_world() -> None:
    Finder.seen, Finder.looks, Finder.confirms, Passing.passed = 1, [], True, ""


def a_finder(bench: ModuleType, kind: str = "Finder") -> Any:
    stations = (Station("cam.window", "cam", capacity=8),)
    declared = replace(DECLARED, code=f"{__name__}:{kind}")
    return bench.build((bench.module("cam", declared, Options(), {}, stations=stations), {}))


def heard(client: Any) -> list[int]:
    return [message.number for message in client.heard if isinstance(message, Announced)]


def records(run: Any, kind: type) -> list[Any]:
    return [record for record in run.records() if isinstance(record, kind)]


def test_a_part_is_announced_again_and_again_until_it_is_noted(bench: ModuleType) -> None:
    client = bench.Client([NEVER])
    with bench.Run(a_finder(bench), client) as run:
        run.until(lambda: len(heard(client)) > 5)
        (first,) = set(heard(client))
        client.send(Noted("cam", first))
        run.until(lambda: heard(client)[-1] != first)
        second = heard(client)[-1]
        client.send(Noted("cam", second))
        run.until(lambda: heard(client)[-1] != second)
        assert heard(client) == sorted(heard(client))
        assert [record.number for record in records(run, HandedOn)] == [first, second]


def test_a_restart_announces_what_is_not_noted_and_gives_no_number_twice(bench: ModuleType) -> None:
    client = bench.Client([NEVER])
    with bench.Run(a_finder(bench), client) as run:
        run.until(lambda: bool(heard(client)))
        first = heard(client)[0]
        client.send(Noted("cam", first))
        run.until(lambda: heard(client)[-1] != first)
        second = heard(client)[-1]
        run.restart()
        client.heard.clear()
        run.until(lambda: bool(heard(client)))
        assert heard(client)[0] == second
        run.until(lambda: len(records(run, Found)) > 5)
        found = [record.announced.number for record in records(run, Found)]
        assert found == sorted(set(found))


def test_what_the_device_shows_again_is_the_same_part(bench: ModuleType) -> None:
    Finder.confirms = False
    client = bench.Client([NEVER])
    with bench.Run(a_finder(bench), client) as run:
        run.until(lambda: len(Finder.looks) > 3)
        run.restart()
        run.until(lambda: len(Finder.looks) > 6)
        client.send(Noted("cam", heard(client)[0]))
        run.pause(3.0)
        assert len(records(run, Found)) == 1


def test_it_looks_out_only_while_it_executes(bench: ModuleType) -> None:
    client = bench.Client([NEVER])
    with bench.Run(a_finder(bench), client) as run:
        run.until(lambda: len(Finder.looks) > 1)
        client.instruct(StateCommand.HOLD)
        run.until_state(State.HELD)
        looks = len(Finder.looks)
        run.pause(5.0)
        assert len(Finder.looks) == looks
        client.instruct(StateCommand.UNHOLD)
        run.until(lambda: len(Finder.looks) > looks + 1)


def withdrawn(client: Any) -> list[int]:
    return [message.number for message in client.heard if isinstance(message, Withdrawn)]


def test_a_part_that_left_before_anybody_took_it_is_announced_no_more(bench: ModuleType) -> None:
    client = bench.Client([NEVER])
    with bench.Run(a_finder(bench, "Passing"), client) as run:
        run.until(lambda: bool(heard(client)))
        first = heard(client)[0]
        Passing.passed = "1"
        run.until(lambda: len(withdrawn(client)) > 2)
        assert set(heard(client)) == {first} == set(withdrawn(client))
        client.send(
            Noted("cam", first)
        )  # it was taken on meanwhile: that it left is to be known all the same
        run.pause(2.0)
        assert withdrawn(client)[-1] == first
        client.send(Noted("cam", first, withdrawn=True))
        run.until(lambda: heard(client)[-1] != first)
        assert (len(records(run, Left)), len(records(run, LeftKnown))) == (1, 1)


@pytest.mark.parametrize("restarted", [False, True])
def test_a_part_that_was_taken_on_and_leaves_is_told_before_what_waits(
    bench: ModuleType, restarted: bool
) -> None:
    client = bench.Client([NEVER])
    with bench.Run(a_finder(bench, "Passing"), client) as run:
        run.until(lambda: bool(heard(client)))
        first = heard(client)[0]
        client.send(Noted("cam", first))
        run.until(lambda: heard(client)[-1] != first)
        if restarted:
            run.restart()
            run.until_state(State.EXECUTE)
        Passing.passed = "1"
        run.until(lambda: withdrawn(client) == [first])
        client.heard.clear()
        run.pause(3.0)
        assert set(withdrawn(client)) == {first}
        assert heard(client) == []
        Passing.passed = "no such mark"
        client.send(Noted("cam", first, withdrawn=True))
        run.until(lambda: bool(heard(client)))
        assert len(records(run, Left)) == 1


def test_nobody_but_the_lease_holder_notes_a_part(bench: ModuleType) -> None:
    client = bench.Client([NEVER])
    with bench.Run(a_finder(bench), client) as run:
        run.until(lambda: bool(heard(client)))
        number = heard(client)[0]

        async def stranger(runtime: Any) -> None:
            async with runtime.connect("cell") as peer:
                await runtime.sleep(0.5)
                peer.send(Noted("cam", number))
                await runtime.sleep(100.0)

        run.universe.start("stranger", stranger)
        run.pause(3.0)
        assert records(run, HandedOn) == []


def test_a_part_found_at_a_place_of_others_aborts_the_module_with_an_alarm(bench: ModuleType) -> None:
    client = bench.Client([NEVER], clears=False)
    with bench.Run(a_finder(bench, "Lost"), client) as run:
        run.until_state(State.ABORTED)
        view = run.inquire()
        assert [alarm.code for alarm in view.alarms] == ["M011"]
        assert "belt.load" in view.alarms[0].text
        assert records(run, Found) == []


def test_a_kind_that_declares_that_it_announces_must_have_watch(bench: ModuleType) -> None:
    line = a_finder(bench, "Idle").line
    with pytest.raises(PlugInError, match="has no `watch`"):
        make_kind(line.module("cam"), line, None)
