"""A line file read with everything that is plugged in here."""

from __future__ import annotations

from pathlib import Path

from cellctl.findings import Report
from cellctl.line.load import load_line
from cellctl.line.model import Line
from cellctl.plugins import load_drivers, load_kinds


def read_line(path: Path) -> tuple[Line | None, Report]:
    """The line in a file, None when it has errors, and what was found. Raises PlugInError."""
    report = Report()
    return load_line(path, report, load_kinds(), load_drivers()), report
