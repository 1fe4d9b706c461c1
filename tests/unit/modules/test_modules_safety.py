"""A safety input that is off stops its members and keeps them stopped; one that cannot be read is off."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest

from cellctl.line.model import SafetyInput
from cellctl.messages import Accepted, Instruct, Refusal
from cellctl.packml import State, StateCommand


def guarded_belt(bench: ModuleType) -> object:
    belt = bench.a_belt()
    belt.world.inputs[5] = True
    return bench.Bench(replace(belt.line, safety=(SafetyInput("door", "io1.di5", ("belt",)),)), belt.world)


def begin(run: object, client: object) -> None:
    run.until(lambda: any(isinstance(m, Accepted) for m in client.heard))


def guards(client: object) -> list[str]:
    return [alarm.source for alarm in client.view.alarms if alarm.code == "M020"]


def test_a_module_is_not_cleared_while_its_guard_is_open(bench: ModuleType) -> None:
    built, client = guarded_belt(bench), bench.Client([bench.ADVANCE], clears=False)
    with bench.Run(built, client) as run:
        begin(run, client)
        built.world.inputs[5] = False
        run.until_state(State.ABORTED)
        client.instruct(StateCommand.CLEAR)
        run.pause(0.5)
        assert client.view.state is State.ABORTED
        assert any(isinstance(m, Refusal) and "door" in m.why for m in client.heard)
        built.world.inputs[5] = True
        run.until(lambda: not guards(client))
        client.instruct(StateCommand.CLEAR)
        run.until_done()


def test_a_safety_input_that_cannot_be_read_counts_as_open(bench: ModuleType) -> None:
    built, client = guarded_belt(bench), bench.Client([bench.ADVANCE], clears=False)
    with bench.Run(built, client) as run:
        begin(run, client)
        built.world.silent.add("io1")
        run.until_state(State.ABORTED)
        assert guards(client) == ["door"]
        built.world.silent.clear()
        run.until(lambda: not guards(client))
        assert client.view.state is State.ABORTED


def test_a_guard_that_is_open_at_power_up_lets_nothing_begin(bench: ModuleType) -> None:
    built, client = guarded_belt(bench), bench.Client([bench.ADVANCE], clears=False)
    built.world.inputs[5] = False
    with bench.Run(built, client) as run:
        run.pause(5.0)
        assert client.view.state is State.ABORTED
        assert State.EXECUTE not in run.states()


@pytest.mark.parametrize("restarts", [False, True])
def test_a_module_remembers_that_safety_aborted_it_also_on_top_of_a_fault(
    bench: ModuleType, restarts: bool
) -> None:
    built, client = bench.a_belt(), bench.Client([bench.ADVANCE], clears=False)
    with bench.Run(built, client) as run:
        begin(run, client)
        client.send(Instruct("belt", "anna", StateCommand.ABORT))
        run.until_state(State.ABORTED)
        assert run.inquire().entered_by == "anna"
        client.send(Instruct("belt", "safety", StateCommand.ABORT))
        run.pause(0.5)
        if restarts:
            run.restart()
            run.pause(1.0)
        view = run.inquire()
        assert (view.state, view.entered_by) == (State.ABORTED, "safety")
