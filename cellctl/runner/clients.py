"""By what name a client goes into the records: what they say they are, and beside it the key that proves who it is."""

from __future__ import annotations

OWN = frozenset(
    {"", "runner", "fault", "safety", "lease", "in doubt", "not ready", "restart"}
)  # of the program
LONGEST = 64


def recorded_as(claimed: str, key: str) -> str:
    """`anna (key operator)` where the bus has keys; `anna` where nobody proves anything.

    Nobody is recorded under a name that the program itself uses (a module that "safety" aborted is treated
    otherwise), nor with a key that they did not show.
    """
    plain = (
        "".join(c for c in claimed[:LONGEST] if c.isprintable()).replace("(", "[").replace(")", "]").strip()
    )
    name = f"{plain!r}" if plain in OWN else plain
    return f"{name} (key {key})" if key else name
