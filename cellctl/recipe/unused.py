"""Parameters that nothing uses: variants that set them would change nothing, so a `$` may be missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cellctl.recipe.codes import UNUSED_PARAMETER
from cellctl.recipe.nodes import is_reference
from cellctl.sheet import Sheet
from cellctl.yamlsource import Mapping as MappingNode
from cellctl.yamlsource import Node, Scalar, Sequence


def warn_of_unused(sheet: Sheet, parameters: Iterable[str]) -> None:
    """Warn of each of the file's parameters that neither steps nor variants speak of."""
    sections = [sheet.node(part) for part in ("steps", "scrap", "variants") if sheet.has(part)]
    used = {name for section in sections for name in _used_in(section)}
    for name in parameters:
        if name not in used:
            where = sheet.key_span("parameters", name)
            advice = f"use it as ${name}, or remove it"
            sheet.report.warn(UNUSED_PARAMETER, where, f"no step uses the parameter {name!r}", advice)


def _used_in(node: Node) -> Iterator[str]:
    """The parameters that are referred to, or that conditions are about."""
    match node:
        case Scalar():
            yield from (node.text[1:],) if is_reference(node) else ()
        case MappingNode(items=entries):
            when = entries.get("when")
            yield from when.items if isinstance(when, MappingNode) else ()
            for value in entries.values():
                yield from _used_in(value)
        case Sequence(items=items):
            for item in items:
                yield from _used_in(item)
