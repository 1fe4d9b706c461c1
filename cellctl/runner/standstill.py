"""Why a module does not work although the line is to run, where only a person can change that. Pure."""

from __future__ import annotations

from cellctl.messages import View
from cellctl.packml import Mode, State

_RUNS = (State.EXECUTE, State.STARTING, State.RESETTING)
DOUBT = "in doubt"  # who holds a module that asks a question, which has an alarm of its own


def standstill(line: State, view: View) -> str:
    """Why a module that is in `view` does not work while the line is in `line`; "" where it works or will by itself."""
    if line not in _RUNS:
        return ""
    if view.state is State.HELD and view.entered_by != DOUBT:
        return f"{view.module} is held by {view.entered_by or 'somebody'} while the line runs"
    if view.state is State.EXECUTE and view.mode is not Mode.PRODUCTION:
        return f"{view.module} is in {view.mode} mode while the line runs"
    return ""
