"""Pallets on a closed belt: they go round, queue, are seen with or without a part, and carry what lies in them."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cellctl.line.model import Material
from cellctl_sim.plant.belt import Belt
from cellctl_sim.plant.gripper import Gripper, Position
from cellctl_sim.plant.items import FLOOR
from cellctl_sim.plant.pallets import Pallet
from cellctl_sim.plant.ramp import Ramp
from cellctl_sim.plant.stops import HALF, BeltStop, PalletNest
from cellctl_sim.plant.world import World

MICROSECOND = 1e-6
CIRCUIT, SPEED = 1.6, 0.2
STOPS = {"load": 0.2, "press": 0.6, "gauge": 1.0, "unload": 1.4}
AT_LOAD: Position = (0.2, -0.1, 0.04)
PITCH = 0.03


class Ring:
    """A closed belt with four stops that runs from the beginning, and pallets where the test sets them down."""

    def __init__(self, circuit: float | None = CIRCUIT) -> None:
        self.world = World(lambda name: random.Random(name), {"puck": Material("puck", 0.02, 0.012)})
        self.belt: Belt = self.world.add_belt("loop", circuit=circuit)
        self.stops = {name: self.belt.add_stop(name, at, has_stopper=True) for name, at in STOPS.items()}
        for stop in self.stops.values():
            self.world.add_spot(stop, {"": AT_LOAD} if stop.name == "load" else None)
        self.belt.run(0.0, Ramp(0.0, SPEED, SPEED))

    def pallet(self, name: str, stop: str, nests: int = 1) -> Pallet:
        pallet = Pallet(name, nests)
        self.belt.set_down(self.world.agenda.now, self.stops[stop], pallet)
        return pallet

    def advance(self, t: float) -> None:
        self.world.agenda.advance(t)

    def lower(self, t: float, stop: str, on: bool = True) -> BeltStop:
        self.advance(t)
        self.stops[stop].lower(t, on)
        return self.stops[stop]

    def let_one_go(self, t: float, stop: str) -> None:
        """As a conveyor does: lower the stopper until the eye is clear."""
        self.lower(t, stop)
        self.lower(t + (HALF + 1e-4) / SPEED, stop, on=False)

    def places(self, t: float) -> dict[str, str]:
        self.advance(t)
        return self.belt.pallets(t)


def test_a_pallet_goes_round_and_comes_from_the_last_stop_to_the_first() -> None:
    ring = Ring()
    ring.pallet("P1", "unload")
    ring.let_one_go(0.0, "unload")
    way = CIRCUIT - STOPS["unload"] + STOPS["load"]
    assert ring.places(way / SPEED - 0.2)["P1"].startswith("loop at ")
    assert ring.places(way / SPEED + MICROSECOND) == {"P1": "load"}
    assert ring.places(100.0) == {"P1": "load"}
    assert ring.world.incidents == []


def test_an_eye_sees_a_pallet_with_and_without_a_part() -> None:
    ring = Ring()
    ring.pallet("P1", "load")
    assert ring.stops["load"].covered
    assert ring.stops["load"].look(0.0)[0] is None
    item = ring.world.lay(1.0, "load", ["puck"])
    assert ring.stops["load"].covered
    assert ring.stops["load"].look(1.0) == (item, 0.0)
    assert not ring.stops["press"].covered


def test_a_part_travels_with_its_pallet_and_the_pallet_stays_when_it_is_taken() -> None:
    ring = Ring()
    pallet = ring.pallet("P1", "load")
    ring.world.lay(0.0, "load", ["puck"])
    assert [nest.item for nest in pallet.nests if nest.item]
    ring.let_one_go(1.0, "load")
    assert ring.world.items(4.0)[0]["place"] == "press"
    assert ring.world.remove(4.0, "press")
    assert ring.stops["press"].covered
    assert ring.places(4.0) == {"P1": "press"}


def test_a_part_put_where_no_pallet_stands_lies_on_the_bare_belt_and_is_noted() -> None:
    ring = Ring()
    ring.pallet("P1", "press")
    ring.world.lay(0.0, "load", ["puck"])
    assert ["no pallet stands there" in text for _, text in ring.world.incidents] == [True]


def test_a_part_put_into_a_nest_that_is_taken_joins_what_lies_there() -> None:
    ring = Ring()
    pallet = ring.pallet("P1", "load")
    ring.world.lay(0.0, "load", ["puck"])
    ring.world.lay(0.0, "load", ["puck"])
    item = pallet.nests[0].item
    assert item is not None
    assert len(item.components) == 2


def test_pallets_queue_a_pallets_length_apart_also_across_the_seam_of_the_belt() -> None:
    ring = Ring()
    ring.belt.add_stop("first", 0.03, has_stopper=True)
    ring.pallet("P1", "gauge")
    ring.pallet("P2", "unload")
    ring.lower(0.0, "gauge")
    ring.lower(0.0, "unload")
    ring.advance(60.0)
    at = {rider.load.id: ring.belt.position(60.0, rider) for rider in ring.belt.riders}  # type: ignore[union-attr]
    assert at == {
        "P2": pytest.approx(0.03, abs=1e-5),
        "P1": pytest.approx(CIRCUIT + 0.03 - Pallet.length, abs=1e-5),
    }


def test_what_queues_across_the_seam_goes_on_when_the_one_ahead_does() -> None:
    ring = Ring()
    ring.belt.add_stop("first", 0.03, has_stopper=True)
    ring.stops["first"] = ring.belt.stops[0]
    ring.pallet("P1", "gauge")
    ring.pallet("P2", "unload")
    ring.lower(0.0, "gauge")
    ring.lower(0.0, "unload")
    ring.lower(60.0, "first")
    assert all(rider.riding for rider in ring.belt.riders)
    ring.advance(60.0 + (0.2 - 0.03) / SPEED + MICROSECOND)
    assert ring.stops["load"].pallet(ring.world.agenda.now)[0] is not None
    ring.advance(62.0)
    at = [ring.belt.position(62.0, rider) for rider in ring.belt.riders]
    assert at == [pytest.approx(0.2, abs=1e-5), pytest.approx(0.2 - Pallet.length, abs=1e-5)]


def test_on_an_open_belt_a_pallet_falls_off_the_end_and_is_noted() -> None:
    ring = Ring(circuit=None)
    ring.pallet("P1", "unload")
    ring.world.lay(0.0, "unload", ["puck"])
    ring.lower(0.0, "unload")
    assert ring.places(10.0) == {}
    assert next(text for _, text in ring.world.incidents) == "the pallet P1 fell off the end of loop"
    assert ring.world.items(10.0)[0]["place"] == FLOOR


@settings(max_examples=25, deadline=None)
@example([(1.0, "load"), (1.40625, "load")])  # looked at just after one has come up to the next
@given(
    st.lists(
        st.tuples(st.floats(0.3, 6.0), st.sampled_from([*STOPS])),
        max_size=14,
    )
)
def test_whatever_stoppers_do_pallets_keep_their_order_and_distance_and_none_gets_lost(
    orders: list[tuple[float, str]],
) -> None:
    ring = Ring()
    for name, stop in (("P1", "load"), ("P2", "press"), ("P3", "gauge")):
        ring.pallet(name, stop)
    t = 0.0
    for wait, stop in orders:
        t += wait
        ring.let_one_go(t, stop)
        t += 0.1
        ring.advance(t)
        riders = ring.belt.riders
        at = [ring.belt.position(t, rider) for rider in riders]
        names = "".join(rider.load.id for rider in riders)  # type: ignore[union-attr]
        assert names in ("P3P2P1", "P2P1P3", "P1P3P2")
        gaps = [(a - b) % CIRCUIT for a, b in zip(at, [*at[1:], at[0]], strict=True)]
        assert sum(gaps) == pytest.approx(CIRCUIT)
        assert min(gaps) >= Pallet.length - 1e-5


@pytest.mark.parametrize("nest", [0, 1])
def test_a_gripper_reaches_each_nest_of_a_pallet_where_that_nest_is(nest: int) -> None:
    ring, offset = Ring(), nest * PITCH
    pallet = ring.pallet("P1", "load", nests=2)
    ring.world.add_spot(PalletNest(ring.stops["load"], 1), {"": (AT_LOAD[0] + PITCH, *AT_LOAD[1:])})
    item = ring.world.lay(0.0, "load" if nest == 0 else "load nest 1", ["puck"])
    assert pallet.nests[nest].item is item
    world, at = ring.world, (AT_LOAD[0] + offset, *AT_LOAD[1:])
    gripper = Gripper(
        "arm.gripper",
        "arm",
        world.agenda,
        world.fixings,
        lambda t: at,
        random.Random(1),
        world.count,
        world.note,
    )
    gripper.close(1.0)
    ring.advance(2.0)
    assert gripper.item is item
    assert pallet.nests[nest].item is None
    gripper.open(3.0)
    assert pallet.nests[nest].item is item


def test_a_gripper_that_closes_while_the_pallet_rides_by_grips_nothing() -> None:
    ring = Ring()
    pallet = ring.pallet("P1", "load")
    item = ring.world.lay(0.0, "load", ["puck"])
    world = ring.world
    gripper = Gripper(
        "arm.gripper", "arm", world.agenda, world.fixings, lambda t: AT_LOAD, random.Random(1), world.count
    )
    ring.lower(1.0, "load")
    gripper.close(1.0)
    ring.advance(2.0)
    assert gripper.item is None
    assert pallet.nests[0].item is item
