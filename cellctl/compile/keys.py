"""Which keys go with a step, by what its skill works on."""

from __future__ import annotations

from cellctl.compile.casting import Doing
from cellctl.compile.codes import WRONG_KEY
from cellctl.recipe.variant import StepText
from cellctl.sheet import Sheet
from cellctl.skill import Works
from cellctl.yamlsource import Scalar

STEP_KEYS = {  # which of these keys a step has, by what its skill works on: needed, allowed
    Works.MOVES: ({"to"}, {"to", "take", "at"}),
    Works.JOINS: ({"take", "into"}, {"take", "into"}),
    Works.STAYS: (set[str](), {"at"}),
    Works.MAKES: (set[str](), {"at"}),
    Works.SUPPLIES: (set[str](), set[str]()),
}


def keys_fit(sheet: Sheet, text: StepText, what: Doing) -> bool:
    """Whether the step has the keys that its skill needs, and no others; else after findings in `sheet`."""
    needed, allowed = STEP_KEYS[what.works]
    given = {key for key in ("to", "take", "into", "at") if key in text.node.items}
    strange, lacking = sorted(given - allowed), sorted(needed - given)
    if len(strange) == len(lacking) == 1:
        message, where = f"{what.name!r} has no key {strange[0]!r}", text.node.key_spans[strange[0]]
        written = text.node.items[strange[0]]
        value = written.text if isinstance(written, Scalar) else "..."
        sheet.error(WRONG_KEY, where, message, f"write {lacking[0]}: {value}")
        return False
    for key in sorted(given - allowed):
        where = text.node.key_spans[key]
        usual = ", ".join(sorted(allowed)) or "none of these"
        sheet.error(WRONG_KEY, where, f"{what.name!r} has no key {key!r}", f"keys of its steps: {usual}")
    for missing in sorted(needed - given):
        where = text.node.items["step"].span
        message = f"{text.name!r} lacks the key {missing!r}"
        sheet.error(WRONG_KEY, where, message, f"add {missing}: ...")
    return needed <= given <= allowed
