"""The codes of what can be wrong with the form of a value; the long text of `cellctl explain`."""

from __future__ import annotations

from cellctl.findings import CodeText

UNKNOWN_KEY = "CC-V001"
MISSING_KEY = "CC-V002"
WRONG_KIND = "CC-V003"
NOT_A_QUANTITY = "CC-V004"
NOT_A_CHOICE = "CC-V005"
OUT_OF_RANGE = "CC-V006"
WRONG_FORM = "CC-V007"
DOES_NOT_FIT = "CC-V008"

CODES = {
    UNKNOWN_KEY: CodeText(
        "A key that is not known here.",
        "Were it ignored, a misspelt key would silently leave the value that it was to set.",
        "Take the suggestion, or remove the key. `cellctl schema` gives your editor all keys.",
    ),
    MISSING_KEY: CodeText(
        "A key is missing.",
        "There is no value that would be right on every line.",
        "Add the key. A key that is present but misspelt is reported as unknown instead.",
    ),
    WRONG_KIND: CodeText(
        "A value of the wrong kind.",
        "Text is not taken for a number, nor a number for text: 1.10 would become 1.1, and 007 become 7.",
        "Write the kind that is asked for; quotes make text.",
    ),
    NOT_A_QUANTITY: CodeText(
        "Not a quantity, or not the right one.",
        "A bare number leaves open whether it is millimetres or metres, which is how machines get broken.",
        "Write a number and a unit: 150 mm/s, 0.8 s, 90 deg, 18.20 mm ± 0.15 mm.",
    ),
    NOT_A_CHOICE: CodeText(
        "Not one of the choices.",
        "The value must be one of a few words.",
        "Take the suggestion, or one of the words that are listed.",
    ),
    OUT_OF_RANGE: CodeText(
        "Out of range.",
        "The value has the right kind, but is too small or too large to make sense here.",
        "Check the number and its unit.",
    ),
    WRONG_FORM: CodeText(
        "Text in the wrong form.",
        "Names and addresses have a fixed form, because commands, journals and other files refer to them.",
        "Write it in the form that is shown.",
    ),
    DOES_NOT_FIT: CodeText(
        "A value that does not fit.",
        "Something in it, or in how its parts go together, is not allowed; the message says what.",
        "See the message.",
    ),
}
