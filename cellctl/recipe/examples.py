"""An example of each mistake in a recipe: `-` before a line that is wrong, `+` before one that puts it right.

Each is the part of a file that matters; `@@` names another file than the recipe. `# <--` marks the line to blame where
it is not the first that is wrong.
"""

from __future__ import annotations

from cellctl.recipe.codes import (
    ALWAYS_TAKEN,
    BAD_BLOCK,
    BAD_CHANGE,
    BAD_PARAMETER,
    BAD_PARTS,
    BAD_REPEAT,
    BAD_ROUTE,
    INCLUDE_CIRCLE,
    NAME_TWICE,
    NEEDS_CIRCLE,
    NEVER_TAKEN,
    NO_STEPS,
    NO_SUBRECIPE,
    NOT_TAKEN,
    RESERVED_NAME,
    RESULT_TOO_EARLY,
    TOO_MANY_STEPS,
    UNKNOWN_REFERENCE,
    UNKNOWN_STEP,
    UNKNOWN_VARIANT,
    UNUSED_PARAMETER,
    VARIANT_CIRCLE,
    WRONG_VALUE,
)

EXAMPLES = {
    UNKNOWN_VARIANT: """\
 variants:
   usual: {}
-  tall: {extends: usaul}
+  tall: {extends: usual}
""",
    VARIANT_CIRCLE: """\
 variants:
-  usual: {extends: tall}
+  usual: {}
   tall: {extends: usual}
""",
    BAD_PARAMETER: """\
 parameters:
-  force: {default: 4 N, min: 20 N, max: 60 N}
+  force: {default: 40 N, min: 20 N, max: 60 N}
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: to_press, do: advance, to: belt.press}
   - {step: press, do: run, program: close, force: $force}
   - {step: out, do: advance, to: belt.exit}
""",
    WRONG_VALUE: """\
 parameters:
   force: {default: 40 N, min: 20 N, max: 60 N}
 variants:
-  hard: {force: 65 N}
+  hard: {force: 55 N}
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: to_press, do: advance, to: belt.press}
   - {step: press, do: run, program: close, force: $force}
   - {step: out, do: advance, to: belt.exit}
""",
    NAME_TWICE: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
-  - {step: load, do: advance, to: belt.exit}
+  - {step: out, do: advance, to: belt.exit}
""",
    UNKNOWN_STEP: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
-  - {step: out, do: advance, to: belt.exit, needs: laod}
+  - {step: out, do: advance, to: belt.exit, needs: load}
""",
    BAD_CHANGE: """\
 variants:
   usual: {}
-  unpressed: {steps: {press: delete}}
+  unpressed: {steps: {press: remove}}
""",
    NEEDS_CIRCLE: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
-  - {step: to_press, do: advance, to: belt.press, needs: press}
+  - {step: to_press, do: advance, to: belt.press}
   - {step: press, do: run, program: close, force: 40 N}
   - {step: out, do: advance, to: belt.exit}
""",
    UNKNOWN_REFERENCE: """\
 parameters:
   force: {default: 40 N}
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: to_press, do: advance, to: belt.press}
-  - {step: press, do: run, program: close, force: $forse}
+  - {step: press, do: run, program: close, force: $force}
   - {step: out, do: advance, to: belt.exit}
""",
    UNUSED_PARAMETER: """\
 parameters:
-  force: {default: 40 N} # <--
+  force: {default: 40 N}
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: to_press, do: advance, to: belt.press}
-  - {step: press, do: run, program: close, force: 40 N}
+  - {step: press, do: run, program: close, force: $force}
   - {step: out, do: advance, to: belt.exit}
""",
    RESULT_TOO_EARLY: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: to_press, do: advance, to: belt.press}
-  - {step: press, do: run, program: close, force: $again.peak}
-  - {step: again, do: run, program: close, force: 40 N}
+  - {step: press, do: run, program: close, force: 40 N}
+  - {step: again, do: run, program: close, force: $press.peak}
   - {step: out, do: advance, to: belt.exit}
""",
    RESERVED_NAME: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
-  - {step: next, do: advance, to: belt.exit}
+  - {step: out, do: advance, to: belt.exit}
""",
    BAD_ROUTE: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: to_press, do: advance, to: belt.press}
-  - {step: press, do: run, program: close, force: 40 N, on: {failed: {retry: 1, from: out}}}
+  - {step: press, do: run, program: close, force: 40 N, on: {failed: {retry: 1, from: press}}}
   - {step: out, do: advance, to: belt.exit}
""",
    BAD_REPEAT: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: to_press, do: advance, to: belt.press}
-  - {step: press, do: run, program: close, force: 40 N, repeat: 0}
+  - {step: press, do: run, program: close, force: 40 N, repeat: 2}
   - {step: out, do: advance, to: belt.exit}
""",
    NEVER_TAKEN: """\
 parameters:
   seal: {text: plain}
 variants:
   usual: {}
   outdoor: {seal: tight}
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: to_press, do: advance, to: belt.press}
-  - {step: press, do: run, program: close, force: 40 N, when: {seal: tihgt}}
+  - {step: press, do: run, program: close, force: 40 N, when: {seal: tight}}
   - {step: out, do: advance, to: belt.exit}
""",
    ALWAYS_TAKEN: """\
 parameters:
   seal: {text: plain}
 variants:
   usual: {}
   outdoor: {seal: tight}
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: to_press, do: advance, to: belt.press}
-  - {step: press, do: run, program: close, force: 40 N, when: {seal: [plain, tight]}}
+  - {step: press, do: run, program: close, force: 40 N, when: {seal: tight}}
   - {step: out, do: advance, to: belt.exit}
""",
    NOT_TAKEN: """\
 parameters:
   seal: {text: plain}
 variants:
   usual: {}
   outdoor: {seal: tight}
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: to_press, do: advance, to: belt.press}
   - {step: press, do: run, program: close, force: 40 N, when: {seal: tight}}
-  - {step: again, do: run, program: close, force: $press.peak}
+  - {step: again, do: run, program: close, force: $press.peak, when: {seal: tight}}
   - {step: out, do: advance, to: belt.exit}
""",
    NO_STEPS: """\
 variants:
   usual: {}
-  none: {steps: {load: remove, to_press: remove, press: remove, out: remove}}
+  unpressed: {steps: {press: remove}}
""",
    NO_SUBRECIPE: """\
@@ closing.yaml
 subrecipe: closing
 steps:
   - {step: press, do: run, program: close, force: 40 N}
@@ small-recipe.yaml
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: to_press, do: advance, to: belt.press}
-  - {include: {recipe: closign}}
+  - {include: {recipe: closing}}
   - {step: out, do: advance, to: belt.exit}
""",
    INCLUDE_CIRCLE: """\
@@ closing.yaml
 subrecipe: closing
 steps:
-  - {include: {recipe: closing}}
+  - {step: press, do: run, program: close, force: 40 N}
@@ small-recipe.yaml
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: to_press, do: advance, to: belt.press}
   - {include: {recipe: closing}}
   - {step: out, do: advance, to: belt.exit}
""",
    BAD_BLOCK: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: to_press, do: advance, to: belt.press}
-  - {repeat: 2, steps: []}
+  - {repeat: 2, steps: [{step: press, do: run, program: close, force: 40 N}]}
   - {step: out, do: advance, to: belt.exit}
""",
    TOO_MANY_STEPS: """\
 steps:
   - {step: load, do: transfer, take: lid, to: belt.load}
   - {step: to_press, do: advance, to: belt.press}
-  - {repeat: 100, steps: [{step: press, do: run, program: close, force: 40 N, repeat: 100}]}
+  - {repeat: 2, steps: [{step: press, do: run, program: close, force: 40 N, repeat: 3}]}
   - {step: out, do: advance, to: belt.exit}
""",
    BAD_PARTS: """\
-$ cellctl order add thing:3 --part "force=50 N" --part "force=55 N"
+$ cellctl order add thing:2 --part "force=50 N" --part "force=55 N"
""",
}
