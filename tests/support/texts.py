"""Texts that are changed in one place."""

from __future__ import annotations

from collections.abc import Iterable


def changed(text: str, changes: Iterable[tuple[str, str]]) -> str:
    """The text after some changes (old, new); what is changed stands in it just once."""
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the text"
        text = text.replace(old, new)
    return text
