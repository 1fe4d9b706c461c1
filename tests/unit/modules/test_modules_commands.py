"""Each kind does its skills, on fake devices, through the whole module process."""

from types import ModuleType

import pytest

from cellctl.messages import Move


@pytest.mark.parametrize(
    ("make", "command", "moves", "counts"),
    [
        ("a_belt", "ADVANCE", [("p1", "belt"), ("p1", "belt.press")], {"passed 0": 1}),
        (
            "a_belt",
            "LEAVE",
            [
                ("p1", "belt"),
                ("p1", "belt.press"),
                ("p1", "belt"),
                ("p1", "belt.gauge"),
                ("p1", "belt"),
                ("p1", "belt.exit"),
            ],
            {"passed 0": 1, "passed 1": 1, "passed 2": 1},
        ),
        ("an_arm", "TRANSFER", [("c1", "arm.gripper"), ("c1", "arm.b")], {"gripped": 1, "let go": 1}),
        ("a_feeder", "FEED", [("c1", "bowls.pick")], {"fed": 1}),
        ("a_gauge", "MEASURE", [], {"measured": 1}),
        ("a_press", "PRESS", [], {"ran": 1}),
    ],
)
def test_a_command_is_done_once_and_answered_with_its_moves(
    bench: ModuleType, make: str, command: str, moves: list, counts: dict[str, int]
) -> None:
    built = getattr(bench, make)()
    client = bench.Client([getattr(bench, command)])
    with bench.Run(built, client) as run:
        run.until_done()
    answer = client.answers[1]
    assert answer.outcome == "done"
    assert list(answer.moves) == [Move(*move) for move in moves]
    assert {name: built.world.count[name] for name in counts} == counts
