"""A file, or its text -> the value in it: first the guards over its text, then the parser's events."""

from __future__ import annotations

from pathlib import Path

from cellctl.findings import Report
from cellctl.yamlsource.build import Builder
from cellctl.yamlsource.codes import UNREADABLE
from cellctl.yamlsource.nodes import Node
from cellctl.yamlsource.text import MOST_BYTES, decoded, start_of


def load(path: Path, report: Report) -> Node | None:
    """Read a file as `parse` does; that it cannot be read is a finding, too."""
    try:
        with path.open("rb") as file:
            source = file.read(MOST_BYTES + 1)
    except OSError as error:
        why = error.strerror or type(error).__name__
        report.error(UNREADABLE, start_of(str(path)), f"cannot be read: {why}", "check the path")
        return None
    return parse(source, str(path), report)


def parse(source: bytes | str, file: str, report: Report) -> Node | None:
    """The value that `source` holds; what is wrong with it goes to `report`. Never raises, whatever the text.

    None if there is nothing to go on with; else all of the document, with `Refused` in the places of bad values.
    """
    text = decoded(source, file, report)
    if text is None:
        return None
    report.add_source(file, text)
    return Builder(file, text, report).build()
