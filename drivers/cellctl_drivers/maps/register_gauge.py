"""The reference gauge: a measuring head behind a few registers. Map: cellctl's own, drivers/README.md."""

from __future__ import annotations

from cellctl.runtime import Table
from cellctl_drivers.registers import Register, Type

_OWN = "drivers/README.md, reference gauge"

FEATURE = Register("FEATURE", Table.HOLDING, 0, doc="feature to measure, 0 to 15", source=_OWN)
REQUEST = Register(
    "REQUEST", Table.HOLDING, 1, doc="request number, 1 to 65535; writing it measures", source=_OWN
)
STATUS = Register("STATUS", Table.INPUT, 0, doc="bit 0 ready, bit 1 busy, bit 2 error", source=_OWN)
ANSWERED = Register("ANSWERED", Table.INPUT, 1, doc="number of the request last answered", source=_OWN)
VALUE = Register("VALUE", Table.INPUT, 2, Type.F32, 0.001, "m", "the value, in mm on the wire", _OWN)
MEASURED = Register("MEASURED", Table.INPUT, 4, doc="feature that the value is of", source=_OWN)
BOOTS = Register("BOOTS", Table.INPUT, 5, doc="boot count", source=_OWN)

REGISTERS = (FEATURE, REQUEST, STATUS, ANSWERED, VALUE, MEASURED, BOOTS)
ANSWER = (STATUS, ANSWERED, VALUE, MEASURED, BOOTS)

READY, BUSY, ERROR = 0x1, 0x2, 0x4
MOST_FEATURES = 16
LAST_REQUEST = 0xFFFF
