"""The example plug-in as it is when it is installed, and the cell that picks from a moving belt with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from plugged_in import Installed, write_metadata

from cellctl.findings import Report
from cellctl.line.load import load_line
from cellctl.line.model import Line

HERE = Path(__file__).parent


@pytest.fixture
def example_on_path(
    with_example_plugin: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Installed:
    """The kinds and drivers with those of the example, whose entry points are found as an installed package's are."""
    write_metadata(HERE.parent / "example_plugin", tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return with_example_plugin


@pytest.fixture
def moving_belt(example_on_path: Installed) -> Line:
    """The line of the cell that picks from a moving belt."""
    report = Report()
    line = load_line(HERE / "moving-belt/line.yaml", report, *example_on_path)
    assert line is not None, report.render()
    return line
