"""Textbook lines, built and run; the plug-in with the shuttle is found as if it were installed."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from cellctl.device import DriverDeclaration
from cellctl.findings import Report
from cellctl.line.load import load_line
from cellctl.line.model import Line
from cellctl.plugins import DRIVERS, KINDS, declarations, load_drivers, load_kinds
from cellctl.skill import KindDeclaration
from cellctl_sim.simulation import Order, Result, simulate

PLUGIN = Path(__file__).parent / "plugin"
Installed = tuple[dict[str, KindDeclaration], dict[str, DriverDeclaration]]
Build = Callable[[Sequence[str], Sequence[int]], Line]


@pytest.fixture(scope="session")
def with_shuttle(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The kinds and drivers as they are when the shuttle is installed beside the standard ones."""
    found = tmp_path_factory.mktemp("installed") / "cellctl_textbook-0.1.0.dist-info"
    found.mkdir()
    (found / "METADATA").write_text("Metadata-Version: 2.1\nName: cellctl-textbook\nVersion: 0.1.0\n")
    points = tomllib.loads((PLUGIN / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    sections = [
        "\n".join([f"[{group}]", *(f"{name} = {code}" for name, code in named.items())])
        for group, named in points.items()
    ]
    (found / "entry_points.txt").write_text("\n\n".join(sections))
    sys.path[:0] = [str(PLUGIN), str(found.parent)]
    kinds = [EntryPoint(*point, KINDS) for point in points[KINDS].items()]
    drivers = [EntryPoint(*point, DRIVERS) for point in points[DRIVERS].items()]
    return (
        load_kinds() | declarations(KINDS, KindDeclaration, kinds),
        load_drivers() | declarations(DRIVERS, DriverDeclaration, drivers),
    )


@pytest.fixture
def textbook_line(with_shuttle: Installed, tmp_path: Path) -> Build:
    """A line from what is simulated of each machine, and the buffers between them."""

    from cellctl_textbook.lines import line_text

    def build(simulated: Sequence[str], buffers: Sequence[int]) -> Line:
        path, report = tmp_path / "textbook.yaml", Report()
        path.write_text(line_text(simulated, buffers), "utf-8")
        line = load_line(path, report, *with_shuttle)
        assert line is not None, report.render()
        return line

    return build


@pytest.fixture
def run_textbook(with_shuttle: Installed) -> Callable[[Line, Sequence[int], int, int], Result]:
    """Let a line with these buffers make so many parts, with this seed."""

    from cellctl_textbook.lines import recipe_text

    def run(line: Line, buffers: Sequence[int], parts: int, seed: int) -> Result:
        result = simulate(line, [Order("1", recipe_text(buffers), "widget.yaml", "", parts)], seed)
        assert result.complete
        assert not result.incidents
        return result

    return run
