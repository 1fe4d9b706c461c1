"""An example of each mistake in a file's text: `-` before a line that is wrong, `+` before one that puts it right."""

from __future__ import annotations

from cellctl.yamlsource.codes import (
    ALIAS,
    DIRECTIVE,
    EMPTY,
    KEY_NOT_TEXT,
    KEY_TWICE,
    LEADING_ZEROS,
    MERGE_KEY,
    NOT_UTF8,
    NOT_YAML,
    NUMBER_TOO_LARGE,
    SECOND_DOCUMENT,
    TAB,
    TAG,
    TOO_DEEP,
    TOO_LARGE,
    TOO_MANY,
    UNREADABLE,
    UNSEEN,
)

EXAMPLES = {
    UNREADABLE: """\
-$ cellctl check lines/pukc.yaml
+$ cellctl check lines/puck.yaml
""",
    TOO_LARGE: f"""\
-# {"a drawing that was pasted in " * 40_000}
 line: puck
""",
    NOT_UTF8: """\
-description: caf\udce9, saved as Latin-1
+description: café
""",
    UNSEEN: """\
-line: pu\u200bck
+line: puck
""",
    TAB: """\
 runner:
-\tbus: tcp://127.0.0.1:5700
+  bus: tcp://127.0.0.1:5700
""",
    NOT_YAML: """\
-description: housing, board: pressed
+description: "housing, board: pressed"
""",
    TOO_DEEP: f"""\
-grid: {"[" * 70}{"]" * 70}
+grid: [[1, 2], [3, 4]]
""",
    TOO_MANY: f"""\
-choices: [{"a," * 20_000}]
+choices: [a, b, c]
""",
    ALIAS: """\
 rest: {x: 0 mm, y: 200 mm, z: 30 mm}
-home: *rest
+home: {x: 0 mm, y: 200 mm, z: 30 mm}
""",
    TAG: """\
-revision: !!str 3
+revision: "3"
""",
    MERGE_KEY: """\
 outdoor:
-  <<: {lid: lid-sealed}
+  lid: lid-sealed
   force: 55 N
""",
    KEY_TWICE: """\
 press: {at: 210 mm}
-press: {at: 320 mm}
+gauge: {at: 320 mm}
""",
    KEY_NOT_TEXT: """\
 choices:
-  1: close
+  "1": close
""",
    SECOND_DOCUMENT: """\
 line: puck
----
-line: other
""",
    DIRECTIVE: """\
-%YAML 1.1
 ---
 line: puck
""",
    EMPTY: """\
-# nothing but a comment
+line: puck
""",
    LEADING_ZEROS: """\
-article: 0815
+article: "0815"
""",
    NUMBER_TOO_LARGE: """\
-article: 98765432109876543210
+article: "98765432109876543210"
""",
}
