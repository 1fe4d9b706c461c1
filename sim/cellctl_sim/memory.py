"""The collector of cycles, told what simulations are like: they make much, drop it soon, and little of it in cycles.

As Python sets it, it goes through everything that is loaded again and again, for a fifth of the time of a long run.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = (5_000, 20, 50)  # instead of (700, 10, 10): objects, then how often the younger before the older


def collect_seldom() -> None:
    """From now on what is loaded by now is never looked at, and what is made later seldom. For whole processes."""
    gc.freeze()
    gc.set_threshold(*SELDOM)


@contextmanager
def collected_seldom() -> Iterator[None]:
    """`collect_seldom`, as long as the block lasts."""
    usual = gc.get_threshold()
    collect_seldom()
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()
