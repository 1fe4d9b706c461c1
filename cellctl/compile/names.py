"""Names in a recipe that mean things on the line."""

from __future__ import annotations

from cellctl.compile.codes import UNKNOWN_STATION
from cellctl.findings import Span
from cellctl.line.model import Line
from cellctl.recipe.file import listed
from cellctl.recipe.variant import StepText
from cellctl.sheet import Sheet
from cellctl.yamlsource import Sequence


def station(line: Line, sheet: Sheet, name: str, where: Span) -> str | None:
    """The full name of a station that a recipe names in full, or shortly where only one is called so."""
    if name in line.stations:
        return name
    meant = [full for full in line.stations if full.partition(".")[2] == name]
    if len(meant) == 1:
        return meant[0]
    if meant:
        message = f"{name!r} may be {' or '.join(meant)}"
        sheet.error(UNKNOWN_STATION, where, message, "write it in full")
    else:
        sheet.unknown(UNKNOWN_STATION, where, "station", name, line.stations)
    return None


def stations(line: Line, sheet: Sheet, text: StepText, key: str) -> tuple[str, ...]:
    """The full names of the stations that the step's key names, as far as they exist."""
    node = text.node.items.get(key)
    found = []
    for place, name in enumerate(listed(getattr(text.file, key))):
        item = node.items[place] if isinstance(node, Sequence) else node
        full = station(line, sheet, name, (item or text.node).span)
        if full is not None:
            found.append(full)
    return tuple(found)
