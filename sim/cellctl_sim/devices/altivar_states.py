"""The CiA402 state machine as the Altivar runs it: states as they stand in ETA, commands as they stand in CMD."""

from __future__ import annotations

from enum import IntEnum


class DriveState(IntEnum):
    """ETA masked with 0x006F (ATV61 programming manual p.17)."""

    SWITCH_ON_DISABLED = 0x40
    READY = 0x21
    SWITCHED_ON = 0x23
    ENABLED = 0x27
    QUICK_STOP = 0x07
    FAULT_REACTION = 0x0F
    FAULT = 0x08


class Command(int):
    """The command word CMD (8501)."""

    @property
    def disables_voltage(self) -> bool:
        return not self & 0x2

    @property
    def stops_quickly(self) -> bool:
        return self & 0x6 == 0x2

    @property
    def shuts_down(self) -> bool:
        return self & 0x7 == 0x6

    @property
    def switches_on(self) -> bool:
        return self & 0xF == 0x7

    @property
    def enables(self) -> bool:
        return self & 0xF == 0xF

    @property
    def halts(self) -> bool:
        return bool(self & 0x100)

    @property
    def resets(self) -> bool:
        return bool(self & 0x80)


S = DriveState


def next_state(state: DriveState, command: Command, stands: bool) -> DriveState:
    """Where `command` leads; `stands` is whether the motor stands. Faults are left by a reset only, not here."""
    if state in (S.FAULT, S.FAULT_REACTION):
        return state
    if command.disables_voltage:
        return S.SWITCH_ON_DISABLED
    match state:
        case S.SWITCH_ON_DISABLED:
            return S.READY if command.shuts_down else state
        case S.READY if command.stops_quickly:
            return S.SWITCH_ON_DISABLED
        case S.READY if command.enables:
            return (
                S.ENABLED
            )  # by way of switched on, which it may pass by itself (CiA402 transitions 3 and 4)
        case S.READY:
            return S.SWITCHED_ON if command.switches_on else state
        case S.SWITCHED_ON if command.stops_quickly:
            return S.SWITCH_ON_DISABLED
        case S.SWITCHED_ON if command.enables:
            return S.ENABLED
        case S.SWITCHED_ON:
            return S.READY if command.shuts_down else state
        case S.ENABLED if command.stops_quickly:
            return S.QUICK_STOP
        case S.ENABLED if command.shuts_down:
            return S.READY
        case S.ENABLED if command.switches_on and stands:
            return S.SWITCHED_ON
        case _:
            return state
