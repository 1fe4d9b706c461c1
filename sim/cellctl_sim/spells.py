"""Kinds of trouble that last for a while, each with a value: how much, how often, how long."""

from __future__ import annotations


class Spells:
    """What troubles something at present, and until when. Times in virtual nanoseconds."""

    def __init__(self) -> None:
        self._spells: dict[str, tuple[float, int]] = {}  # kind -> value, until [ns]
        self.are_none = True  # and never were any

    def begin(self, kind: str, value: float, until: int) -> None:
        """From now on until `until` [ns]; instead of an earlier spell of this kind."""
        self.are_none = False
        self._spells[kind] = (value, until)

    def value(self, kind: str, now: int) -> float | None:
        """How bad it is at `now` [ns]; None when there is no such trouble."""
        spell = self._spells.get(kind)
        return spell[0] if spell is not None and now < spell[1] else None

    def end(self, kind: str) -> None:
        """It is over."""
        self._spells.pop(kind, None)
