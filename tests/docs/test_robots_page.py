"""The page of robots: every robot is on it, and its reach is what the maker's own name for the type says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cellctl.motion.robots import ROBOTS

PAGE = (Path(__file__).parents[2] / "docs/reference/robots.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines() if line.startswith("| `")
]
SUMMARY = {row[0].strip("`"): row for row in ROWS if len(row) == 7}
NAMED = {  # metres behind the stroke of an ABB, millimetres behind the R of a KUKA
    name: 1000.0 * float(metres) if metres else float(millimetres)
    for name, row in SUMMARY.items()
    for metres, millimetres in re.findall(r"/(\d\.\d+)$|\bR(\d{3,4})\b", row[2])
}


def test_every_robot_is_there_with_its_joints_and_its_source() -> None:
    assert list(SUMMARY) == list(ROBOTS)
    for name, data in ROBOTS.items():
        assert sum(row[0] == f"`{name}`" for row in ROWS) == 3
        assert data.source in PAGE
        assert data.read_on in PAGE


@pytest.mark.parametrize("name", NAMED)
def test_its_reach_is_that_of_its_name(name: str) -> None:
    assert float(SUMMARY[name][5]) == pytest.approx(NAMED[name], rel=0.025)


def test_many_types_have_their_reach_in_their_name() -> None:
    assert len(NAMED) >= 12
