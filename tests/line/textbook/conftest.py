"""Textbook lines, built and run; the plug-in with the shuttle is found as if it were installed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from plugged_in import Installed, loaded_with, write_metadata

from cellctl.findings import Report
from cellctl.line.load import load_line
from cellctl.line.model import Line
from cellctl_sim.simulation import Order, Result, simulate

PLUGIN = Path(__file__).parent / "plugin"
Build = Callable[[Sequence[str], Sequence[int]], Line]


@pytest.fixture(scope="session")
def with_shuttle(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The kinds and drivers as they are when the shuttle is installed beside the standard ones."""
    place = tmp_path_factory.mktemp("installed")
    write_metadata(PLUGIN, place)
    sys.path.insert(0, str(place))
    return loaded_with(PLUGIN)


@pytest.fixture(scope="session")
def textbook_line(with_shuttle: Installed, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """A line from what is simulated of each machine, and the buffers between them."""

    from cellctl_textbook.lines import line_text

    def build(simulated: Sequence[str], buffers: Sequence[int]) -> Line:
        path, report = tmp_path_factory.mktemp("line") / "textbook.yaml", Report()
        path.write_text(line_text(simulated, buffers), "utf-8")
        line = load_line(path, report, *with_shuttle)
        assert line is not None, report.render()
        return line

    return build


@pytest.fixture(scope="session")
def run_textbook(with_shuttle: Installed) -> Callable[[Line, Sequence[int], int, int], Result]:
    """Let a line with these buffers make so many parts, with this seed."""

    from cellctl_textbook.lines import recipe_text

    def run(line: Line, buffers: Sequence[int], parts: int, seed: int) -> Result:
        result = simulate(line, [Order("1", recipe_text(buffers), "widget.yaml", "", parts)], seed)
        assert result.complete
        assert not result.incidents
        return result

    return run
