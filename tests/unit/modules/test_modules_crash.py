"""Kill the module process just before every single step of the world, and start it again: nothing is done twice,
nothing is lost, nobody is asked."""

from types import ModuleType

import pytest

CASES = {
    "belt": ("a_belt", "ADVANCE", {"passed 0": 1, "passed 1": 0}),
    "sink": ("a_belt", "LEAVE", {"passed 0": 1, "passed 1": 1, "passed 2": 1}),
    "arm": ("an_arm", "TRANSFER", {"gripped": 1, "let go": 1, "dragged through the nest": 0}),
    "feeder": ("a_feeder", "FEED", {"fed": 1}),
    "press": ("a_press", "PRESS", {"ran": 1}),
}


def steps_of(bench: ModuleType, make: str, command: str) -> range:
    """The steps of the world in which the run without a kill does its work, from power-up on."""
    client = bench.Client([getattr(bench, command)])
    with bench.Run(getattr(bench, make)(), client) as run:
        run.until_done()
        return range(1, run.universe.loop.steps + 10)


@pytest.mark.parametrize("watchdogs", [False, True], ids=["devices go on", "watchdogs expire"])
@pytest.mark.parametrize("case", CASES)
def test_a_kill_at_any_step_repeats_nothing_and_asks_nobody(
    bench: ModuleType, case: str, watchdogs: bool
) -> None:
    make, command, counts = CASES[case]
    steps = steps_of(bench, make, command)
    for step in steps[:: 1 if len(steps) < 700 else 5]:
        built, client = getattr(bench, make)(), bench.Client([getattr(bench, command)])
        with bench.Run(built, client) as run:
            run.kill_at(step, watchdogs)
            run.until_done()
            run.pause(0.5)
        counted = {name: built.world.count[name] for name in counts}
        assert counted == counts, f"killed at step {step}"
        assert client.answers[1].outcome == "done", f"killed at step {step}: {client.answers[1]}"
        assert not client.questions, f"killed at step {step}: asked {client.questions}"
        assert len({(a.outcome, a.moves) for a in client.all_answers}) == 1


def test_a_repeatable_action_is_done_at_least_once(bench: ModuleType) -> None:
    for step in steps_of(bench, "a_gauge", "MEASURE"):
        built, client = bench.a_gauge(), bench.Client([bench.MEASURE])
        with bench.Run(built, client) as run:
            run.kill_at(step, watchdogs=False)
            run.until_done()
        assert built.world.count["measured"] >= 1
        assert client.answers[1].results == {"height": 0.0182}
        assert not client.questions


def test_two_kills_in_one_command_repeat_nothing(bench: ModuleType) -> None:
    for step in steps_of(bench, "a_press", "PRESS")[::7]:
        for later in (60, 130, 260):
            built, client = bench.a_press(), bench.Client([bench.PRESS])
            with bench.Run(built, client) as run:
                run.kill_at(step, watchdogs=False)
                run.kill_at(step + later, watchdogs=False)
                run.until_done()
            assert built.world.count["ran"] == 1
            assert not client.questions


def test_where_the_part_is_agrees_with_the_answer_after_any_kill(bench: ModuleType) -> None:
    for step in steps_of(bench, "an_arm", "TRANSFER")[::11]:
        built, client = bench.an_arm(), bench.Client([bench.TRANSFER])
        with bench.Run(built, client) as run:
            run.kill_at(step, watchdogs=False)
            run.until_done()
        assert built.world.lying == {"c1": (pytest.approx(0.2), pytest.approx(0.0), pytest.approx(0.0))}
        assert [move.place for move in client.answers[1].moves] == ["arm.gripper", "arm.b"]


def test_every_action_number_is_given_once(bench: ModuleType) -> None:
    steps = steps_of(bench, "an_arm", "TRANSFER")
    client = bench.Client([bench.TRANSFER])
    with bench.Run(bench.an_arm(), client) as run:
        for step in steps[10::45]:
            run.kill_at(step, watchdogs=False)
        run.until_done()
        began = [record.action for record in run.records() if type(record).__name__ == "ActionBegan"]
    assert len(began) == len(set(began))
