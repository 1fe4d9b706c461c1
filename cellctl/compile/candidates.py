"""The modules that come into question for a step: those with its skill, that `by` allows and that take its values."""

from __future__ import annotations

from cellctl.compile.casting import Doing, able
from cellctl.compile.codes import UNKNOWN_MODULE
from cellctl.compile.values import Values, read_values
from cellctl.findings import Report
from cellctl.line.model import Line, Module
from cellctl.recipe.file import listed
from cellctl.recipe.variant import StepText
from cellctl.sheet import Sheet

Candidates = dict[str, list[Module]]  # by role


def candidates(line: Line, sheet: Sheet, text: StepText, what: Doing) -> Candidates:
    """The modules that have the skill of each role, and that `by` allows."""
    by = text.file.by
    if isinstance(by, dict):
        for role in by:
            if role not in what.roles:
                _unknown(sheet, text, f"role of {what.name!r}", role, list(what.roles))
    found = {}
    for role, skill in what.roles.items():
        have = list(able(line, skill))
        wanted = listed(by.get(role)) if isinstance(by, dict) else listed(by)
        names = [module.name for module in have]
        for name in wanted:
            if name not in names:
                _unknown(sheet, text, f"module with the skill {skill!r}", name, names)
        found[role] = [module for module in have if not wanted or module.name in wanted]
    return found


def with_values(
    sheet: Sheet, text: StepText, what: Doing, among: Candidates
) -> tuple[Values | None, Candidates]:
    """The step's parameters, and the candidates that take them.

    The last role of a joint skill is the one that works: it is given them. Where no module takes them, the findings
    are those of the first.
    """
    working = list(what.roles)[-1]
    fitting: Candidates = {role: modules for role, modules in among.items() if role != working}
    fitting[working] = []
    values: Values | None = None
    refusal: Sheet | None = None
    for module in among[working]:
        scratch = Sheet(sheet.root, Report())
        declared = module.kind.skill(what.roles[working])
        assert declared is not None
        read = read_values(scratch, text, declared, module)
        if scratch.is_well:
            fitting[working].append(module)
            values = values or read
        else:
            refusal = refusal or scratch
    if values is None and refusal is not None:
        sheet.take(refusal)
    return values, {role: fitting[role] for role in what.roles}


def _unknown(sheet: Sheet, text: StepText, what: str, name: str, known: list[str]) -> None:
    sheet.unknown(UNKNOWN_MODULE, text.node.items["by"].span, what, name, known)
