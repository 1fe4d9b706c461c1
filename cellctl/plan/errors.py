"""What can be wrong with a question about schedules; each error says which figure, and what would do instead."""

from __future__ import annotations

from collections.abc import Sequence

from cellctl.errors import CellctlError


class BadPlan(CellctlError):
    """A description of a line or cell that cannot be scheduled as it stands: a figure missing or contradictory."""

    def __init__(self, who: str, what: str, instead: str = "") -> None:
        self.who, self.what, self.instead = who, what, instead
        super().__init__(f"{who}: {what}{f'; {instead}' if instead else ''}")


class PositiveCircuit(CellctlError):
    """A star of a max-plus matrix was asked for that has a circuit of positive weight: it grows without end."""

    def __init__(self, node: int) -> None:
        self.node = node
        super().__init__(
            f"the star does not exist: a circuit through node {node} has a positive weight; "
            "subtract the eigenvalue first"
        )


class NoSchedule(CellctlError):
    """No period whatever satisfies the constraints; keeps the circuit of those that contradict each other."""

    def __init__(self, reason: str, circuit: Sequence[str] = ()) -> None:
        self.reason, self.circuit = reason, tuple(circuit)
        round_trip = f": {' -> '.join((*self.circuit, self.circuit[0]))}" if self.circuit else ""
        super().__init__(f"no cyclic schedule exists: {reason}{round_trip}")


class NotProved(CellctlError):
    """The search ended at its time limit without any schedule; says what is known."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(
            f"no schedule found within {seconds:g} s, and none excluded; allow more time, or fewer parts a cycle"
        )


class NotModelled(CellctlError):
    """Something of a line or recipe that the exact search for jams does not follow; the banker's rule still holds."""

    def __init__(self, who: str, what: str) -> None:
        self.who, self.what = who, what
        super().__init__(f"{who}: {what}, which the search for jams does not follow")
