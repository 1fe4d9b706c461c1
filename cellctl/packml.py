"""PackML (ANSI/ISA-TR88.00.02): states, modes, commands and the transition table, as data.

One table drives the modules, the line, the displays, the documents and the tests. State and command codes agree
between OPC 30050 v1.01 (edition 2015) and TR88.00.02-2022; the editions differ in the rows marked below.
"""

from __future__ import annotations

from enum import StrEnum

from cellctl.errors import Refused


class State(StrEnum):
    CLEARING = "clearing"
    STOPPED = "stopped"
    STARTING = "starting"
    IDLE = "idle"
    SUSPENDED = "suspended"
    EXECUTE = "execute"
    STOPPING = "stopping"
    ABORTING = "aborting"
    ABORTED = "aborted"
    HOLDING = "holding"
    HELD = "held"
    UNHOLDING = "unholding"
    SUSPENDING = "suspending"
    UNSUSPENDING = "unsuspending"
    RESETTING = "resetting"
    COMPLETING = "completing"
    COMPLETE = "complete"


CODE = {
    state: code for code, state in enumerate(State, start=1)
}  # StateCurrent of the PackTags; 0 = undefined


class StateCommand(StrEnum):
    RESET = "reset"
    START = "start"
    STOP = "stop"
    HOLD = "hold"
    UNHOLD = "unhold"
    SUSPEND = "suspend"
    UNSUSPEND = "unsuspend"
    ABORT = "abort"
    CLEAR = "clear"
    COMPLETE = "complete"


COMMAND_CODE = {command: code for code, command in enumerate(StateCommand, start=1)}  # Command.CntrlCmd


class Mode(StrEnum):
    PRODUCTION = "production"
    MAINTENANCE = "maintenance"
    MANUAL = "manual"


class Edition(StrEnum):
    E2015 = "2015"
    E2022 = "2022"


S, C = State, StateCommand

ACTING = {  # acting state -> the state it leaves to when its work is done (SC)
    S.CLEARING: S.STOPPED,
    S.STARTING: S.EXECUTE,
    S.STOPPING: S.STOPPED,
    S.ABORTING: S.ABORTED,
    S.HOLDING: S.HELD,
    S.UNHOLDING: S.EXECUTE,
    S.SUSPENDING: S.SUSPENDED,
    S.UNSUSPENDING: S.EXECUTE,
    S.RESETTING: S.IDLE,
    S.COMPLETING: S.COMPLETE,
}

NEEDS_NO_LEASE = (C.HOLD, C.STOP, C.ABORT)  # whoever sees a reason may bring things to rest

_ANY_BUT_STOPPED = frozenset(S) - {S.STOPPING, S.STOPPED, S.CLEARING, S.ABORTING, S.ABORTED}
_ANY_BUT_ABORTED = frozenset(S) - {S.ABORTING, S.ABORTED}

_COMMON: dict[StateCommand, tuple[frozenset[State], State]] = {
    C.RESET: (frozenset({S.STOPPED, S.COMPLETE}), S.RESETTING),
    C.START: (frozenset({S.IDLE}), S.STARTING),
    C.HOLD: (frozenset({S.EXECUTE, S.SUSPENDED}), S.HOLDING),
    C.UNHOLD: (frozenset({S.HELD}), S.UNHOLDING),
    C.SUSPEND: (frozenset({S.EXECUTE}), S.SUSPENDING),
    C.UNSUSPEND: (frozenset({S.SUSPENDED}), S.UNSUSPENDING),
    C.COMPLETE: (frozenset({S.EXECUTE}), S.COMPLETING),
    C.STOP: (_ANY_BUT_STOPPED, S.STOPPING),
    C.ABORT: (_ANY_BUT_ABORTED, S.ABORTING),
    C.CLEAR: (frozenset({S.ABORTED}), S.CLEARING),
}

TRANSITIONS: dict[Edition, dict[StateCommand, tuple[frozenset[State], State]]] = {
    Edition.E2015: _COMMON
    | {
        C.HOLD: (
            frozenset(
                {S.EXECUTE, S.SUSPENDED, S.STARTING, S.SUSPENDING, S.UNSUSPENDING, S.UNHOLDING},
            ),
            S.HOLDING,
        ),
    },
    Edition.E2022: _COMMON | {C.COMPLETE: (frozenset({S.EXECUTE, S.SUSPENDED, S.HELD}), S.COMPLETING)},
}


def after(state: State, command: StateCommand, edition: Edition = Edition.E2022) -> State:
    """The state that `command` leads to from `state`. Raises Refused when it is not legal there."""
    sources, target = TRANSITIONS[edition][command]
    if state not in sources:
        legal = ", ".join(c for c in commands_in(state, edition)) or "none"
        raise Refused(f"{command} is not allowed in {state}; allowed: {legal}")
    return target


def completed(state: State) -> State:
    """Where an acting state leaves to when its work is done; the state itself when it is not an acting one."""
    return ACTING.get(state, state)


def commands_in(state: State, edition: Edition = Edition.E2022) -> tuple[StateCommand, ...]:
    """The commands that are legal in `state`."""
    return tuple(c for c, (sources, _) in TRANSITIONS[edition].items() if state in sources)
