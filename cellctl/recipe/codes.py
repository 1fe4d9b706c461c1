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
BAD_REPEAT = "CC-P014"
NEVER_TAKEN = "CC-P015"
ALWAYS_TAKEN = "CC-P016"
NOT_TAKEN = "CC-P017"
NO_STEPS = "CC-P018"
NO_SUBRECIPE = "CC-P019"
INCLUDE_CIRCLE = "CC-P020"
BAD_BLOCK = "CC-P021"
TOO_MANY_STEPS = "CC-P022"
BAD_PARTS = "CC-P023"

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
        "A value does not fit its parameter.",
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
    BAD_REPEAT: CodeText(
        "A step is repeated a number of times that cannot be.",
        "Repeated steps are written out when the recipe is compiled, so their number must be known and small.",
        "Write a whole number from 1 to 100, or the `$parameter` of one. What may be left out has a `when`.",
    ),
    NEVER_TAKEN: CodeText(
        "No variant meets the condition of a step.",
        "The step is never done, unless an order gives such a value for single parts.",
        "Check the value for a slip, add a variant with it, or remove the step.",
    ),
    ALWAYS_TAKEN: CodeText(
        "Every variant meets the condition of a step.",
        "A condition that excludes nothing may not say what was meant.",
        "Remove the `when`, or check its values.",
    ),
    NOT_TAKEN: CodeText(
        "A route or a reference to a step that is not taken there.",
        "The condition of that step is not met in some variant, so there is nothing to go to or to read.",
        "Give both steps the same `when`, or name a step that is always taken.",
    ),
    NO_STEPS: CodeText(
        "A variant without steps.",
        "All its steps are removed, or have conditions that it does not meet: nothing would be made.",
        "Keep at least one step.",
    ),
    NO_SUBRECIPE: CodeText(
        "No sub-recipe of this name lies beside the recipe.",
        "`include` takes the file of that name in the same directory, which begins with `subrecipe:`.",
        "Take the suggestion, or write the file.",
    ),
    INCLUDE_CIRCLE: CodeText(
        "Sub-recipes that include each other in a circle, or too deeply.",
        "The steps would never end.",
        "Remove one `include`.",
    ),
    BAD_BLOCK: CodeText(
        "A block that does not hold together.",
        "It stands for the steps that it lists or for those of a sub-recipe, and says in one place what comes before.",
        "Give it either `steps` or `include`.",
    ),
    TOO_MANY_STEPS: CodeText(
        "Too many steps, after all that is included and repeated.",
        "Each is checked, dispatched and recorded by itself; so many are a slip in some `repeat`.",
        "Lower a `repeat`, or let one step do more.",
    ),
    BAD_PARTS: CodeText(
        "What an order gives for its single parts does not fit the order.",
        "Every part of such an order has its own values, so there must be as many as parts.",
        "Give one mapping of parameters for each part; {} where the usual values do.",
    ),
}
