"""The trace of a simulated run says nothing of where its files lie."""

from pathlib import Path

from cellctl.live.line_file import read_line
from cellctl_sim.simulation import simulate
from cellctl_sim.wanted import read_orders

SHIPPED = Path(__file__).parents[3] / "recipes"


def trace(line: Path) -> str:
    loaded, report = read_line(line)
    assert loaded is not None, report.render()
    return simulate(loaded, read_orders(["sensor-puck/tall:1"], line, loaded)).trace


def test_a_copy_in_another_directory_gives_the_same_trace(cell: Path) -> None:
    assert trace(cell / "lines/puck.yaml") == trace(SHIPPED / "lines/puck.yaml")


def test_so_does_a_line_that_is_named_from_where_it_lies(cell: Path) -> None:
    assert trace(Path("lines/puck.yaml")) == trace(SHIPPED / "lines/puck.yaml")
