"""The codes of what can be wrong with a recipe in itself, whatever line it is for."""

from __future__ import annotations

from cellctl.findings import CodeText

UNKNOWN_VARIANT = "CC-P001"
VARIANT_CIRCLE = "CC-P002"
BAD_PARAMETER = "CC-P003"
WRONG_VALUE = "CC-P004"
NAME_TWICE = "CC-P005"
UNKNOWN_STEP = "CC-P006"
BAD_CHANGE = "CC-P007"
NEEDS_CIRCLE = "CC-P008"
UNKNOWN_REFERENCE = "CC-P009"
UNUSED_PARAMETER = "CC-P010"
RESULT_TOO_EARLY = "CC-P011"
RESERVED_NAME = "CC-P012"
BAD_ROUTE = "CC-P013"

CODES = {
    UNKNOWN_VARIANT: CodeText(
        "The recipe has no such variant.",
        "An order and `extends` name one of the recipe's variants.",
        "Take the suggestion, or add it under `variants:`.",
    ),
    VARIANT_CIRCLE: CodeText(
        "Variants that extend each other in a circle.",
        "Each would have to be known before the other.",
        "Remove one `extends`.",
    ),
    BAD_PARAMETER: CodeText(
        "A parameter whose declaration does not hold together.",
        "A parameter is a material, a quantity, a text or a number; its default must lie within its own bounds.",
        "Write for example {material: lid}, {default: 40 N, min: 20 N, max: 60 N} or {text: close}.",
    ),
    WRONG_VALUE: CodeText(
        "A variant's value does not fit its parameter.",
        "A value of another kind or beyond the bounds would reach the machine only when a part lies in it.",
        "Write a value of the same kind, within the parameter's bounds.",
    ),
    NAME_TWICE: CodeText(
        "Two steps have one name.",
        "Steps are named in `needs`, in routes, in variants and in the records of each part.",
        "Rename one of them.",
    ),
    UNKNOWN_STEP: CodeText(
        "No step has this name in this variant.",
        "A variant may have removed it, or the name is misspelt.",
        "Take the suggestion. A step that a variant adds says where: `after:` or `before:`.",
    ),
    BAD_CHANGE: CodeText(
        "A change of steps that says nothing that can be done.",
        "A variant changes a step's keys, adds a step after or before another, or removes one.",
        "Write `name: {key: value}`, `name: {after: step, do: ...}` or `name: remove`.",
    ),
    NEEDS_CIRCLE: CodeText(
        "Steps that need each other in a circle.",
        "None of them could ever begin.",
        "Remove one of the `needs`.",
    ),
    UNKNOWN_REFERENCE: CodeText(
        "A reference to something that the recipe does not have.",
        "`$name` is a parameter, `$step.result` a result of an earlier step.",
        "Take the suggestion, or declare the parameter.",
    ),
    UNUSED_PARAMETER: CodeText(
        "No step uses this parameter.",
        "Variants that set it would change nothing; perhaps a `$` is missing.",
        "Use it as `$name` in a step, or remove it.",
    ),
    RESULT_TOO_EARLY: CodeText(
        "A result is used where it is not known, or not allowed.",
        "Only the parameters of a step can be results, and only of steps that it needs, directly or by others.",
        "Add the step to `needs`, or move this one behind it.",
    ),
    RESERVED_NAME: CodeText(
        "A name that means something else in recipes.",
        "Routes know `scrap`, `ask` and `next`; variants know `extends` and `steps`.",
        "Choose another name.",
    ),
    BAD_ROUTE: CodeText(
        "A route that cannot be gone.",
        "A retry goes back to something that was done before; without `retry` it never goes back.",
        "Name the step itself or one that it needs, and say how often.",
    ),
}
