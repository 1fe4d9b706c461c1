"""A report that says more of each finding than whoever found it knew, before it hands it on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from cellctl.findings import Finding, Related, Report, Span
from cellctl.yamlsource import Scalar


class Around(Report):
    """Hands every finding and source on to another report; `told` makes of a finding what is said there."""

    def __init__(self, outer: Report, told: Callable[[Finding], Finding]) -> None:
        super().__init__()
        self._outer, self._told = outer, told

    def add_source(self, file: str, text: str) -> None:
        """Keep the text of a file here and there."""
        super().add_source(file, text)
        self._outer.add_source(file, text)

    def add(self, finding: Finding) -> None:
        """Take up one finding here and there."""
        super().add(finding)
        self._outer.add(self._told(finding))


def included_here(finding: Finding, places: Mapping[str, tuple[Span, ...]]) -> Finding:
    """The finding with the `include`s that led to its file."""
    return beside(finding, *(Related(span, "included here") for span in places.get(finding.span.file, ())))


def with_value(finding: Finding, references: Mapping[Span, str], values: Mapping[str, Scalar]) -> Finding:
    """A finding at one of these `$parameter`s, with the place where its value stands."""
    name = references.get(finding.span, "")
    return beside(finding, Related(values[name].span, f"the value of ${name}")) if name in values else finding


def beside(finding: Finding, *related: Related) -> Finding:
    """The finding with more places beside it."""
    return replace(finding, related=(*finding.related, *related)) if related else finding
