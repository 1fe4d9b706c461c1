"""The reference machine: a PLC that runs numbered programs and keeps the number of the action it took and did.

Map: cellctl's own, drivers/README.md. The PLC takes program, count, values and number from one request, starts when
the number differs from ACK and it neither runs nor is operated locally, and keeps ACK, DONE, CODE, results, boot and
local count over a power loss. It ignores values beyond COUNT: the last two words carry the controller's own notes.
"""

from __future__ import annotations

from cellctl.runtime import Table
from cellctl_drivers.registers import Block, Register, Type

_OWN = "drivers/README.md, reference machine"


def _holding(name: str, address: int, doc: str, type: Type = Type.U16) -> Register:
    return Register(name, Table.HOLDING, address, type, doc=doc, source=_OWN)


def _input(name: str, address: int, doc: str, type: Type = Type.U16) -> Register:
    return Register(name, Table.INPUT, address, type, doc=doc, source=_OWN)


PROGRAM = _holding("PROGRAM", 0, "program to run")
COUNT = _holding("COUNT", 1, "how many values follow, 0 to 8")
VALUES = Block("VALUE", Table.HOLDING, 2, 8, doc="parameters of the program", source=_OWN)
NOTED_BOOTS = _holding("NOTED_BOOTS", 16, "boot count that the controller saw before it wrote the number")
NOTED_LOCALS = _holding("NOTED_LOCALS", 17, "count of local operations that it saw then")
NUMBER = _holding("NUMBER", 18, "action number, written last", Type.U32)
STOP = _holding("STOP", 30, "1 stops the program")

ACK = _input("ACK", 0, "number of the action taken", Type.U32)
DONE = _input("DONE", 2, "number of the action done", Type.U32)
STATE = _input("STATE", 4, "0 idle, 1 running, 2 done, 3 failed, 4 local operation")
BOOTS = _input("BOOTS", 5, "boot count")
CODE = _input("CODE", 6, "result code, 0: well")
RESULTS = _input("RESULTS", 7, "how many results follow")
RESULT = Block("RESULT", Table.INPUT, 8, 8, doc="results of the program", source=_OWN)
LOCALS = _input("LOCALS", 24, "count of local operations")

REGISTERS = (
    PROGRAM,
    COUNT,
    NOTED_BOOTS,
    NOTED_LOCALS,
    NUMBER,
    STOP,
    ACK,
    DONE,
    STATE,
    BOOTS,
    CODE,
    RESULTS,
    LOCALS,
)
REPORT = (ACK, DONE, STATE, BOOTS, CODE, RESULTS, *RESULT.first(8), LOCALS)
NOTES = (NOTED_BOOTS, NOTED_LOCALS, NUMBER)

MOST_VALUES = 7  # the eighth value's words carry the notes
IDLE, RUNNING, FINISHED, FAILED, LOCAL = range(5)
STATE_NAMES = {
    IDLE: "idle",
    RUNNING: "running",
    FINISHED: "done",
    FAILED: "failed",
    LOCAL: "in local operation",
}
