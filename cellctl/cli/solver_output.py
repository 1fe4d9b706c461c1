"""Keeps stdout for data while a solver runs: HiGHS now and then prints on file descriptor 1, whatever it is told."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

STDOUT, STDERR = 1, 2


@contextmanager
def on_stderr() -> Iterator[None]:
    """What compiled code of this process prints meanwhile goes to stderr. Where stdout is closed, nothing changes."""
    sys.stdout.flush()
    try:
        kept = os.dup(STDOUT)
    except OSError:
        yield
        return
    try:
        os.dup2(STDERR, STDOUT)
        yield
    finally:
        ctypes.CDLL(None).fflush(None)  # the C library keeps text back for as long as nobody looks at it
        os.dup2(kept, STDOUT)
        os.close(kept)
