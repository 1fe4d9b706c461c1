"""The codes of what can be wrong with a recipe on one line; the long text of `cellctl explain`."""

from __future__ import annotations

from cellctl.findings import CodeText

UNKNOWN_SKILL = "CC-C001"
NOBODY_CAN = "CC-C002"
UNKNOWN_STATION = "CC-C003"
NO_SUCH_MATERIAL = "CC-C004"
UNKNOWN_PARAMETER = "CC-C005"
BAD_VALUE = "CC-C006"
MISSING_PARAMETER = "CC-C007"
UNKNOWN_CHOICE = "CC-C008"
WRONG_KEY = "CC-C009"
UNKNOWN_OUTCOME = "CC-C010"
NOT_THERE = "CC-C011"
UNKNOWN_RESULT = "CC-C012"
UNKNOWN_MODULE = "CC-C013"
STAYS_ON_LINE = "CC-C014"
NOTHING_TO_SCRAP = "CC-C015"
TOO_MANY_PARTS = "CC-C016"
NOBODY_ANNOUNCES = "CC-C017"

CODES = {
    UNKNOWN_SKILL: CodeText(
        "No module of this line has this skill.",
        "A step names what is to be done; a module whose kind declares that skill does it.",
        "Take the suggestion, or add a module that can do it to the line.",
    ),
    NOBODY_CAN: CodeText(
        "Modules have the skill, but none can do this step.",
        "A conveyor serves its own stops, an arm stations with a pose for it, a machine the station where it is.",
        "Give the station a pose, choose other stations, or bring the part nearer first.",
    ),
    UNKNOWN_STATION: CodeText(
        "The line has no such station, or more than one.",
        "A station is named in full, or shortly where only one module has a station of that name.",
        "Write module.station.",
    ),
    NO_SUCH_MATERIAL: CodeText(
        "The line does not have this material, or nothing yields it.",
        "What is taken must lie ready somewhere: at a station with `source:`.",
        "Take the suggestion, or add the material and a station that yields it.",
    ),
    UNKNOWN_PARAMETER: CodeText(
        "The skill has no such parameter, and steps have no such key.",
        "Were it ignored, a misspelt value would silently stay what it was.",
        "Take the suggestion, or remove it.",
    ),
    BAD_VALUE: CodeText(
        "A parameter's value is of the wrong kind, or out of bounds.",
        "The skill, or the machine's program, says what it takes.",
        "Write a value within the bounds that are shown.",
    ),
    MISSING_PARAMETER: CodeText(
        "The step lacks a parameter that its skill or program needs.",
        "There is no value that would be right for every product.",
        "Add it to the step.",
    ),
    UNKNOWN_CHOICE: CodeText(
        "The module knows no program or feature of this name.",
        "Programs and features are listed at the module in the line file.",
        "Take the suggestion, or add it to the module.",
    ),
    WRONG_KEY: CodeText(
        "A key that does not go with this skill, or one that it needs.",
        "A skill that moves parts needs to know where to; one that works where the part is moves nothing.",
        "Remove or add the key.",
    ),
    UNKNOWN_OUTCOME: CodeText(
        "The skill never ends in this outcome.",
        "A route that is never taken gives false comfort.",
        "Take the suggestion. `done` needs no route.",
    ),
    NOT_THERE: CodeText(
        "The part is not where the step needs it.",
        "Steps were followed one by one from the first, and the part is somewhere else by now, or not there yet.",
        "Move the part first, or change the order of the steps.",
    ),
    UNKNOWN_RESULT: CodeText(
        "The step gives no such result.",
        "Results are what the skill, its features or its program declare.",
        "Take the suggestion.",
    ),
    UNKNOWN_MODULE: CodeText(
        "No module of this name can do the step.",
        "`by` chooses among the modules that have the skill.",
        "Take the suggestion, or leave `by` out.",
    ),
    STAYS_ON_LINE: CodeText(
        "After the last step the part still stands on the line.",
        "It keeps its station, so that the line stops when all stations are full.",
        "End with a step that brings it to a station with `sink: true`.",
    ),
    NOTHING_TO_SCRAP: CodeText(
        "A route leads to `scrap`, but the recipe has no scrap steps.",
        "Nothing would take the part away.",
        "Add `scrap:` with a step that moves the part to a bin.",
    ),
    TOO_MANY_PARTS: CodeText(
        "A step works on more parts at once than its station holds.",
        "Two parts cannot stand in one place.",
        "Lower `parts`, or give the station a `grid` or `capacity`.",
    ),
    NOBODY_ANNOUNCES: CodeText(
        "No module announces parts at this station.",
        "A part that nobody announces never begins.",
        "Name a station of a module that finds parts by itself, or let the runner make them: without `arrives`.",
    ),
}
