"""The alarms that the runner raises: one table for the code, the displays and the documents."""

from __future__ import annotations

from typing import NamedTuple


class AlarmText(NamedTuple):
    """What an alarm says; `text` describes what the runner fills in."""

    text: str
    cause: str
    remedy: str


ALARMS = {
    "R001": AlarmText(
        "a process does not answer",
        "its process ended, hangs, or cannot be reached",
        "cellctl up starts it again by itself; if it does not come back, read its log and run `cellctl doctor`",
    ),
    "R010": AlarmText(
        "the line was running when its runner stopped",
        "power, process or machine failed while the line was running",
        "look at the line, then `cellctl recover`; when the part map is right, `cellctl start`",
    ),
    "R011": AlarmText(
        "a module's journal came back shorter than it was",
        "the module's journal lost records that the runner has seen",
        "do not guess: compare the part map with the line (`cellctl recover`), then give the module a new journal",
    ),
    "R012": AlarmText(
        "journal and sensor disagree about a station",
        "a part was taken away or put there by hand, or a sensor fails",
        "`cellctl recover` shows both views; put the part back, or say where it is",
    ),
    "R013": AlarmText(
        "a module restarted while the line was running",
        "its process ended or lost its power",
        "look at the module, then `cellctl reset MODULE` and `cellctl start MODULE`, or restart the line",
    ),
    "R020": AlarmText(
        "a step takes longer than the recipe allows",
        "the device is slower than the recipe allows, or waits for something",
        "look at the module; the step is not freed before it has answered",
    ),
    "R030": AlarmText(
        "a part waits for a decision",
        "the recipe says to ask a person when this step ends so",
        "`cellctl recover` lists the choices: retry, scrap, next, remove, or a step to go on from",
    ),
}
