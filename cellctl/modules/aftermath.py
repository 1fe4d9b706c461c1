"""How a command stood that an earlier run left unfinished: one of five answers, with its evidence, in the log.

An earlier run ends unfinished by a crash, an abort, manual mode or a question.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from cellctl.device import Settlement
from cellctl.modules.ledger import PastAction, Unfinished
from cellctl.runtime import Log


class Standing(StrEnum):
    """The five answers."""

    DONE = "done"
    NOT_STARTED = "not started"
    RUNNING = "still running"
    PARTLY_DONE = "partly done"
    IN_DOUBT = "in doubt"


class Aftermath:
    """Says it once for one new run of a command; says nothing of a first run."""

    def __init__(self, log: Log, entry: Unfinished, is_new: bool, tell: Callable[[str], None]) -> None:
        """`tell` gets the answer as one line for the module's view."""
        self._log, self._entry, self._is_said, self._tell = log, entry, is_new, tell
        self._had_effect = False  # something that is not simply repeated is on record as done

    def found(self, past: PastAction, is_repeatable: bool) -> None:
        """An action is on record with its result."""
        self._had_effect |= not is_repeatable

    def settled(self, past: PastAction, settlement: Settlement, why: str) -> None:
        """The evidence told what became of the unfinished action."""
        command = self._entry.command
        self._log.info(
            "settled",
            module=command.module,
            command=command.number,
            device=past.device,
            action=past.name,
            settlement=str(settlement),
            why=why,
        )
        match settlement:
            case Settlement.DONE:
                self._had_effect = True
            case Settlement.RUNNING:
                self._say(Standing.RUNNING, f"{past.name} of {past.device}: {why}")
            case Settlement.UNKNOWN:
                self.doubted(why)
            case Settlement.NOT_STARTED:
                self.goes_on()

    def doubted(self, why: str) -> None:
        """Only a person can say."""
        self._say(Standing.IN_DOUBT, why)

    def goes_on(self) -> None:
        """From here on the run does what no earlier one did."""
        if self._is_said:
            return
        places = {move.item: move.place for move in self._entry.moves}
        moved = ", ".join(f"{item} is at {place}" for item, place in places.items())
        is_partly = self._had_effect or bool(places)
        self._say(Standing.PARTLY_DONE if is_partly else Standing.NOT_STARTED, moved)

    def ended(self) -> None:
        """The run did nothing new."""
        self._say(Standing.DONE, "everything is on record, or was found done")

    def _say(self, standing: Standing, why: str) -> None:
        if not self._is_said:
            self._is_said = True
            command = self._entry.command
            self._log.info(
                "unfinished command",
                module=command.module,
                command=command.number,
                skill=command.skill,
                stands=str(standing),
                why=why,
            )
            self._tell(f"command {command.number} ({command.skill}): {standing}{f' ({why})' if why else ''}")
