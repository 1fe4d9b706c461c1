"""Parts on a moving belt in virtual time: each that the camera sees is taken once, whoever is killed and when."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cellctl.flow.events import PartBorn
from cellctl.journal import Found, HandedOn, module_journal
from cellctl.line.model import Line
from cellctl.modules.announcements import Announcements
from cellctl_sim.evidence import Rows
from cellctl_sim.plant.faults import Fault
from cellctl_sim.process_faults import ProcessFault, read_faults
from cellctl_sim.runtime import START
from cellctl_sim.simulation import Order, Result, simulate
from cellctl_sim.universe import Universe

CELL = Path(__file__).parent / "moving-belt"

Faults = Sequence[Fault | ProcessFault]
Run = Callable[..., Result]


def run(line: Line, quantity: int, seed: int, faults: Faults = (), **more: Any) -> Result:
    text = (CELL / "recipe.yaml").read_text()
    return simulate(
        line, [Order("1", text, "recipe.yaml", "", quantity)], seed, until=600, faults=faults, **more
    )


def kill_at(step: int, process: str, away: float) -> Callable[[Universe], None]:
    def kill(universe: Universe) -> None:
        universe.kill(process)
        universe.at(universe.now + away, lambda: universe.restart(process))

    return lambda universe: universe.at_step(step, lambda: kill(universe))


def slowly(universe: Universe) -> None:
    """Devices, disks and bus that take their time: whatever is between two of them is easily hit."""
    universe.links.latency, universe.bus.latency = 0.1, 0.1
    universe.disk("picker").sync = 0.1


def wrong(result: Result, quantity: int) -> list[str]:
    """What of "each announced part is taken once, and none is lost" does not hold."""
    births = [event for event in result.events if isinstance(event, PartBorn)]
    records = list(module_journal(Rows(result.journals["picker"]), "picker").replay())
    found = [record.announced.number for record in records if isinstance(record, Found)]
    handed_on = [record.number for record in records if isinstance(record, HandedOn)]
    first = [item["place"] for item in result.items][:quantity]
    expected = found[:quantity]
    held = {
        "the order is not complete": result.complete,
        "a part was born twice, or not": [birth.announcement for birth in births] == expected,
        "two parts are one": len({birth.given["pick.x"] for birth in births}) == len(births),
        "a number was given twice": found == sorted(set(found)),
        "what was handed on is not what was taken": handed_on == expected,
        "the first that came are not those that were made": first == ["arm.out"] * quantity,
        "picked is not made": result.counters.get("picker.controller.picked") == quantity,
        "something happened that never should": not result.incidents,
    }
    return [what for what, holds in held.items() if not holds]


def test_the_moving_belt_cell_makes_parts_in_virtual_time(moving_belt: Line) -> None:
    result = run(moving_belt, 5, seed=1)
    assert wrong(result, 5) == []
    assert result.report.parts_made == 5


def test_the_same_seed_gives_the_same_trace(moving_belt: Line) -> None:
    assert run(moving_belt, 2, seed=3).trace == run(moving_belt, 2, seed=3).trace


@pytest.mark.parametrize("process", ["picker", "runner"])
def test_a_kill_between_any_two_steps_loses_no_part_and_takes_none_twice(
    moving_belt: Line, process: str
) -> None:
    steps = run(moving_belt, 2, seed=5).steps
    every = max(steps // 25, 1)
    for step in range(10, steps, every):
        result = run(moving_belt, 2, seed=5, stage=kill_at(step, process, away=0.3))
        assert wrong(result, 2) == [], f"killed at step {step} of {steps}"


def swarm(seed: int) -> list[ProcessFault]:
    """Up to six kills and cuts at random instants."""
    rng = Random(seed)
    return read_faults(  # type: ignore[return-value]
        {
            "at": round(rng.uniform(0.0, 25.0), 6),
            "process": rng.choice(["picker", "runner", "picker", "runner", "arm"]),
            "fault": rng.choice(["kill", "kill", "kill", "cut"]),
            "for": round(rng.uniform(0.05, 4.0), 6),
        }
        for _ in range(rng.randint(1, 6))
    )


def apart(faults: Sequence[ProcessFault]) -> list[ProcessFault]:
    """Without those that begin while another of the same process lasts."""
    kept: list[ProcessFault] = []
    for fault in sorted(faults, key=lambda fault: fault.at):
        if all(other.process != fault.process or other.at + other.lasts < fault.at for other in kept):
            kept.append(fault)
    return kept


@pytest.mark.parametrize("seed", range(15))
def test_kills_and_cuts_at_random_instants_lose_no_part_and_take_none_twice(
    moving_belt: Line, seed: int
) -> None:
    faults = apart(swarm(seed))
    assert wrong(run(moving_belt, 4, seed, faults), 4) == [], faults


def test_a_camera_out_of_reach_stops_nothing_that_is_on_the_way(moving_belt: Line) -> None:
    faults = read_faults([{"at": "8 s", "device": "picker.camera", "fault": "silent", "for": "4 s"}])
    assert wrong(run(moving_belt, 4, seed=2, faults=faults), 4) == []


def test_journals_that_begin_again_keep_what_was_announced(moving_belt: Line) -> None:
    faults = read_faults([{"at": f"{at} s", "process": "picker", "fault": "kill"} for at in (7, 12, 19)])
    result = run(moving_belt, 4, seed=4, faults=faults, longest_journal=20)
    births = [event for event in result.events if isinstance(event, PartBorn)]
    assert result.complete
    assert result.counters.get("picker.controller.picked") == 4
    assert len({birth.given["pick.x"] for birth in births}) == len(births) == 4


# --- each of these can fail ---------------------------------------------------------------------------------------


def forgets_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Announcements, "_is_on_record", lambda self, found: False)


def forgets_what_was_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    async def noted(self: Announcements, peer: str, message: Any) -> None:
        self._context.ledger.found.pop(message.number, None)

    monkeypatch.setattr(Announcements, "noted", noted)


def says_it_before_it_is_durable(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Announcements.__call__

    async def call(self: Announcements, *args: Any, **named: Any) -> None:
        self._context.work(lambda: honest(self, *args, **named), "announces later")

    monkeypatch.setattr(Announcements, "__call__", call)


def tells_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told: set[tuple[int, int]] = set()
    honest = Announcements._tell

    def tell(self: Announcements) -> None:
        numbers = (id(self), next(iter(self._context.ledger.found), 0))
        if numbers not in told:
            told.add(numbers)
            honest(self)

    monkeypatch.setattr(Announcements, "_tell", tell)


def first_birth(line: Line) -> float:
    """When the runner took the first part on, in a run without kills [s]."""
    honest = run(line, 1, seed=5, stage=slowly)
    return next(event.at for event in honest.events if isinstance(event, PartBorn)) - START


def losses_about(born: float, line: Line) -> Iterator[tuple[str, Result]]:
    """Runs with one loss each, at many instants from the sighting of that part to after the runner noted it: a process
    killed, or a camera that does not hear what it is told."""
    losses = (
        {"process": "picker", "fault": "kill", "for": 0.3},
        {"process": "runner", "fault": "kill", "for": 0.3},
        {"device": "picker.camera", "fault": "silent", "for": 1.5},
    )
    for twentieths, loss in itertools.product(range(-10, 12), losses):
        at = round(born + 0.05 * twentieths + 0.001, 6)
        faults = read_faults([{"at": at, **loss}])
        yield f"{loss} at {at} s", run(line, 2, seed=5, faults=faults, stage=slowly)


def test_a_loss_about_a_sighting_loses_no_part_and_takes_none_twice(moving_belt: Line) -> None:
    for what, result in losses_about(first_birth(moving_belt), moving_belt):
        assert wrong(result, 2) == [], what


@pytest.mark.parametrize(
    "mutant", [forgets_marks, forgets_what_was_noted, says_it_before_it_is_durable, tells_only_once]
)
def test_a_planted_mistake_is_found(
    moving_belt: Line, monkeypatch: pytest.MonkeyPatch, mutant: Callable[[pytest.MonkeyPatch], None]
) -> None:
    born = first_birth(moving_belt)
    mutant(monkeypatch)
    assert any(wrong(result, 2) for _, result in losses_about(born, moving_belt))
