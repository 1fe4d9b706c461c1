"""What lies about in the plant: items made of components, where each truly is and what was done to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from cellctl.line.model import Material

GONE = ""  # the place of what a hand took away; what went into a sink has that as its place
FLOOR = "floor"  # the place of what was dropped
PART = 0.04  # [m] length of a part, from bumper to bumper: the distance of parts in a queue


@dataclass(slots=True, eq=False)
class Item:
    """One thing: a component, or components joined. Numbered by the plant; nobody else knows these numbers."""

    length: ClassVar[float] = PART
    number: int
    components: list[Material]
    place: str
    compression: float = 0.0  # [m] by which pressing has made it lower for good
    history: list[tuple[float, str]] = field(default_factory=list)

    @property
    def mass(self) -> float:
        """[kg]"""
        return sum(component.mass for component in self.components)

    @property
    def height(self) -> float:
        """[m]: what its components add up to, less what presses took away."""
        return sum(component.height for component in self.components) - self.compression

    @property
    def compliance(self) -> float:
        """[m/N] of its components as springs in series; those of stiffness 0 are rigid."""
        return sum(1.0 / component.stiffness for component in self.components if component.stiffness > 0.0)

    def press(self, t: float, force: float) -> None:
        """Squeeze it with `force` [N]; the deepest pressing so far remains."""
        self.compression = max(self.compression, force * self.compliance)
        self.record(t, f"pressed with {force:g} N")

    def join(self, t: float, other: Item) -> None:
        """`other` becomes part of this one, and is nothing of its own any more."""
        self.components += other.components
        self.record(t, f"joined by {'+'.join(c.name for c in other.components)}")
        other.components, other.place = [], GONE

    def record(self, t: float, what: str) -> None:
        """Note what was done to it."""
        self.history.append((t, what))

    def report(self) -> dict[str, object]:
        """The truth about it, as plain data."""
        return {
            "number": self.number,
            "place": self.place,
            "components": [component.name for component in self.components],
            "mass": self.mass,
            "height": self.height,
            "history": [{"at": t, "what": what} for t, what in self.history],
        }
