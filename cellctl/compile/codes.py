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
WAITS_FOR_EVER = "CC-C018"
NOBODY_ASKED = "CC-C019"
COMPONENT_LEFT = "CC-C020"
NO_NEXT_PART = "CC-C021"
NEVER_DONE = "CC-C022"
NOT_ALL_FOLLOWED = "CC-C023"
TIMEOUT_TOO_SHORT = "CC-C024"
WRONG_RESULT = "CC-C030"
OUT_OF_REACH = "CC-C031"
AGAINST_BELT = "CC-C032"
TWICE_IN = "CC-C033"
ENDLESS = "CC-C034"

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
        "When all is done, after the last step or on some other path, the part still stands on the line.",
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
    WAITS_FOR_EVER: CodeText(
        "On some path a step waits for what never happens.",
        "Every path was followed, with every outcome of every step, for parts alone on the line: there the part stands "
        "until a person helps. Nobody can take it from there, its target is taken, or what it waits for never comes.",
        "Give the outcome a route that goes on from where it leaves the part, or somebody a pose for that place.",
    ),
    NOBODY_ASKED: CodeText(
        "A route goes on by itself after an outcome that may leave something in a gripper, or nobody knows where.",
        "Only a person can take it from there, and nobody is asked: the part waits until somebody notices.",
        "Write `ask` as the route of this outcome.",
    ),
    COMPONENT_LEFT: CodeText(
        "On some path a component is left behind.",
        "A dropped component lies in the line's way, and one that is left in a gripper keeps it from working.",
        "Write `ask` as the route of the outcome that leaves it.",
    ),
    NO_NEXT_PART: CodeText(
        "After some path the line is not such that a next part can begin.",
        "A carrier, gripper or station stays taken, so the line makes one part and stops.",
        "Let every path leave the line as it was: carriers empty, grippers free.",
    ),
    NEVER_DONE: CodeText(
        "No path comes to this step.",
        "A scrap step is done when a route names it, or needs one that is; `scrap` means the first.",
        "Name the step in a route, let it need another, or remove it.",
    ),
    NOT_ALL_FOLLOWED: CodeText(
        "The recipe has more paths than are followed.",
        "Only the plainest ones were: what may be wrong with the others is not known.",
        "Fewer routes that lead back, and fewer parts at once, make fewer paths.",
    ),
    TIMEOUT_TOO_SHORT: CodeText(
        "A step is allowed less time than it takes.",
        "The runner would stop each part's command before it is done.",
        "Allow more time, or correct the `time` of the program in the line file.",
    ),
    WRONG_RESULT: CodeText(
        "A result is used for a parameter that measures something else.",
        "A length where a force is wanted would be taken for newtons, when the part already lies in the machine.",
        "Name a result of the right dimension, or another parameter.",
    ),
    OUT_OF_REACH: CodeText(
        "An arm cannot reach a station that it has a pose for, with the tool that it wears.",
        "The pose, its approach, a nest or a `via` is outside the workspace or beyond a joint's limit, or the straight "
        "way down from the approach cannot be followed in the posture in which the arm comes. Its controller would "
        "refuse the motion, with the part in the gripper. A warning where another arm can do the step, where it "
        "depends on where the arm comes from, and at a station that no step uses.",
        "Move the station or the arm's base, correct the pose, or give the station a `via` or another `approach`.",
    ),
    AGAINST_BELT: CodeText(
        "A belt is to bring a part back, or to where it stands.",
        "A belt runs one way, towards the greater `at` of its stops. The part would leave its stop, never come to the "
        "eye of the other, and count as jammed. A retry or rework may lead here, too, from a step further on.",
        "Name a stop further on, let an arm take the part, begin the retry with a step that works where the part is, "
        "or say that the belt runs in a circle: `circuit`.",
    ),
    TWICE_IN: CodeText(
        "On some path a component is put into a part that has it already.",
        "An insert that a person calls failed may have left its component in the part: a retry puts a second one on "
        "top. It is a warning where the insert was done and a later route leads back to it: that may be meant.",
        "Write `ask` as the route of the outcome, or begin the retry with a step behind the insert.",
    ),
    ENDLESS: CodeText(
        "A route leads straight back to the step that it comes from, and nothing counts how often.",
        "The step would be tried again until it ends otherwise, for a whole shift if need be: no other step is done in "
        "between, nobody is asked, and the part keeps its station. A move that would bring the part to where it stands "
        "is passed over, so a route to such a move leads straight back, too. A rework, which does something to the "
        "part before the step comes again, is not told of.",
        "Write how often, and what then: `{retry: 2, then: scrap}`, or `ask` instead of `scrap`.",
    ),
}
