"""Which PackML command brings a module to where the line wants it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from cellctl.packml import State, StateCommand

S, C = State, StateCommand

_TO_IDLE = {S.STOPPED: C.RESET, S.COMPLETE: C.RESET}
_TO_EXECUTE = {**_TO_IDLE, S.IDLE: C.START, S.SUSPENDED: C.UNSUSPEND}
_RUNNING = (S.EXECUTE, S.IDLE, S.SUSPENDED, S.STARTING, S.RESETTING, S.UNHOLDING, S.UNSUSPENDING, S.COMPLETE)

_WANTED: dict[State, dict[State, StateCommand]] = {
    S.RESETTING: _TO_IDLE,
    S.STARTING: _TO_EXECUTE,
    S.EXECUTE: _TO_EXECUTE,
    S.UNHOLDING: {**_TO_EXECUTE, S.HELD: C.UNHOLD},
    S.HOLDING: {S.EXECUTE: C.HOLD, S.SUSPENDED: C.HOLD},
    S.HELD: {S.EXECUTE: C.HOLD, S.SUSPENDED: C.HOLD},
    S.STOPPING: dict.fromkeys(_RUNNING, C.STOP) | {S.HELD: C.STOP, S.HOLDING: C.STOP},
    S.ABORTING: dict.fromkeys((s for s in S if s not in (S.ABORTING, S.ABORTED)), C.ABORT),
    S.CLEARING: {S.ABORTED: C.CLEAR},
}

_ARRIVED: dict[State, tuple[State, ...]] = {
    S.RESETTING: (S.IDLE, S.EXECUTE),
    S.STARTING: (S.EXECUTE,),
    S.UNHOLDING: (S.EXECUTE,),
    S.HOLDING: (S.HELD, S.STOPPED, S.ABORTED, S.IDLE, S.COMPLETE),
    S.STOPPING: (S.STOPPED, S.ABORTED),
    S.ABORTING: (S.ABORTED,),
    S.CLEARING: (S.STOPPED, S.IDLE, S.EXECUTE),
}


# these concern every module, also one that was taken out of use
TO_REST = (S.HOLDING, S.STOPPING, S.ABORTING)

# what a module is told of which nothing is known yet, before it can begin anything
UNSEEN: dict[State, StateCommand] = {
    S.HOLDING: C.HOLD,
    S.HELD: C.HOLD,
    S.STOPPING: C.STOP,
    S.ABORTING: C.ABORT,
}


def instruction(line: State, module: State, *, by_itself: bool) -> StateCommand | None:
    """What to tell a module while the line is in `line`; None for nothing.

    `by_itself`: a module that aborted on a fault is cleared without waiting for a person.
    """
    if by_itself and module is S.ABORTED and line in (S.EXECUTE, S.STARTING, S.RESETTING, S.UNHOLDING):
        return C.CLEAR
    return _WANTED.get(line, {}).get(module)


def is_there(line: State, module: State) -> bool:
    """Whether a module is where an acting state of the line leads to; true in a wait state of the line."""
    return line not in _ARRIVED or module in _ARRIVED[line]


def has_arrived(line: State, modules: Sequence[State | None]) -> bool:
    """Whether an acting state of the line is over: every module is where it leads to, and none is unheard (None)."""
    return line in _ARRIVED and all(module in _ARRIVED[line] for module in modules)
