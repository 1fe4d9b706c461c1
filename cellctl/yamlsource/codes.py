"""The codes of what can be wrong with a file's text; the long text of `cellctl explain`."""

from __future__ import annotations

from cellctl.findings import CodeText

UNREADABLE = "CC-Y001"
TOO_LARGE = "CC-Y002"
NOT_UTF8 = "CC-Y003"
UNSEEN = "CC-Y004"
TAB = "CC-Y005"
NOT_YAML = "CC-Y006"
TOO_DEEP = "CC-Y007"
TOO_MANY = "CC-Y008"
ALIAS = "CC-Y009"
TAG = "CC-Y010"
MERGE_KEY = "CC-Y011"
KEY_TWICE = "CC-Y012"
KEY_NOT_TEXT = "CC-Y013"
SECOND_DOCUMENT = "CC-Y014"
DIRECTIVE = "CC-Y015"
EMPTY = "CC-Y016"
LEADING_ZEROS = "CC-Y017"
NUMBER_TOO_LARGE = "CC-Y018"

CODES = {
    UNREADABLE: CodeText(
        "A file cannot be read.",
        "It does not exist, is a directory, or the user may not read it.",
        "Check the path; files are named relative to the working directory.",
    ),
    TOO_LARGE: CodeText(
        "A file is too large.",
        "Lines and recipes are written by people and far smaller than the limit of one megabyte; a larger file is "
        "another file, and could exhaust a line controller.",
        "Check that the path names the file you mean; split a recipe that really is this large.",
    ),
    NOT_UTF8: CodeText(
        "The file is not UTF-8.",
        "Bytes of another encoding would become other characters on another computer: ± or µ would be lost.",
        "Save the file as UTF-8 in your editor.",
    ),
    UNSEEN: CodeText(
        "A character that cannot be seen.",
        "Control characters, zero-width characters and marks of writing direction make a file look other than it is, "
        "and names that look alike differ. U+FFFD stands where an earlier program lost a character.",
        "Delete the character. Where one is needed in text, write it as an escape in double quotes.",
    ),
    TAB: CodeText(
        "A tab in the indentation.",
        "YAML's structure is its indentation, and a tab has no fixed width, so YAML forbids it there.",
        "Indent with spaces; most editors can be told to.",
    ),
    NOT_YAML: CodeText(
        "The text is not YAML.",
        "The parser cannot tell what belongs to what. It stops at the first such place, so others may follow.",
        "Usual causes: text that holds ': ' or begins with a special character and needs quotes; a line that is "
        "indented otherwise than its neighbours; a bracket or quote that is not closed.",
    ),
    TOO_DEEP: CodeText(
        "Values are nested too deep.",
        "No line or recipe needs 64 levels; text that does is made to exhaust the program that reads it.",
        "Flatten the structure.",
    ),
    TOO_MANY: CodeText(
        "The file holds too many values.",
        "More than 20,000 of them are not written by people; to check them would take longer than anybody waits.",
        "Split the file.",
    ),
    ALIAS: CodeText(
        "Anchors and aliases are not used here.",
        "With them one line of a file silently changes another, and a few lines can expand to gigabytes.",
        "Write the value out. In a recipe, use a parameter or let a variant extend another.",
    ),
    TAG: CodeText(
        "Tags are not used here.",
        "A tag changes the type of a value, and in some programs runs code. The type is known from the key.",
        "Remove the tag. Put text that begins with an exclamation mark in quotes.",
    ),
    MERGE_KEY: CodeText(
        "Merge keys are not used here.",
        "YAML 1.2 has no `<<`; where it works, the keys it brings in are invisible where they take effect.",
        "Write the keys out. In a recipe, let a variant extend another.",
    ),
    KEY_TWICE: CodeText(
        "A key stands twice in one mapping.",
        "Many programs silently take the last one, so half of what was written would be lost.",
        "Keep one of the two, or give one another name.",
    ),
    KEY_NOT_TEXT: CodeText(
        "A key is not text.",
        "Numbers, true, false, null, lists and mappings are no names. A template's `{{ ... }}` is a mapping.",
        "Put the key in quotes, or give it a name.",
    ),
    SECOND_DOCUMENT: CodeText(
        "More than one document in a file.",
        "Only the first would be used.",
        "Keep each document in a file of its own, and remove the `---` between them.",
    ),
    DIRECTIVE: CodeText(
        "Directives are not used here.",
        "`%YAML 1.1` would change what `no` and `010` mean; files are always read as YAML 1.2.",
        "Remove the line that begins with `%`.",
    ),
    EMPTY: CodeText(
        "The file is empty.",
        "It holds nothing but space and comments.",
        "Begin with the first key, `line:` or `recipe:`.",
    ),
    LEADING_ZEROS: CodeText(
        "A number with leading zeros.",
        "It is read as a decimal number; older YAML took 010 for 8. An article number would lose its zeros.",
        "Drop the zeros of a number; put a name in quotes.",
    ),
    NUMBER_TOO_LARGE: CodeText(
        "A number is too large.",
        "Whole numbers have 64 bits and others the range of a double; beyond it the value would be changed.",
        "Check the number; put it in quotes if it is a name.",
    ),
}
