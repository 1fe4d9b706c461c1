"""Schneider Altivar ATV320: the registers that a belt drive needs, and what its status and fault codes mean.

Address rule: 3000 + (CANopen index - 0x2000) * 100 + (subindex - 1). Sources: the parameter list and enumerations of
the P86 in github.com/hilch/ac_invlib@03a7003 (taken to be the same platform), ATV320 Modbus manual NVE41308, ATV12
Modbus manual BBV28590. What is marked "unverified" comes from no document at hand: check it on the drive.
"""

from __future__ import annotations

from cellctl.runtime import Table
from cellctl_drivers.registers import Register, Type

MOST_REGISTERS = 63  # in one read (ATV12 and ATV320; BBV28590)

_P86 = "ac_invlib P86_registers.h"


def _holding(
    name: str,
    address: int,
    doc: str,
    type: Type = Type.U16,
    scale: float = 1.0,
    unit: str = "",
    source: str = _P86,
) -> Register:
    return Register(name, Table.HOLDING, address, type, scale, unit, doc, source)


TFR = _holding("TFR", 3103, "greatest output frequency", scale=0.1, unit="Hz")
HSP = _holding("HSP", 3104, "high speed: the reference is cut here", scale=0.1, unit="Hz")
LSP = _holding("LSP", 3105, "low speed: the reference is lifted to this", scale=0.1, unit="Hz")
ETA = _holding("ETA", 3201, "status word, CiA402", source="ATV61 programming manual p.17; BBV28590")
RFR = _holding("RFR", 3202, "output frequency, signed by direction", Type.S16, 0.1, "Hz")
LCR = _holding("LCR", 3204, "motor current", scale=0.1, unit="A")
HMIS = _holding("HMIS", 3240, "drive state as on its display")
TTO = _holding(
    "TTO", 6005, "time without a request after which the Modbus fault SLF1 comes", scale=0.1, unit="s"
)
SLL = _holding("SLL", 7010, "what a Modbus loss does to the motor")
LFT = _holding("LFT", 7121, "last fault")
CHCF = _holding("CHCF", 8401, "control profile: 1 combined, 2 separate, 3 I/O")
FR1 = _holding("FR1", 8413, "channel of reference 1")
CD1 = _holding("CD1", 8423, "channel of command 1")
CMD = _holding("CMD", 8501, "command word, CiA402")
LFR = _holding("LFR", 8502, "frequency reference", Type.S16, 0.1, "Hz")
ACC = _holding("ACC", 9001, "time from standstill to rated frequency", scale=0.1, unit="s")
DEC = _holding("DEC", 9002, "time from rated frequency to standstill", scale=0.1, unit="s")

REGISTERS = (TFR, HSP, LSP, ETA, RFR, LCR, HMIS, TTO, SLL, LFT, CHCF, FR1, CD1, CMD, LFR, ACC, DEC)

SLL_RAMP = 6  # stop on the ramp, then fault; ac_invlib en_P86_ECFG
CHCF_SEPARATE = 2  # ac_invlib en_P86_CHCF
CD1_MODBUS = 10  # ac_invlib en_P86_CDX
FR1_MODBUS = 164  # unverified

# Command word, CiA402 (NVE41308)
DISABLE_VOLTAGE = 0x0000
SHUTDOWN = 0x0006
SWITCH_ON = 0x0007
ENABLE = 0x000F
FAULT_RESET = 0x0080  # acts on its rising edge

# Status word, masked with 0x006F (ATV61 programming manual p.17)
STATE_MASK = 0x006F
NOT_READY, SWITCH_ON_DISABLED, READY, SWITCHED_ON = 0x00, 0x40, 0x21, 0x23
ENABLED, QUICK_STOP, FAULT_REACTION, FAULT = 0x27, 0x07, 0x0F, 0x08
REMOTE = 0x0200  # command and reference come over the network
REFERENCE_REACHED = 0x0400

STATE_NAMES = {
    NOT_READY: "not ready to switch on",
    SWITCH_ON_DISABLED: "switch-on disabled",
    READY: "ready to switch on",
    SWITCHED_ON: "switched on",
    ENABLED: "operation enabled",
    QUICK_STOP: "quick stop",
    FAULT_REACTION: "reacting to a fault",
    FAULT: "fault",
}

# LFT: what it is, what to do (codes and names: ac_invlib en_P86_LFT)
FAULTS = {
    0: ("no fault is stored", ""),
    2: ("EEF1: its parameter memory failed", "switch it off and on; replace it when the fault comes back"),
    3: ("CFF: its configuration does not fit its hardware", "load the configuration again"),
    4: ("CFI: its configuration is invalid", "load the configuration again"),
    5: ("SLF1: the Modbus connection was interrupted", "check cable and network, then reset"),
    7: ("CNF: the fieldbus was interrupted", "check cable and network, then reset"),
    8: ("EPF1: an external fault was signalled", "find what drives its fault input, then reset"),
    9: ("OCF: overcurrent", "check whether the belt is blocked and the ramps are long enough"),
    15: ("IHF: its input stage is too hot", "check ventilation, let it cool"),
    16: ("OHF: it is too hot", "check load, ventilation and room temperature, let it cool"),
    17: ("OLF: motor overload", "check the load on the belt, let the motor cool"),
    18: ("OBF: DC bus overvoltage while braking", "lengthen the deceleration or fit a braking resistor"),
    19: ("OSF: mains overvoltage", "check the mains"),
    20: ("OPF1: a motor phase is lost", "check the motor cable"),
    21: ("PHF: a mains phase is lost", "check mains and fuses"),
    22: ("USF: mains undervoltage", "check the mains"),
    23: ("SCF1: short circuit at the motor", "check motor cable and motor insulation"),
    24: ("SOF: motor overspeed", "check the motor data and what drives the belt"),
    25: ("TNF: autotuning failed", "tune again with the motor connected and standing"),
    30: ("EEF2: its power stage's memory failed", "replace the drive"),
    32: ("SCF3: short circuit to ground", "check motor cable and motor insulation"),
    33: ("OPF2: all motor phases are lost", "check the motor cable and its contactor"),
    34: ("COF: CANopen was interrupted", "check cable and network, then reset"),
    38: ("EPF2: an external fault came over the fieldbus", "find who sent it, then reset"),
    42: ("SLF2: the connection to the PC was interrupted", "check the cable, then reset"),
    44: ("SSF: torque or current limit", "check whether the belt is blocked"),
    45: ("SLF3: the connection to the terminal was interrupted", "check the terminal, then reset"),
    54: ("TJF: its power transistors are too hot", "check load and ventilation, let it cool"),
    70: ("BOF: braking resistor overload", "lengthen the deceleration, let it cool"),
    100: ("ULF: process underload", "check belt and coupling"),
    101: ("OLC: process overload", "check whether the belt is blocked"),
    107: ("SAFF: safety function", "check the safety circuit"),
    148: ("STF: the motor stalls", "check whether the belt is blocked"),
}
