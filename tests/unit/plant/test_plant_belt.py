"""The belt against closed formulas: when parts arrive, stop, queue, pass and fall."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellctl.line.model import Material
from cellctl_sim.plant.agenda import Agenda
from cellctl_sim.plant.belt import FALL, HALF, PART, Belt
from cellctl_sim.plant.items import Item
from cellctl_sim.plant.ramp import Ramp

MICROSECOND = 1e-6
PUCK = Material("puck", mass=0.02, height=0.012)


class Trial:
    """A belt with stops at 0.1, 0.4 and 0.7 m and a sink at 1 m, and a counter."""

    def __init__(self) -> None:
        self.agenda = Agenda()
        self.counts: dict[str, int] = {}
        self.notes: list[str] = []
        self.belt = Belt("belt", self.agenda, self._count, lambda t, text: self.notes.append(text))
        self.load = self.belt.add_stop("load", 0.1, has_stopper=True)
        self.press = self.belt.add_stop("press", 0.4, has_stopper=True)
        self.gauge = self.belt.add_stop("gauge", 0.7, has_stopper=True)
        self.exit = self.belt.add_stop("exit", 1.0, sink=True)
        self._number = 0

    def _count(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1

    def put(self, t: float) -> Item:
        self.agenda.advance(t)
        self._number += 1
        item = Item(self._number, [PUCK], "")
        self.load.put(t, item)
        return item

    def run(self, t: float, speed: float, time: float = 0.0) -> None:
        """Ramp to `speed` [m/s] at the rate of a ramp from 0 to 0.15 m/s within `time` [s]."""
        self.agenda.advance(t)
        now = self.belt._speed.at(t)
        self.belt.run(t, Ramp(t, now, speed, 0.15 / time if time else 1e9))

    def lower(self, t: float, *stops: object) -> None:
        self.agenda.advance(t)
        for stop in stops:
            stop.lower(t, True)  # type: ignore[attr-defined]

    def until(self, holds: object, latest: float) -> float:
        """The time of the first happening after which `holds()` is true."""
        while not holds():  # type: ignore[operator]
            due = self.agenda.first()
            assert due <= latest, f"nothing until {latest} s"
            self.agenda.advance(due)
        return self.agenda.now


def test_a_part_reaches_the_next_eye_when_ramp_and_cruise_have_carried_it_there() -> None:
    trial = Trial()
    trial.put(0.0)
    trial.lower(0.0, trial.load)
    trial.run(0.0, 0.15, time=0.5)
    # 0.5 s ramp covers 0.0375 m, the rest of 0.3 m - 0.015 m at 0.15 m/s
    expected = 0.5 + (0.3 - HALF - 0.0375) / 0.15
    assert trial.until(lambda: trial.press.covered, 10.0) == pytest.approx(expected, abs=MICROSECOND)


def test_a_raised_stopper_holds_the_part_exactly_at_its_station() -> None:
    trial = Trial()
    trial.put(0.0)
    trial.lower(0.0, trial.load)
    trial.run(0.0, 0.15)
    trial.agenda.advance(20.0)
    assert trial.belt.position(20.0, trial.belt.riders[0]) == 0.4
    assert trial.press.look(20.0)[1] == 0.0


def test_a_part_stops_short_when_the_belt_does() -> None:
    trial = Trial()
    trial.put(0.0)
    trial.lower(0.0, trial.load)
    trial.run(0.0, 0.15)
    trial.run(1.0, 0.0, time=0.5)
    trial.agenda.advance(20.0)
    assert trial.belt.position(20.0, trial.belt.riders[0]) == pytest.approx(0.1 + 0.15 + 0.0375, abs=1e-9)
    assert not trial.press.covered


def test_a_part_that_came_to_rest_just_before_a_stopper_goes_on_to_it() -> None:
    trial = Trial()
    trial.put(0.0)
    trial.lower(0.0, trial.load)
    trial.run(0.0, 0.15)
    trial.run(0.295 / 0.15, 0.0)
    trial.agenda.advance(10.0)
    assert trial.belt.position(10.0, trial.belt.riders[0]) == pytest.approx(0.395, abs=1e-6)
    trial.run(10.0, 0.15)
    trial.agenda.advance(11.0)
    assert trial.belt.position(11.0, trial.belt.riders[0]) == 0.4


def test_parts_queue_behind_each_other_a_part_length_apart() -> None:
    trial = Trial()
    trial.lower(0.0, trial.load)
    trial.run(0.0, 0.15)
    for n in range(3):
        trial.put(0.5 * n)
    trial.agenda.advance(20.0)
    places = [trial.belt.position(20.0, rider) for rider in trial.belt.riders]
    assert places == pytest.approx([0.4, 0.4 - PART, 0.4 - 2 * PART])


def test_a_queue_moves_on_together_and_the_next_part_is_held_again() -> None:
    trial = Trial()
    trial.lower(0.0, trial.load)
    trial.run(0.0, 0.15)
    trial.put(0.0)
    trial.put(0.5)
    trial.lower(10.0, trial.press)
    clear = trial.until(lambda: not trial.press.covered, 11.0)
    assert clear == pytest.approx(10.0 + HALF / 0.15, abs=MICROSECOND)
    trial.press.lower(clear, False)
    trial.agenda.advance(20.0)
    assert [trial.belt.position(20.0, r) for r in trial.belt.riders] == pytest.approx([0.7, 0.4])
    assert trial.counts["press.passed"] == 1


def test_an_eye_sees_a_gap_between_two_parts_that_touch() -> None:
    trial = Trial()
    trial.lower(0.0, trial.load)
    trial.run(0.0, 0.15)
    trial.put(0.0)
    trial.put(0.5)
    trial.lower(10.0, trial.press)
    clear = trial.until(lambda: not trial.press.covered, 11.0)
    covered = trial.until(lambda: trial.press.covered, 11.0)
    assert covered - clear == pytest.approx((PART - 2 * HALF) / 0.15, abs=2 * MICROSECOND)


def test_a_part_falls_into_the_sink_and_covers_its_eye_for_a_moment() -> None:
    trial = Trial()
    item = trial.put(0.0)
    trial.lower(0.0, trial.load, trial.press, trial.gauge)
    trial.run(0.0, 0.15)
    fell = trial.until(lambda: trial.exit.covered, 10.0)
    assert fell == pytest.approx((0.9 - HALF) / 0.15, abs=MICROSECOND)
    assert (item.place, trial.counts["exit.swallowed"]) == ("exit", 1)
    assert trial.until(lambda: not trial.exit.covered, 10.0) == pytest.approx(fell + FALL, abs=MICROSECOND)


def test_a_belt_ends_where_it_is_said_to() -> None:
    agenda, notes = Agenda(), list[tuple[float, str]]()
    belt = Belt("belt", agenda, note=lambda t, text: notes.append((t, text)), end=0.45)
    belt.add_stop("load", 0.1).put(0.0, Item(1, [PUCK], ""))
    belt.run(0.0, Ramp(0.0, 0.1, 0.1))
    agenda.advance(10.0)
    assert notes == [(pytest.approx(3.5, abs=MICROSECOND), "a part fell off the end of belt")]


def test_a_part_runs_over_the_end_onto_the_next_belt() -> None:
    trial = Trial()
    second = Belt("second", trial.agenda)
    stop = second.add_stop("second.in", 0.2, has_stopper=True)
    trial.belt.onto = second
    trial.put(0.0)
    trial.lower(0.0, trial.load, trial.press, trial.gauge)
    trial.run(0.0, 0.15)
    second.run(0.0, Ramp(0.0, 0.15, 0.15))
    trial.agenda.advance(20.0)
    assert stop.look(20.0)[1] == 0.0
    assert not trial.belt.riders


def test_a_stopper_raised_under_a_part_that_has_begun_to_pass_lets_it_go() -> None:
    trial = Trial()
    trial.put(0.0)
    trial.lower(0.0, trial.load)
    trial.run(0.0, 0.15)
    trial.agenda.advance(0.02)
    trial.load.lower(0.02, False)
    trial.agenda.advance(10.0)
    assert trial.belt.position(10.0, trial.belt.riders[0]) == 0.4


def test_a_part_put_onto_the_edge_of_another_is_noted() -> None:
    trial = Trial()
    trial.lower(0.0, trial.load)
    trial.run(0.0, 0.15)
    trial.put(0.0)
    trial.put(0.1)
    assert len(trial.notes) == 1


speeds = st.lists(
    st.tuples(st.floats(0.01, 2.0), st.sampled_from([0.0, 0.02, 0.1, 0.15, 0.4])), min_size=1, max_size=12
)


@given(changes=speeds, seed=st.integers(0, 1000))
def test_however_the_belt_runs_parts_keep_their_order_and_distance_and_none_gets_lost(
    changes: list[tuple[float, float]], seed: int
) -> None:
    trial, rng, t = Trial(), random.Random(seed), 0.0
    items = []
    for pause, speed in changes:
        t = round(t + pause, 6)
        trial.agenda.advance(t)
        if trial.belt.nearest(t, 0.1)[1] >= PART:
            items.append(trial.put(t))
        for stop in (trial.load, trial.press, trial.gauge):
            stop.lower(t, rng.random() < 0.5)
        trial.run(t, speed, time=rng.choice([0.0, 0.3]))
        places = [trial.belt.position(t, rider) for rider in trial.belt.riders]
        assert all(a - b >= PART - 1e-5 for a, b in pairwise(places))
    assert len(trial.belt.riders) + trial.counts.get("exit.swallowed", 0) == len(items)


@given(
    before=st.floats(0.0, 1.0), after=st.floats(0.0, 1.0), rate=st.floats(0.05, 10.0), t=st.floats(0.0, 30.0)
)
def test_a_ramp_reaches_each_integral_when_it_says(
    before: float, after: float, rate: float, t: float
) -> None:
    ramp = Ramp(0.0, before, after, rate)
    whole = ramp.integral(t)
    if whole > 1e-9 and ramp.at(t) > 1e-6:
        assert ramp.integral(ramp.when(whole)) == pytest.approx(whole, rel=1e-9)
        assert ramp.when(whole) <= t + 1e-6


def test_a_ramp_that_dies_out_never_reaches_more_than_it_covers() -> None:
    ramp = Ramp(2.0, 0.2, 0.0, 0.4)
    assert ramp.integral(100.0) == pytest.approx(0.05)
    assert ramp.when(0.0501) == float("inf")
    assert ramp.when(0.0499) < ramp.end
