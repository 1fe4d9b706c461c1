"""The small parts: the ledger, the turn, references between devices, plug-ins, poses."""

import asyncio
from importlib.metadata import EntryPoint
from math import pi
from types import ModuleType, SimpleNamespace
from typing import Annotated

import pytest
from pydantic import BaseModel, ConfigDict

from cellctl import kinds
from cellctl.device import DeviceName, PointName, Pose
from cellctl.errors import PlugInError, Refused, StoreError, UnknownName
from cellctl.journal import ActionBegan, ActionEnded, Answered, Asked, Forgot, LeaseTaken, Taken, Told
from cellctl.line.model import Grid, Line, Process, Station
from cellctl.line.reachable import Reachable
from cellctl.live.tasks import Channel
from cellctl.messages import Answer, Command, Head, Move, Question
from cellctl.modules.ledger import Book, Ledger
from cellctl.modules.rack import references, used_devices
from cellctl.modules.turn import Turn
from cellctl.plugins import DRIVERS, KINDS, declarations, load_code, load_drivers, load_kinds
from cellctl.skill import KindDeclaration

# --- the ledger -----------------------------------------------------------------------------------------------------

COMMAND = Command(7, "arm", 1, 7, "transfer")


def test_a_result_and_its_moves_come_with_one_record() -> None:
    ledger = Ledger("arm")
    ledger.apply(Taken(COMMAND, 1.0))
    ledger.apply(ActionBegan("arm", 7, 21, 0, "arm.gripper", "grip"))
    entry = ledger.unfinished[7]
    assert (entry.actions[0].ended, entry.moves) == (False, [])
    ledger.apply(ActionEnded("arm", 7, 21, True, (Move("c1", "arm.gripper"),), 0.4))
    assert (entry.actions[0].result, entry.moves, entry.device_time) == (
        True,
        [Move("c1", "arm.gripper")],
        0.4,
    )


def test_an_action_begun_again_takes_the_place_of_the_first() -> None:
    ledger = Ledger("arm")
    for record in (
        Taken(COMMAND, 1.0),
        ActionBegan("arm", 7, 21, 0, "d", "run"),
        ActionBegan("arm", 7, 22, 0, "d", "run"),
        ActionEnded("arm", 7, 22, results={"code": 0}),
    ):
        ledger.apply(record)
    assert ledger.unfinished[7].actions[0].number == 22
    assert ledger.unfinished[7].actions[0].result == {"code": 0}


def test_an_answered_command_is_no_longer_unfinished_and_its_questions_are_gone() -> None:
    ledger = Ledger("arm")
    ledger.apply(Taken(COMMAND, 1.0))
    ledger.apply(Asked("arm", Question(21, 7, "grip", "?", {})))
    ledger.apply(Answered(Answer("arm", 7, "done")))
    assert not ledger.unfinished
    assert not ledger.questions
    assert ledger.answers[7].outcome == "done"


def test_forgetting_drops_stored_answers_below_and_never_goes_back() -> None:
    ledger = Ledger("arm")
    for number in (7, 8, 9):
        ledger.apply(Answered(Answer("arm", number, "done")))
    ledger.apply(Forgot("arm", 9))
    ledger.apply(Forgot("arm", 3))
    assert (set(ledger.answers), ledger.below) == ({9}, 9)


def test_the_word_failed_gives_the_command_up() -> None:
    ledger = Ledger("arm")
    ledger.apply(Taken(COMMAND, 1.0))
    ledger.apply(Asked("arm", Question(21, 7, "grip", "?", {})))
    ledger.apply(Told("arm", 21, "failed", "operator"))
    assert ledger.unfinished[7].is_given_up


def test_the_longest_journal_of_the_holder_is_remembered() -> None:
    ledger = Ledger("arm")
    ledger.apply(LeaseTaken("arm", "runner", 3, Head(10, "a")))
    ledger.apply(Taken(Command(7, "arm", 3, 7, "transfer", head=Head(25, "b")), 1.0))
    assert (ledger.epoch, ledger.seen) == (3, Head(25, "b"))


def test_action_numbers_go_on_after_replay_and_end_at_32_bits() -> None:
    book = Book(["arm"])
    book.apply(ActionBegan("arm", 0, 41, 0, "d", "home"))
    book.apply(ActionBegan("a module that is gone", 0, 2**32 - 2, 0, "d", "home"))
    assert book.next_action() == 2**32 - 1
    with pytest.raises(StoreError, match="start a new one"):
        book.next_action()


# --- the turn -------------------------------------------------------------------------------------------------------


def a_turn() -> Turn:
    return Turn(SimpleNamespace(channel=Channel))  # type: ignore[arg-type]


def test_a_turn_is_first_come_first_served() -> None:
    async def main() -> list[str]:
        turn, order = a_turn(), []

        async def work(name: str) -> None:
            async with turn:
                order.append(f"{name} in")
                await asyncio.sleep(0)
                order.append(f"{name} out")

        await asyncio.gather(work("a"), work("b"), work("c"))
        return order

    assert asyncio.run(main()) == ["a in", "a out", "b in", "b out", "c in", "c out"]


@pytest.mark.parametrize("called_first", [False, True])
def test_a_turn_is_passed_on_when_who_waits_is_cancelled(called_first: bool) -> None:
    async def main() -> bool:
        turn = a_turn()
        await turn.__aenter__()
        waiting = asyncio.create_task(turn.__aenter__())
        await asyncio.sleep(0)
        if called_first:
            await turn.__aexit__(None, None, None)
            waiting.cancel()
        else:
            waiting.cancel()
            await asyncio.sleep(0)
            await turn.__aexit__(None, None, None)
        await asyncio.gather(waiting, return_exceptions=True)
        await asyncio.wait_for(turn.__aenter__(), 1.0)
        return True

    assert asyncio.run(main())


# --- devices behind devices -----------------------------------------------------------------------------------------


class Behind(BaseModel):
    model_config = ConfigDict(frozen=True)

    io: DeviceName
    start: PointName
    lamp: PointName | None = None
    others: tuple[Annotated[str, "no reference"], ...] = ()


def test_references_are_found_in_options_also_where_they_are_optional() -> None:
    options = Behind(io="io1", start="io2.do3", lamp="io3.do1", others=("io4",))
    assert references(options) == ["io1", "io2", "io3"]
    assert references(Behind(io="io1", start="do3")) == ["io1"]


def test_a_device_comes_after_what_it_stands_on(bench: ModuleType) -> None:
    belt = bench.a_belt()
    line = belt.line
    assert used_devices(line, [line.modules["belt"]]) == ("io1", "belt.drive")


# --- plug-ins -------------------------------------------------------------------------------------------------------


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, KINDS)


def test_the_standard_kinds_and_drivers_load() -> None:
    assert set(load_kinds()) >= {"conveyor", "arm", "feeder", "inspection", "machine"}
    assert set(load_drivers()) >= {"altivar", "remote_io", "mecademic"}


@pytest.mark.parametrize("kind", [kinds.CONVEYOR, kinds.ARM, kinds.FEEDER, kinds.INSPECTION, kinds.MACHINE])
def test_every_standard_kind_has_its_code(kind: KindDeclaration) -> None:
    assert load_code(kind.code).__name__ == kind.name.capitalize()


def test_every_role_of_a_joint_skill_has_the_skills_of_its_phases() -> None:
    skills = {s.name for k in (kinds.CONVEYOR, kinds.ARM, kinds.MACHINE) for s in k.skills}
    for joint in kinds.JOINT_SKILLS.values():
        assert {phase.role for phase in joint.phases} == set(joint.roles)
        assert {phase.skill for phase in joint.phases} | set(joint.roles.values()) <= skills


def test_a_name_given_twice_is_refused_naming_both() -> None:
    twice = [point("conveyor", "cellctl.kinds:CONVEYOR"), point("conveyor", "cellctl.kinds:ARM")]
    with pytest.raises(PlugInError, match=r"'conveyor' is given by .*ARM.* and by .*CONVEYOR.*uninstall"):
        declarations(KINDS, KindDeclaration, twice)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("cellctl.kinds:NOTHING", "cannot be loaded"),
        ("cellctl.no_such:X", "cannot be loaded"),
        ("cellctl.kinds:Frame", "must name a KindDeclaration"),
        ("cellctl.kinds:ARM", "declares the name 'arm'"),
    ],
)
def test_a_broken_plug_in_is_named_with_its_reason(value: str, why: str) -> None:
    with pytest.raises(PlugInError, match=why):
        declarations(KINDS, KindDeclaration, [point("conveyor", value)])


@pytest.mark.parametrize("reference", ["", "cellctl.kinds", ":ARM", "cellctl.kinds:Nope", "nowhere:X"])
def test_code_that_is_not_there_is_a_plug_in_error(reference: str) -> None:
    with pytest.raises(PlugInError):
        load_code(reference)


def test_the_groups_are_those_of_the_package() -> None:
    assert (KINDS, DRIVERS) == ("cellctl.kinds", "cellctl.drivers")


# --- poses ----------------------------------------------------------------------------------------------------------


def a_line(*stations: Station) -> Line:
    from cellctl.line.model import Module

    module = Module("arm", kinds.ARM, kinds.ArmOptions(robot="meca500"), "arm", {}, stations=stations)
    return Line("l", "d", {"arm": module}, {}, {}, Process("runner", (), "", ""))


def test_a_pose_is_seen_from_the_arms_base() -> None:
    reachable = Reachable(
        a_line(Station("arm.a", "arm", poses={"": Pose(1.0, 2.0, 0.5)})),
        "arm",
        Pose(1.0, 1.0, 0.0, 0, 0, pi / 2),
    )
    at = reachable.at("arm.a")
    assert (at.x, at.y, at.z) == pytest.approx((1.0, 0.0, 0.5))
    assert at.gamma == pytest.approx(-pi / 2)


def test_an_arms_own_pose_goes_before_the_one_for_all() -> None:
    station = Station("arm.a", "arm", poses={"": Pose(0, 0, 0), "arm": Pose(0.3, 0, 0)})
    assert Reachable(a_line(station), "arm", Pose(0, 0, 0)).at("arm.a").x == pytest.approx(0.3)


def test_the_approach_is_straight_above_whichever_way_the_tool_points() -> None:
    station = Station("arm.a", "arm", poses={"": Pose(0.1, 0.2, 0.3, pi, 0.0, 0.4)}, approach=0.05)
    reachable = Reachable(a_line(station), "arm", Pose(0, 0, 0))
    at, above = reachable.at("arm.a"), reachable.approach("arm.a")
    assert (above.x, above.y, above.z) == pytest.approx((at.x, at.y, at.z + 0.05))


def test_nests_lie_along_the_grids_own_frame_whichever_way_the_tool_points() -> None:
    station = Station(
        "arm.t", "arm", poses={"": Pose(0, 0, 0, pi, 0.0, 0.7)}, grid=Grid(2, 2, 0.02, 0.03, turn=pi / 2)
    )
    reachable = Reachable(a_line(station), "arm", Pose(0, 0, 0))
    found = [reachable.at(f"arm.t#{n}") for n in range(4)]
    assert [(p.x, p.y) for p in found] == [
        pytest.approx(xy, abs=1e-12) for xy in ((0, 0), (0, 0.02), (-0.03, 0), (-0.03, 0.02))
    ]


def test_a_nest_beyond_the_grid_and_a_station_without_pose_are_refused() -> None:
    tray = Station("arm.t", "arm", poses={"": Pose(0, 0, 0)}, grid=Grid(2, 2, 0.02, 0.03))
    reachable = Reachable(a_line(tray, Station("arm.none", "arm")), "arm", Pose(0, 0, 0))
    with pytest.raises(Refused, match="nests 0 to 3, not 4"):
        reachable.at("arm.t#4")
    with pytest.raises(Refused, match="has no pose for arm"):
        reachable.at("arm.none")
    with pytest.raises(UnknownName):
        reachable.at("arm.nowhere")
