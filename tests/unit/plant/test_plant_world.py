"""Items, grippers, bowls, nests and the agenda: the plant's physics without any device."""

from __future__ import annotations

import random
from math import inf

import pytest

from cellctl.device import Pose
from cellctl.errors import UnknownName
from cellctl.line.distributions import Constant
from cellctl.line.model import Grid, Material, Station
from cellctl_sim.plant.agenda import Agenda, Timer
from cellctl_sim.plant.gripper import RELIABLE, Chances, Gripper, Position
from cellctl_sim.plant.items import FLOOR
from cellctl_sim.plant.spots import Bin, Magazine, Nest
from cellctl_sim.plant.world import World, places, positions

MATERIALS = {
    "housing": Material("housing", 0.018, 0.012),
    "lid": Material("lid", 0.006, 0.0063, 400e3),
    "pad": Material("pad", 0.001, 0.002, 100e3),
}
HERE: Position = (0.2, 0.0, 0.03)
THERE: Position = (0.0, 0.2, 0.03)


class Hand:
    """A gripper whose tool point is wherever the test says, over two nests and a bin."""

    def __init__(self, chances: Chances = RELIABLE, seed: int = 1) -> None:
        self.world = World(lambda name: random.Random(f"{seed}/{name}"), MATERIALS)
        self.at = HERE
        world = self.world
        world.add_spot(Nest("here"), {"": HERE})
        world.add_spot(Nest("there"), {"": THERE})
        world.add_spot(Bin("bin", world.count), {"": (-0.15, 0.1, 0.05)})
        self.gripper = Gripper(
            "arm.gripper",
            "arm",
            world.agenda,
            world.fixings,
            lambda t: self.at,
            random.Random(seed),
            world.count,
            world.note,
            chances,
        )

    def close(self, t: float) -> None:
        self.world.agenda.advance(t)
        self.gripper.close(t)
        self.world.agenda.advance(t + 1.0)

    def open(self, t: float) -> None:
        self.world.agenda.advance(t)
        self.gripper.open(t)
        self.world.agenda.advance(t + 1.0)

    def place(self) -> object:
        return self.world.items(self.world.agenda.now)[0]["place"]


def test_what_is_pressed_stays_as_low_as_the_deepest_pressing_made_it() -> None:
    item = Hand().world.lay(0.0, "here", ["housing", "lid"])
    for force, height in ((40.0, 0.0182), (20.0, 0.0182), (55.0, 0.0183 - 55 / 400e3)):
        item.press(0.0, force)
        assert item.height == pytest.approx(height, abs=1e-12)


def test_springs_in_series_add_their_compliances_and_rigid_ones_give_none() -> None:
    item = Hand().world.lay(0.0, "here", ["housing", "lid", "pad"])
    assert item.compliance == pytest.approx(1 / 400e3 + 1 / 100e3)


def test_an_item_is_gripped_carried_and_put_down() -> None:
    hand = Hand()
    hand.world.lay(0.0, "here", ["housing"])
    hand.close(1.0)
    assert hand.place() == "arm.gripper"
    hand.at = THERE
    hand.open(3.0)
    assert hand.place() == "there"
    assert hand.world.counts["arm.gripper.gripped"] == hand.world.counts["arm.gripper.released"] == 1


def test_fingers_stop_where_the_item_is_and_close_fully_on_nothing() -> None:
    hand = Hand()
    hand.close(0.0)
    assert hand.gripper.opening(5.0) == 0.0
    hand.open(5.0)
    hand.world.lay(6.0, "here", ["housing"])
    hand.close(7.0)
    assert hand.gripper.opening(9.0) == 0.5


@pytest.mark.parametrize(("off", "grips"), [(0.0019, True), (0.0021, False)])
def test_a_gripper_that_closes_beside_the_item_grips_nothing(off: float, grips: bool) -> None:
    hand = Hand()
    hand.world.lay(0.0, "here", ["housing"])
    hand.at = (HERE[0] + off, HERE[1], HERE[2])
    hand.close(1.0)
    assert (hand.gripper.item is not None) is grips


def test_putting_a_component_onto_an_item_joins_them() -> None:
    hand = Hand()
    hand.world.lay(0.0, "there", ["housing"])
    hand.world.lay(0.0, "here", ["lid"])
    hand.close(1.0)
    hand.at = THERE
    hand.open(3.0)
    (item,) = hand.world.items(5.0)
    assert item["components"] == ["housing", "lid"]
    assert item["height"] == pytest.approx(0.0183)


def test_what_is_let_go_in_mid_air_lies_on_the_floor_and_is_noted() -> None:
    hand = Hand()
    hand.world.lay(0.0, "here", ["housing"])
    hand.close(1.0)
    hand.at = (0.1, 0.1, 0.3)
    hand.open(3.0)
    assert hand.place() == FLOOR
    assert "mid-air" in hand.world.incidents[0][1]


def test_a_bin_swallows_what_is_let_go_over_it() -> None:
    hand = Hand()
    hand.world.lay(0.0, "here", ["housing"])
    hand.close(1.0)
    hand.at = (-0.16, 0.11, 0.05)
    hand.open(3.0)
    assert hand.place() == "bin"
    assert hand.world.counts["bin.swallowed"] == 1


def test_a_gripper_told_to_miss_misses_once() -> None:
    hand = Hand()
    hand.world.lay(0.0, "here", ["housing"])
    hand.gripper.next_misses = 1
    hand.close(1.0)
    assert hand.gripper.item is None
    hand.open(3.0)
    hand.close(5.0)
    assert hand.gripper.item is not None


def test_a_gripper_misses_as_often_as_its_rate_says() -> None:
    hand = Hand(Chances(miss=0.3), seed=5)
    for n in range(400):
        if hand.gripper.item is None and hand.world.spot("here").look(0.0)[0] is None:
            hand.world.lay(4.0 * n, "here", ["housing"])
        hand.close(4.0 * n)
        hand.open(4.0 * n + 2.0)
    missed = hand.world.counts["arm.gripper.missed"]
    assert 0.3 * 400 - 40 < missed < 0.3 * 400 + 40


def test_one_gripper_takes_an_item_out_of_anothers_hand() -> None:
    hand = Hand()
    other = Gripper(
        "b.gripper", "b", hand.world.agenda, hand.world.fixings, lambda t: hand.at, random.Random(2)
    )
    item = hand.world.lay(0.0, "here", ["housing"])
    hand.close(1.0)
    other.close(3.0)
    hand.world.agenda.advance(4.0)
    assert other.item is item
    hand.open(5.0)
    assert hand.gripper.item is None
    assert other.item is item


def test_a_machine_works_on_what_a_gripper_holds_at_its_place() -> None:
    hand = Hand()
    item = hand.world.lay(0.0, "here", ["housing"])
    hand.close(1.0)
    assert hand.world.at_hand(3.0, "here") == (item, 0.0)
    hand.at = THERE
    assert hand.world.at_hand(3.0, "here")[0] is None


def test_a_magazine_is_never_empty() -> None:
    world = World(lambda name: random.Random(0), MATERIALS)
    magazine = Magazine("rack", lambda t: world.make(t, world.material("lid"), "rack"))
    first, second = magazine.take(0.0), magazine.take(0.0)
    assert first is not second


# --- bowls ------------------------------------------------------------------------------------------------------


def bowl_world(stock: float = inf) -> World:
    world = World(lambda name: random.Random(name), MATERIALS)
    world.bowl("bowl", "pick", "lid", None, Constant.model_validate("0.8 s"), stock=stock)
    return world


def test_a_bowl_presents_a_component_after_its_feeding_time() -> None:
    world = bowl_world()
    world.bowls["bowl"].vibrate(0.0, True)
    world.agenda.advance(0.799)
    assert not world.bowls["bowl"].present()
    world.agenda.advance(0.8)
    assert world.bowls["bowl"].present()


def test_a_bowl_that_is_switched_off_in_between_vibrates_the_rest_later() -> None:
    world = bowl_world()
    bowl = world.bowls["bowl"]
    bowl.vibrate(0.0, True)
    world.agenda.advance(0.5)
    bowl.vibrate(0.5, False)
    world.agenda.advance(9.0)
    assert not bowl.present()
    bowl.vibrate(9.0, True)
    assert world.agenda.first() == pytest.approx(9.3)


def test_a_bowl_feeds_the_next_one_when_the_first_is_taken() -> None:
    world = bowl_world()
    bowl = world.bowls["bowl"]
    bowl.vibrate(0.0, True)
    world.agenda.advance(5.0)
    assert world.counts["bowl.fed"] == 1
    assert world.remove(5.0, "pick")
    world.agenda.advance(5.8)
    assert bowl.present()


def test_a_jammed_bowl_feeds_again_when_it_is_switched_off_and_on() -> None:
    world = bowl_world()
    bowl = world.bowls["bowl"]
    bowl.vibrate(0.0, True)
    bowl.jam(0.1)
    world.agenda.advance(9.0)
    assert not bowl.present()
    bowl.vibrate(9.0, False)
    bowl.vibrate(9.0, True)
    world.agenda.advance(10.0)
    assert bowl.present()


def test_an_empty_bowl_presents_nothing_until_it_is_filled() -> None:
    world = bowl_world(stock=1)
    bowl = world.bowls["bowl"]
    bowl.vibrate(0.0, True)
    world.agenda.advance(2.0)
    world.remove(2.0, "pick")
    world.agenda.advance(9.0)
    assert not bowl.present()
    bowl.refill(9.0, 5)
    world.agenda.advance(10.0)
    assert bowl.present()


# --- places -----------------------------------------------------------------------------------------------------


def test_an_arm_reaches_each_nest_of_a_grid_where_the_grid_says() -> None:
    grid = Grid(3, 2, 0.02, 0.05)
    station = Station("tray.rack", "tray", grid=grid, poses={"": Pose(0.1, 0.2, 0.03)})
    assert places(station) == [f"tray.rack#{n}" for n in range(6)]
    assert positions(station.poses, grid.offset(4))[""] == pytest.approx((0.12, 0.25, 0.03))


def test_an_unknown_place_is_named_with_the_nearest_ones() -> None:
    with pytest.raises(UnknownName, match="here"):
        Hand().world.lay(0.0, "hre", ["housing"])


# --- the agenda -------------------------------------------------------------------------------------------------


def test_things_happen_by_time_and_then_by_who_was_there_first() -> None:
    agenda = Agenda()
    seen: list[tuple[float, str]] = []

    def timer(name: str) -> Timer:
        return agenda.timer(lambda t: seen.append((t, name)))

    late, first, second = map(timer, "abc")
    late.set(3.0)
    second.set(2.0)
    first.set(2.0)
    agenda.advance(10.0)
    assert seen == [(2.0, "b"), (2.0, "c"), (3.0, "a")]
    assert agenda.now == 10.0


def test_what_a_happening_sets_going_happens_in_the_same_advance() -> None:
    agenda = Agenda()
    seen: list[float] = []
    second = agenda.timer(seen.append)
    agenda.timer(lambda t: second.set(t + 1.0)).set(1.0)
    agenda.advance(5.0)
    assert seen == [2.0]


def test_times_are_rounded_to_a_microsecond() -> None:
    agenda = Agenda()
    timer = agenda.timer(lambda t: None)
    timer.set(0.1 + 0.2)
    assert timer.due == 0.3
