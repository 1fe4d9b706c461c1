"""Recipes with conditions, repetitions and a sub-recipe, that are right until a test changes them."""

# ruff: noqa: E501 (a mistake a row)

from __future__ import annotations

from typing import Any

RECIPE = """\
recipe: thing
parameters:
  seal: {text: none, choices: [none, soft, hard]}
  force: {default: 40 N, min: 20 N, max: 60 N}
  times: {number: 2}
variants:
  plain: {}
  soft: {seal: soft, times: 3}
  hard: {seal: hard, force: 0.05 kN}
steps:
  - {step: load, do: transfer, take: lid, to: belt.load}
  - {step: to_press, do: advance, to: belt.press}
  - {step: press, do: run, program: close, force: $force, repeat: $times}
  - {step: settle, do: run, program: close, force: 20 N, when: {seal: [soft, hard]}}
  - {step: crush, do: run, program: close, force: 60 N, when: {seal: hard, force: 50 N}}
  - {step: out, do: advance, to: belt.exit}
"""

TIGHT = """\
subrecipe: tight
parameters:
  force: {default: 30 N, max: 50 N}
  twice: {text: "no", choices: ["yes", "no"]}
steps:
  - {step: press, do: run, program: close, force: $force}
  - {step: again, do: run, program: close, force: $press.peak, when: {twice: "yes"}}
  - {step: measure, do: measure, expect: {height: 18.2 mm ± 0.1 mm}, on: {reject: {retry: 1, from: press, then: next}}}
"""

INCLUDING = """\
recipe: thing
parameters:
  force: {default: 40 N}
  twice: {text: "no"}
variants:
  plain: {}
  twice: {twice: "yes", force: 45 N}
steps:
  - {step: load, do: transfer, take: lid, to: belt.load}
  - {step: to_press, do: advance, to: belt.press}
  - {include: {recipe: tight, with: {force: $force, twice: $twice}}}
  - {step: out, do: advance, to: belt.exit}
"""

BLOCK = """\
recipe: thing
steps:
  - {step: load, do: transfer, take: lid, to: belt.load}
  - {step: to_press, do: advance, to: belt.press}
  - repeat: 2
    steps:
      - {step: press, do: run, program: close, force: 40 N}
      - {step: measure, do: measure, expect: {height: 18.2 mm ± 0.1 mm}, on: {reject: {retry: 1, from: press, then: next}}}
  - {step: out, do: advance, to: belt.exit}
"""


def needs(variant: Any) -> dict[str, tuple[str, ...]]:
    return {step.name: step.needs for step in variant.steps}


def well(checked: Any) -> Any:
    assert not checked.report.findings, checked.report.render()
    return checked
