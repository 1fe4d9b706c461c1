"""An example of each mistake in a line file: `-` before a line that is wrong, `+` before one that puts it right.

Each is the part of a file that matters. `# <--` marks the line to blame where it is not the first that is wrong.
"""

from __future__ import annotations

from cellctl.line.codes import (
    ADDRESS_TWICE,
    BAD_ADDRESS,
    BAD_BUS,
    BAD_FRAME,
    BAD_POINT,
    CARRIERS_WITHOUT_ROOM,
    MISSING_ROLE,
    NAME_TAKEN,
    NESTS_ON_A_BELT,
    POINT_TWICE,
    SHARED_SPACE,
    STATION_KEY,
    TAUGHT_IN_VAIN,
    UNKNOWN_DEVICE,
    UNKNOWN_DRIVER,
    UNKNOWN_KIND,
    UNKNOWN_MATERIAL,
    UNKNOWN_MODULE,
    UNKNOWN_ROLE,
    UNKNOWN_STATION,
    UNKNOWN_ZONE,
    UNUSED_DEVICE,
    UNWATCHED_SAFETY,
    WHICH_DEVICE,
    WRONG_CAPABILITY,
)

EXAMPLES = {
    UNKNOWN_KIND: """\
 modules:
   belt:
-    kind: conveyer
+    kind: conveyor
""",
    UNKNOWN_DRIVER: """\
 modules:
   belt:
     devices:
-      drive: {use: altivr, address: modbus-tcp://10.0.0.2:502, speed_per_hz: 5 mm}
+      drive: {use: altivar, address: modbus-tcp://10.0.0.2:502, speed_per_hz: 5 mm}
""",
    UNKNOWN_DEVICE: """\
 modules:
   lids:
     devices:
-      bowl: {use: bowl_feeder, io: io2, start: do2, present: di3}
+      bowl: {use: bowl_feeder, io: io, start: do2, present: di3}
""",
    UNKNOWN_STATION: """\
 modules:
   press:
-    at: belt.pres
+    at: belt.press
""",
    BAD_POINT: """\
 modules:
   belt:
     stations:
-      exit: {at: 400 mm, eye: io.do3, sink: true}
+      exit: {at: 400 mm, eye: io.di2, sink: true}
""",
    WRONG_CAPABILITY: """\
 modules:
   press:
     devices:
-      plc: io
+      plc: {use: handshake_machine, address: modbus-tcp://10.0.0.4:502}
""",
    UNKNOWN_ROLE: """\
 modules:
   gauge:
-    devices: {haed: {use: register_gauge, address: modbus-tcp://10.0.0.5:502}}
+    devices: {head: {use: register_gauge, address: modbus-tcp://10.0.0.5:502}}
""",
    MISSING_ROLE: """\
 modules:
-  second:
-    kind: inspection
-    at: belt.load
-    features: [width]
+  second:
+    kind: inspection
+    devices: {head: {use: register_gauge, address: modbus-tcp://10.0.0.6:502, features: {width: 1}}}
+    at: belt.load
+    features: [width]
""",
    ADDRESS_TWICE: """\
 modules:
   press:
     devices:
       plc: {use: handshake_machine, address: modbus-tcp://10.0.0.4:502}
   gauge:
     devices:
-      head: {use: register_gauge, address: modbus-tcp://10.0.0.4:502}
+      head: {use: register_gauge, address: modbus-tcp://10.0.0.5:502}
""",
    UNKNOWN_MATERIAL: """\
 modules:
   lids:
     stations:
-      pick: {source: ldi, pose: {x: 0 mm, y: 200 mm, z: 30 mm}}
+      pick: {source: lid, pose: {x: 0 mm, y: 200 mm, z: 30 mm}}
""",
    BAD_FRAME: """\
 frames:
   table: {x: 150 mm, y: -100 mm, z: 40 mm}
 modules:
   arm:
     stations:
-      bench: {pose: {frame: tabel, x: 0 mm, y: 0 mm, z: 0 mm}}
+      bench: {pose: {frame: table, x: 0 mm, y: 0 mm, z: 0 mm}}
""",
    UNKNOWN_ZONE: """\
 zones: [over-belt]
 modules:
   arm:
-    zones: [overbelt]
+    zones: [over-belt]
""",
    UNKNOWN_MODULE: """\
 safety:
-  door: {input: io.di2, modules: [belt, amr]}
+  door: {input: io.di2, modules: [belt, arm]}
""",
    NAME_TAKEN: """\
 devices:
-  press: {use: handshake_machine, address: modbus-tcp://10.0.0.4:502}
+  press_plc: {use: handshake_machine, address: modbus-tcp://10.0.0.4:502}
 modules:
   press:
     devices:
-      plc: press
+      plc: press_plc
""",
    BAD_BUS: """\
-runner: {bus: 127.0.0.1:5700}
+runner: {bus: tcp://127.0.0.1:5700}
""",
    POINT_TWICE: """\
 modules:
   belt:
     stations:
       load: {at: 100 mm, eye: io.di0, stopper: io.do0, pose: {x: 200 mm, y: 0 mm, z: 30 mm}}
-      press: {at: 250 mm, eye: io.di1, stopper: io.do0}
+      press: {at: 250 mm, eye: io.di1, stopper: io.do1}
""",
    CARRIERS_WITHOUT_ROOM: """\
 carriers:
   P1: {home: arm.bench}
-  P2: {home: arm.bench}
+  P2: {home: belt.load}
""",
    UNUSED_DEVICE: """\
 devices:
   io: {use: remote_io, address: modbus-tcp://10.0.0.1:502, inputs: 4, outputs: 4}
-  spare: {use: remote_io, address: modbus-tcp://10.0.0.9:502, inputs: 4, outputs: 4}
""",
    TAUGHT_IN_VAIN: """\
@@ small-line.taught.yaml
 line: small
 stations:
-  arm.bnech: {arm: {x: 150.4 mm, y: -100 mm, z: 40 mm, by: anna, when: 2026-11-20 14:03}}
+  arm.bench: {arm: {x: 150.4 mm, y: -100 mm, z: 40 mm, by: anna, when: 2026-11-20 14:03}}
""",
    BAD_ADDRESS: """\
 modules:
   arm:
     devices:
-      controller: {use: mecademic, address: 10.0.0.3:10000}
+      controller: {use: mecademic, address: tcp://10.0.0.3:10000}
""",
    STATION_KEY: """\
 modules:
   belt:
     stations:
-      exit: {eye: io.di2, sink: true}
+      exit: {at: 400 mm, eye: io.di2, sink: true}
""",
    WHICH_DEVICE: """\
 modules:
   lids:
     devices:
       bowl: {use: bowl_feeder, io: io, start: do2, present: di3}
       spare: {use: bowl_feeder, io: io, start: do3, present: di2}
     stations:
-      pick: {source: lid, pose: {x: 0 mm, y: 200 mm, z: 30 mm}}
+      pick: {source: lid, device: bowl, pose: {x: 0 mm, y: 200 mm, z: 30 mm}}
""",
    UNWATCHED_SAFETY: """\
 devices:
   io: {use: remote_io, address: modbus-tcp://10.0.0.1:502, inputs: 4, outputs: 4}
-  guards: {use: remote_io, address: modbus-tcp://10.0.0.9:502, inputs: 4, outputs: 4}
 safety:
-  door: {input: guards.di0} # <--
+  door: {input: io.di2}
""",
    NESTS_ON_A_BELT: """\
 carriers:
-  P1: {nests: 2, home: belt.load}
+  P1: {home: belt.load}
""",
    SHARED_SPACE: """\
+zones: [over-belt]
 modules:
   belt:
     stations:
       load: {at: 100 mm, eye: io.di0, stopper: io.do0, pose: {x: 200 mm, y: 0 mm, z: 30 mm}} # <--
-  second:
-    kind: arm
-    robot: meca500
-    base: {x: 400 mm, y: 0 mm, z: 0 mm, gamma: 180 deg}
-    devices: {controller: {use: mecademic, address: tcp://10.0.0.7:10000}}
-    tools: {gripper: {use: megp25, controller: controller, length: 65 mm, mass: 90 g}}
+  arm:
+    zones: [over-belt]
+  second:
+    kind: arm
+    robot: meca500
+    base: {x: 400 mm, y: 0 mm, z: 0 mm, gamma: 180 deg}
+    zones: [over-belt]
+    devices: {controller: {use: mecademic, address: tcp://10.0.0.7:10000}}
+    tools: {gripper: {use: megp25, controller: controller, length: 65 mm, mass: 90 g}}
""",
}
