"""An example of each mistake in a value's form: `-` before a line that is wrong, `+` before one that puts it right."""

from __future__ import annotations

from cellctl.reading.codes import (
    DOES_NOT_FIT,
    MISSING_KEY,
    NOT_A_CHOICE,
    NOT_A_QUANTITY,
    OUT_OF_RANGE,
    UNKNOWN_KEY,
    WRONG_FORM,
    WRONG_KIND,
)

EXAMPLES = {
    UNKNOWN_KEY: """\
 modules:
   arm:
-    robt: meca500
+    robot: meca500
""",
    MISSING_KEY: """\
 modules:
   arm:
     stations:
-      bench: {pose: {x: 150 mm, y: -100 mm}}
+      bench: {pose: {x: 150 mm, y: -100 mm, z: 40 mm}}
""",
    WRONG_KIND: """\
 devices:
-  io: {use: remote_io, address: modbus-tcp://10.0.0.1:502, inputs: four, outputs: 4}
+  io: {use: remote_io, address: modbus-tcp://10.0.0.1:502, inputs: 4, outputs: 4}
""",
    NOT_A_QUANTITY: """\
 modules:
   belt:
-    speed: 150
+    speed: 150 mm/s
""",
    NOT_A_CHOICE: """\
-runner: {restart: by-hand}
+runner: {restart: operator}
""",
    OUT_OF_RANGE: """\
 modules:
   belt:
-    speed: 150 m/s
+    speed: 150 mm/s
""",
    WRONG_FORM: """\
-line: small line
+line: small-line
""",
    DOES_NOT_FIT: """\
 modules:
   press:
     programs:
-      close: {number: 1, takes: {force: {min: 80 N, max: 10 N}}, gives: [peak], time: 2 s}
+      close: {number: 1, takes: {force: {min: 10 N, max: 80 N}}, gives: [peak], time: 2 s}
""",
}
