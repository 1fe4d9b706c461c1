"""A child process does not outlive the one that started it, however that one ends: by `kill -9`, Ctrl-C or a fault."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Mapping

PARENT = "CELLCTL_PARENT"  # the environment tells a child whose it is
_PR_SET_PDEATHSIG = 1  # prctl(2)


def environment_of_child(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child of this process that calls `end_with_parent`."""
    return {**environment, PARENT: str(os.getpid())}


def end_with_parent() -> None:
    """End this process as soon as its parent does; a child calls it before anything else.

    Without a parent in the environment (started by hand or by systemd) it does nothing. The signal is SIGKILL,
    because only that is certain: a line whose supervisor died recovers as from a power failure, which it must
    be able to do anyway. Elsewhere than on Linux only a parent that is gone already is noticed.
    """
    parent = os.environ.pop(PARENT, "")
    if not parent:
        return
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(parent):  # it died between our fork and the call above
        raise SystemExit(1)
