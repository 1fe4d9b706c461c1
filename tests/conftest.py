"""The shipped puck line, what is made on it, and the example plug-in. What stands in `support` is imported by name."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cellctl.compile.order import compile_order_text
from cellctl.line.model import Line
from cellctl.live.line_file import read_line
from cellctl.plugins import load_drivers, load_kinds
from cellctl.recipe.executable import Executable

HERE = Path(__file__).parent
RECIPES = HERE.parent / "recipes"

sys.path.append(str(HERE / "support"))

from plugged_in import Installed, loaded_with  # noqa: E402  (found there from now on)

BACK_AND_FORTH = """\
recipe: twice-gauged
revision: 1
steps:
  - {step: load, do: transfer, take: housing, to: belt.load}
  - {step: to_gauge, do: advance, to: belt.gauge}
  - {step: back, do: transfer, to: belt.load}
  - {step: to_press, do: advance, to: belt.press}
  - {step: to_end, do: advance, to: belt.gauge}
  - {step: out, do: advance, to: belt.exit}
"""


@pytest.fixture(scope="session")
def installed() -> Installed:
    """The kinds and drivers that are plugged in here: looking for them takes longer than reading a small line."""
    return load_kinds(), load_drivers()


@pytest.fixture(scope="session")
def puck_line() -> Line:
    """The shipped puck line; in virtual time it starts again by itself after a crash."""
    line, report = read_line(RECIPES / "lines/puck.yaml")
    assert line is not None, report.render()
    return line


@pytest.fixture(scope="session")
def attended_line(puck_line: Line) -> Line:
    """The puck line, which a person starts again after a crash; until then it stays stopped."""
    return replace(puck_line, restart="operator")


@pytest.fixture(scope="session")
def pucks(puck_line: Line) -> list[Executable]:
    """The variants of the shipped recipe, compiled for the puck line: indoor, outdoor, tall."""
    text = (RECIPES / "products/sensor-puck.yaml").read_text("utf-8")
    return [compile_order_text(text, "sensor-puck.yaml", v, puck_line) for v in ("indoor", "outdoor", "tall")]


@pytest.fixture(scope="session")
def back_and_forth(puck_line: Line) -> Executable:
    """A recipe whose parts go back to an earlier stop of the puck line: without a rule they jam."""
    return compile_order_text(BACK_AND_FORTH, "twice-gauged.yaml", "", puck_line)


@pytest.fixture(scope="session")
def with_example_plugin() -> Installed:
    """The kinds and drivers as they are when the example is installed beside the standard ones."""
    return loaded_with(HERE / "example_plugin")


@pytest.fixture
def cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shipped files in a directory of its own, which is the current one."""
    shutil.copytree(RECIPES, tmp_path / "cell")
    monkeypatch.chdir(tmp_path / "cell")
    monkeypatch.delenv("CELLCTL_STATE", raising=False)
    return tmp_path / "cell"
