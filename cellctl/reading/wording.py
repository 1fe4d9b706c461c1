"""What a problem is called, and what would mend it: one finding for each mistake."""

from __future__ import annotations

import dataclasses
import re

from cellctl.errors import nearest
from cellctl.findings import Report
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
from cellctl.reading.problems import Problem, Step, expected_of, is_misfit
from cellctl.yamlsource import Mapping, Node, Refused, Scalar, Sequence

_RANGES = {
    "greater_than": "be greater than {gt}",
    "greater_than_equal": "be at least {ge}",
    "less_than": "be less than {lt}",
    "less_than_equal": "be at most {le}",
    "multiple_of": "be a multiple of {multiple_of}",
    "finite_number": "be finite",
    "too_short": "have at least {min_length} entries",
    "too_long": "have at most {max_length} entries",
    "string_too_short": "have at least {min_length} characters",
    "string_too_long": "have at most {max_length} characters",
}


def tell(problems: list[Problem], report: Report) -> None:
    """One finding for each problem; but one for all missing keys of a mapping, and none for a key that is misspelt."""
    missing: dict[tuple[Step, ...], dict[str, Problem]] = {}
    misspelt: set[tuple[tuple[Step, ...], str]] = set()
    for problem in problems:
        if problem.kind == "extra_forbidden":
            misspelt.update((problem.steps[:-1], key) for key in _unknown_key(problem, report))
        elif problem.kind in ("missing", "union_tag_not_found"):
            steps, key = problem.steps[:-1], str(problem.steps[-1].name) if problem.steps else ""
            if problem.kind == "union_tag_not_found":
                steps, key = problem.steps, problem.context["discriminator"].strip("'")
            if not isinstance(problem.node, Mapping) or problem.node.is_whole:
                missing.setdefault(steps, {})[key] = problem
        else:
            code, message, advice = _explained(problem)
            report.error(code, problem.span, message, advice)
    for steps, lacking in missing.items():
        keys = [key for key in lacking if (steps, key) not in misspelt]
        if keys:
            _missing_keys(dataclasses.replace(lacking[keys[0]], steps=steps), keys, report)


def _missing_keys(problem: Problem, keys: list[str], report: Report) -> None:
    listed = (" and " if len(keys) < 3 else ", ").join(repr(key) for key in keys)
    message = f"{problem.name} lacks the key{'s' if len(keys) > 1 else ''} {listed}"
    report.error(MISSING_KEY, problem.span, message, f"add {', '.join(f'{key}: ...' for key in keys)}")


def _unknown_key(problem: Problem, report: Report) -> tuple[str, ...]:
    """Report the key; the known one that it may be meant for."""
    key, others = str(problem.steps[-1].name), problem.other_keys
    close = nearest(key, others)
    advice = f"did you mean {' or '.join(repr(name) for name in close)}?" if close else ""
    if others and not close:
        advice = f"it can have: {', '.join(others[:12])}{', ...' if len(others) > 12 else ''}"
    where = dataclasses.replace(problem, steps=problem.steps[:-1]).name
    report.error(UNKNOWN_KEY, problem.span, f"{where} has no key {key!r}", advice)
    return close[:1]


def _explained(problem: Problem) -> tuple[str, str, str]:
    """Code, message and help of one problem that is not about keys."""
    context, name = problem.context, problem.name
    match problem.kind:
        case "literal_error" | "enum" | "union_tag_invalid":
            return _wrong_choice(problem)
        case "quantity":
            others = [advice for other in context.get("others", ()) if (advice := _explained(other)[2])]
            return NOT_A_QUANTITY, context["why"], "; or ".join(filter(None, (context["instead"], *others)))
        case "quantity_range":
            return OUT_OF_RANGE, f"{name}: {context['message']}", ""
        case "string_pattern_mismatch":
            message = f"{name} is not in the form it must have"
            return WRONG_FORM, message, _formed(problem)
        case "fault":
            return context["code"], context["message"], context["help"]
        case kind if kind in _RANGES:
            return OUT_OF_RANGE, f"{name} must {_RANGES[kind].format_map(context)}", ""
        case kind if is_misfit(problem):
            message = f"{name} must be {expected_of(problem)}, not {_described(problem.node)}"
            return WRONG_KIND, message, _rewritten(problem)
        case _:
            return DOES_NOT_FIT, f"{name}: {problem.message.removeprefix('Value error, ')}", ""


def _formed(problem: Problem) -> str:
    """A name like it in the form that it must have, where that takes no more than dashes; else the form."""
    text, form = str(problem.node.plain), str(problem.context["pattern"])
    meant = re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-")
    if len(meant) <= 40 and re.fullmatch(form, meant) and not re.fullmatch(form, text):
        return f"did you mean {meant!r}?"
    return f"it must match {form}"


def _wrong_choice(problem: Problem) -> tuple[str, str, str]:
    context = problem.context
    listed = str(context.get("expected_tags") or context["expected"])
    known = re.findall(r"'((?:[^'\\]|\\.)*)'", listed)
    value = context.get("tag", problem.node.plain)
    name = context.get("discriminator") or problem.name
    close = nearest(value, known) if isinstance(value, str) else ()
    advice = f"did you mean {' or '.join(repr(word) for word in close)}?" if close else f"choose {listed}"
    return NOT_A_CHOICE, f"{name} cannot be {_shortened(value)}", advice


def _described(node: Node) -> str:
    match node:
        case Mapping():
            return "a mapping"
        case Sequence():
            return "a list"
        case Refused():
            return "a refused value"
        case Scalar(value=str()):
            return f"the text {_shortened(node.value)}"
        case Scalar(value=None):
            return "nothing"
        case Scalar(value=bool()):
            return node.text
        case Scalar():
            return f"the number {node.text}"


def _shortened(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}..."


_SWITCHES = {
    **dict.fromkeys(("yes", "on", "y"), "true"),
    **dict.fromkeys(("no", "off", "n"), "false"),
}


def _rewritten(problem: Problem) -> str:
    """The value as it would be of the right kind, if that is plain."""
    node, expected = problem.node, expected_of(problem)
    if not isinstance(node, Scalar) or node.value is None:
        return ""
    if expected == "text" and not isinstance(node.value, str):
        return f'put it in quotes: "{node.text}"'
    if expected == "true or false" and node.text.lower() in _SWITCHES:
        return f"write {_SWITCHES[node.text.lower()]}"
    if expected in ("a number", "a whole number") and re.fullmatch(r"[-+]?[0-9]+", node.text):
        return f"write {node.text} without quotes"
    if expected == "a list" and len(node.text) <= 60:
        return f"write [{node.text}]"
    return ""
