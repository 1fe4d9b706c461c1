"""An example of each mistake in a recipe for one line: `-` before a line that is wrong, `+` before one that is right.

Each is the part of a file that matters; `@@` names another file than the recipe. `# <--` marks the line to blame where
it is not the first that is wrong.
"""

from __future__ import annotations

from cellctl.compile.codes import (
    AGAINST_BELT,
    BAD_VALUE,
    COMPONENT_LEFT,
    ENDLESS,
    MISSING_PARAMETER,
    NEVER_DONE,
    NO_NEXT_PART,
    NO_SUCH_MATERIAL,
    NOBODY_ANNOUNCES,
    NOBODY_ASKED,
    NOBODY_CAN,
    NOT_ALL_FOLLOWED,
    NOT_THERE,
    NOTHING_TO_SCRAP,
    OUT_OF_REACH,
    STAYS_ON_LINE,
    TIMEOUT_TOO_SHORT,
    TOO_MANY_PARTS,
    TWICE_IN,
    UNKNOWN_CHOICE,
    UNKNOWN_MODULE,
    UNKNOWN_OUTCOME,
    UNKNOWN_PARAMETER,
    UNKNOWN_RESULT,
    UNKNOWN_SKILL,
    UNKNOWN_STATION,
    WAITS_FOR_EVER,
    WRONG_KEY,
    WRONG_RESULT,
)

EXAMPLES = {
    UNKNOWN_SKILL: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
-  - {step: out, do: advanse, to: belt.exit}
+  - {step: out, do: advance, to: belt.exit}
""",
    NOBODY_CAN: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
-  - {step: out, do: transfer, to: belt.exit}
+  - {step: out, do: transfer, to: arm.bin}
""",
    UNKNOWN_STATION: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
-  - {step: out, do: advance, to: belt.exti}
+  - {step: out, do: advance, to: belt.exit}
""",
    NO_SUCH_MATERIAL: """\
 steps:
-  - {step: load, do: transfer, take: ldi, to: belt.load}
+  - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: out, do: advance, to: belt.exit}
""",
    UNKNOWN_PARAMETER: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: to_press, do: advance, to: belt.press}
-  - {step: press, do: run, program: close, force: 40 N, timeuot: 6 s}
+  - {step: press, do: run, program: close, force: 40 N, timeout: 6 s}
   - {step: out, do: advance, to: belt.exit}
""",
    BAD_VALUE: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: to_press, do: advance, to: belt.press}
-  - {step: press, do: run, program: close, force: 90 N}
+  - {step: press, do: run, program: close, force: 70 N}
   - {step: out, do: advance, to: belt.exit}
""",
    MISSING_PARAMETER: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: to_press, do: advance, to: belt.press}
-  - {step: press, do: run, program: close}
+  - {step: press, do: run, program: close, force: 40 N}
   - {step: out, do: advance, to: belt.exit}
""",
    UNKNOWN_CHOICE: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: to_press, do: advance, to: belt.press}
-  - {step: press, do: run, program: clos, force: 40 N}
+  - {step: press, do: run, program: close, force: 40 N}
   - {step: out, do: advance, to: belt.exit}
""",
    WRONG_KEY: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
-  - {step: out, do: advance}
+  - {step: out, do: advance, to: belt.exit}
""",
    UNKNOWN_OUTCOME: """\
 steps:
-  - {step: load, do: transfer, take: lid, to: belt.load, on: {mised: ask}}
+  - {step: load, do: transfer, take: lid, to: belt.load, on: {missed: ask}}
   - {step: out, do: advance, to: belt.exit}
""",
    NOT_THERE: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
-  - {step: press, do: run, program: close, force: 40 N, at: belt.press}
   - {step: to_press, do: advance, to: belt.press}
+  - {step: press, do: run, program: close, force: 40 N, at: belt.press}
   - {step: out, do: advance, to: belt.exit}
""",
    UNKNOWN_RESULT: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: to_press, do: advance, to: belt.press}
   - {step: press, do: run, program: close, force: 40 N}
-  - {step: again, do: run, program: close, force: $press.peek}
+  - {step: again, do: run, program: close, force: $press.peak}
   - {step: out, do: advance, to: belt.exit}
""",
    UNKNOWN_MODULE: """\
 steps:
-  - {step: load, do: transfer, take: lid, to: belt.load, by: amr}
+  - {step: load, do: transfer, take: lid, to: belt.load, by: arm}
   - {step: out, do: advance, to: belt.exit}
""",
    STAYS_ON_LINE: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
-  - {step: to_press, do: advance, to: belt.press}
+  - {step: out, do: advance, to: belt.exit}
""",
    NOTHING_TO_SCRAP: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: to_press, do: advance, to: belt.press}
-  - {step: press, do: run, program: close, force: 40 N, on: {failed: scrap}}
+  - {step: press, do: run, program: close, force: 40 N, on: {failed: scrap}}
   - {step: out, do: advance, to: belt.exit}
+scrap:
+  - {step: bin, do: transfer, to: arm.bin}
""",
    TOO_MANY_PARTS: """\
 steps:
-  - {step: make, do: make, program: close, force: 40 N, parts: 4}
+  - {step: make, do: make, program: close, force: 40 N}
   - {step: out, do: advance, to: belt.exit}
""",
    NOBODY_ANNOUNCES: """\
-arrives: belt.load
 steps:
-  - {step: out, do: advance, to: belt.exit}
+  - {step: load, do: transfer, take: lid, to: belt.load}
+  - {step: out, do: advance, to: belt.exit}
""",
    WAITS_FOR_EVER: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: to_press, do: advance, to: belt.press}
   - {step: press, do: run, program: close, force: 40 N} # <--
   - {step: rest, do: transfer, to: arm.bench}
-  - {step: out, do: transfer, to: arm.bin, on: {missed: press}}
+  - {step: out, do: transfer, to: arm.bin, on: {missed: {retry: 2}}}
""",
    NOBODY_ASKED: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: to_press, do: advance, to: belt.press}
-  - {step: out, do: transfer, to: arm.bin, on: {dropped: {retry: 1}}}
+  - {step: out, do: transfer, to: arm.bin, on: {dropped: ask}}
""",
    COMPONENT_LEFT: """\
@@ small-line.yaml
 zones: [cell]
 modules:
   arm:
     zones: [cell]
   second:
     kind: arm
     robot: meca500
     base: {x: 200 mm, y: 200 mm, z: 0 mm, gamma: 180 deg}
     zones: [cell]
     devices: {controller: {use: mecademic, address: tcp://10.0.0.7:10000}}
     tools: {gripper: {use: megp25, controller: controller, length: 65 mm, mass: 90 g}}
@@ small-recipe.yaml
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
-  - {step: lid, do: insert, take: lid, into: belt.load, on: {dropped: next}}
+  - {step: lid, do: insert, take: lid, into: belt.load, on: {dropped: ask}}
   - {step: out, do: advance, to: belt.exit} # <--
""",
    NO_NEXT_PART: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load} # <--
-  - {step: lid, do: insert, take: lid, into: belt.load, on: {dropped: next}}
+  - {step: lid, do: insert, take: lid, into: belt.load, on: {dropped: ask}}
   - {step: out, do: advance, to: belt.exit}
""",
    NEVER_DONE: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: to_press, do: advance, to: belt.press}
-  - {step: press, do: run, program: close, force: 40 N, on: {failed: scrap}}
+  - {step: press, do: run, program: close, force: 40 N, on: {failed: rework}}
   - {step: out, do: advance, to: belt.exit}
 scrap:
   - {step: bin, do: transfer, to: arm.bin}
   - {step: rework, do: transfer, to: arm.bin, needs: []} # <--
""",
    NOT_ALL_FOLLOWED: """\
 steps: # <--
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: to_press, do: advance, to: belt.press}
-  - {step: press, do: run, program: close, force: 40 N, repeat: 16, on: {failed: {retry: 1, from: press}}}
+  - {step: press, do: run, program: close, force: 40 N, repeat: 3, on: {failed: {retry: 1, from: press}}}
   - {step: out, do: advance, to: belt.exit}
""",
    TIMEOUT_TOO_SHORT: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: to_press, do: advance, to: belt.press}
-  - {step: press, do: run, program: close, force: 40 N, timeout: 1 s}
+  - {step: press, do: run, program: close, force: 40 N, timeout: 6 s}
   - {step: out, do: advance, to: belt.exit}
""",
    WRONG_RESULT: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: to_press, do: advance, to: belt.press}
   - {step: measure, do: measure, expect: {height: 6 mm ± 1 mm}}
   - {step: press, do: run, program: close, force: 40 N}
-  - {step: again, do: run, program: close, force: $measure.height}
+  - {step: again, do: run, program: close, force: $press.peak}
   - {step: out, do: advance, to: belt.exit}
""",
    OUT_OF_REACH: """\
@@ small-line.yaml
 modules:
   arm:
     stations:
-      bench: {pose: {x: 450 mm, y: -100 mm, z: 40 mm}}
+      bench: {pose: {x: 150 mm, y: -100 mm, z: 40 mm}}
@@ small-recipe.yaml
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: rest, do: transfer, to: arm.bench} # <--
   - {step: out, do: transfer, to: arm.bin}
""",
    AGAINST_BELT: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: to_press, do: advance, to: belt.press}
   - {step: press, do: run, program: close, force: 40 N}
-  - {step: out, do: advance, to: belt.load}
+  - {step: out, do: advance, to: belt.exit}
""",
    TWICE_IN: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
-  - {step: cover, do: insert, take: lid, into: belt.load, on: {failed: {retry: 1}}}
+  - {step: cover, do: insert, take: lid, into: belt.load, on: {failed: ask}}
   - {step: out, do: advance, to: belt.exit}
""",
    ENDLESS: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: to_press, do: advance, to: belt.press}
-  - {step: measure, do: measure, expect: {height: 6 mm ± 1 mm}, on: {reject: to_press}}
+  - {step: measure, do: measure, expect: {height: 6 mm ± 1 mm}, on: {reject: {retry: 2, then: ask}}}
   - {step: out, do: advance, to: belt.exit}
""",
}
