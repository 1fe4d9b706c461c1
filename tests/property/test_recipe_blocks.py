"""Conditions, repetition and sub-recipes in random recipes: never an exception, and the order of steps is kept."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from cellctl.findings import Report
from cellctl.recipe.codes import CODES
from cellctl.recipe.load import Recipe, parse_recipe

few = settings(max_examples=50, deadline=None)

HEAD = """\
recipe: thing
parameters: {level: {number: 0}, times: {number: 2}}
variants: {v0: {level: 0}, v1: {level: 1, times: 1}, v2: {level: 2, times: 3}}
steps:
"""


@st.composite
def graphs(draw: st.DrawFn) -> list[tuple[str, tuple[str, ...] | None, list[int] | None]]:
    """Steps with what they need (None: says nothing) and the levels at which they are taken (None: always)."""
    steps: list[tuple[str, tuple[str, ...] | None, list[int] | None]] = []
    for number in range(draw(st.integers(1, 7))):
        names = [name for name, _, _ in steps]
        needs = draw(
            st.none() | st.lists(st.sampled_from(names), max_size=3, unique=True) if names else st.none()
        )
        levels = draw(st.none() | st.lists(st.integers(0, 2), min_size=1, max_size=2, unique=True))
        steps.append((f"s{number}", None if needs is None else tuple(needs), levels))
    return [("first", None, None), *steps]


def written(steps: list[tuple[str, tuple[str, ...] | None, list[int] | None]]) -> str:
    rows = []
    for name, needs, levels in steps:
        said = f", needs: [{', '.join(needs)}]" if needs is not None else ""
        rows.append(
            f"  - {{step: {name}, do: run{said}{f', when: {{level: {levels}}}' if levels else ''}}}\n"
        )
    return HEAD + "".join(rows)


def read(text: str, included: dict[str, str] | None = None) -> tuple[Recipe | None, Report]:
    report = Report()
    return parse_recipe(text, "thing.yaml", report, included), report


def closure(needs: dict[str, tuple[str, ...]]) -> dict[str, set[str]]:
    """All that must be done before each step; the steps in an order in which they can be done."""
    found: dict[str, set[str]] = {}
    for name, direct in needs.items():
        found[name] = set(direct).union(*(found[each] for each in direct))
    return found


@few
@given(graphs())
def test_leaving_steps_out_keeps_the_order_of_the_others(
    steps: list[tuple[str, tuple[str, ...] | None, list[int] | None]],
) -> None:
    recipe, report = read(written(steps))
    assert recipe is not None, report.render()
    above = {later[0]: (earlier[0],) for earlier, later in pairwise(steps)}
    whole = closure({name: above.get(name, ()) if needs is None else needs for name, needs, _ in steps})
    for level in range(3):
        taken = {name for name, _, levels in steps if levels is None or level in levels}
        variant = recipe.variants[f"v{level}"]
        assert [step.name for step in variant.steps] == [name for name, _, _ in steps if name in taken]
        kept = closure({step.name: step.needs for step in variant.steps})
        assert kept == {name: before & taken for name, before in whole.items() if name in taken}


@few
@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.booleans())
def test_a_chain_in_blocks_is_a_chain_of_as_many_steps_as_are_multiplied(
    outer: int, inner: int, steps: int, is_named: bool
) -> None:
    rows = "".join(f"      - {{step: s{n}, do: run, repeat: {inner}}}\n" for n in range(steps))
    name = "    step: block\n" if is_named else ""
    block = f"  - repeat: {outer}\n{name}    steps:\n{rows}"
    text = f"{HEAD}  - {{step: first, do: run}}\n{block}  - {{step: last, do: run}}\n"
    recipe, report = read(text)
    assert recipe is not None, report.render()
    made = recipe.variants["v0"].steps
    assert len(made) == 2 + outer * steps * inner
    assert [step.needs for step in made] == [(), *((step.name,) for step in made[:-1])]


@few
@given(st.integers(1, 4), st.integers(1, 4))
def test_rounds_side_by_side_need_each_other_not_and_all_are_waited_for(outer: int, inner: int) -> None:
    rows = f"      - {{step: a, do: run}}\n      - {{step: b, do: run, needs: a, repeat: {inner}}}\n"
    block = f"  - repeat: {outer}\n    needs: first\n    steps:\n{rows}"
    text = f"{HEAD}  - {{step: first, do: run}}\n{block}  - {{step: last, do: run}}\n"
    recipe, report = read(text)
    assert recipe is not None, report.render()
    before = closure({step.name: step.needs for step in recipe.variants["v0"].steps})
    for n in range(1, outer + 1):
        assert before[f"a#{n}"] == {"first"}
        assert all(before[f"b#{n}#{m}"] == {"first", f"a#{n}"} for m in range(1, inner + 1))
    assert before["last"] == before.keys() - {"last"}


WORDS = ["", "$times", "$level", "$a.x", "a", "sub", "sub.a", "a#1", "{}", "[]", "[a]", "{level: 1}", "{recipe: sub}", "0", "3", "1000", "null", "{recipe: sub, with: {n: $times}}"]  # fmt: skip  # noqa: E501
KEYS = ["step", "steps", "include", "repeat", "when", "needs", "on", "do", "with", "x"]
SUB = """\
subrecipe: sub
parameters: {n: {number: 1}}
steps:
  - {step: a, do: run, repeat: $n}
  - {step: b, do: run, when: {n: 2}, x: $a.y}
"""


@st.composite
def wild(draw: st.DrawFn, depth: int = 2) -> str:
    """A mapping of some of the keys of steps and blocks, with values that fit now and then."""
    keys = draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=5, unique=True))
    parts = []
    for key in keys:
        inner = key == "steps" and depth
        value = (
            f"[{', '.join(draw(st.lists(wild(depth - 1), max_size=3)))}]"
            if inner
            else draw(st.sampled_from(WORDS))
        )
        parts.append(f"{key}: {value}")
    return f"{{{', '.join(parts)}}}"


@settings(max_examples=150, deadline=None)
@given(st.lists(wild(), min_size=1, max_size=4), st.lists(wild(), min_size=1, max_size=2))
def test_whatever_stands_under_steps_is_a_recipe_or_findings(steps: list[str], sub: list[str]) -> None:
    text = HEAD + "".join(f"  - {row}\n" for row in steps)
    other = SUB + "".join(f"  - {row}\n" for row in sub)
    recipe, report = read(text, {"sub": other})
    assert recipe is not None or report.has_errors
    assert all(not finding.code.startswith("CC-P") or finding.code in CODES for finding in report.findings)
    report.render()
    if recipe is not None:
        for variant in recipe.variants.values():
            names = [step.name for step in (*variant.steps, *variant.scrap)]
            assert len(names) == len(set(names))
            assert {need for step in variant.steps for need in step.needs} <= set(names)
