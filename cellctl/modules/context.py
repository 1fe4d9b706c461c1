"""What the parts of one hosted module share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from cellctl.errors import DeviceError, StoreError
from cellctl.journal import ModuleRecord
from cellctl.line.model import Module
from cellctl.messages import Message
from cellctl.modules.act import CommandAct, ErrandAct
from cellctl.modules.aftermath import Aftermath
from cellctl.modules.alarms import Alarms
from cellctl.modules.kind import Kind
from cellctl.modules.ledger import Ledger, Unfinished
from cellctl.modules.recorder import Recorder
from cellctl.modules.safety import Safety
from cellctl.modules.work import Work
from cellctl.runtime import Event, Runtime, TaskGroup


@dataclass(frozen=True, slots=True)
class Context:
    """One module in its process."""

    runtime: Runtime
    module: Module
    ledger: Ledger
    kind: Kind
    alarms: Alarms
    group: TaskGroup  # its tasks live as long as the process
    recorder: Recorder
    next_action: Callable[[], int]
    number_afresh: Callable[[], ModuleRecord]  # the record after which numbers go on far above all given
    reply: Callable[[str, Message], None]  # to a peer on the bus
    not_open: Callable[[], tuple[str, ...]]  # which of its devices are not open yet
    silent: Callable[[], tuple[str, ...]]  # which of those because they do not answer
    tried: Event  # set when every device of the process was tried to be opened once
    safety: Safety  # the safety inputs that its process reads

    @property
    def name(self) -> str:
        return self.module.name

    def record(self, *records: ModuleRecord) -> Awaitable[None]:
        """Journal; returns when the records are durable and applied."""
        return self.recorder(*records)

    def work(self, do: Callable[[], Coroutine[Any, Any, None]], what: str) -> Work:
        """Do something beside all else."""
        return Work(self.runtime, self.group, do, f"{self.name} {what}")

    async def halt(self) -> str:
        """Stop all motion; why it could not be, which has its alarm then, "" where it could. Raises StoreError."""
        try:
            await self.kind.halt()
        except StoreError:
            raise
        except Exception as error:  # of a kind or driver: it must not take the other modules with it
            self.complain("halt failed", error)
            return str(error) or repr(error)
        return ""

    def complain(self, what: str, error: Exception) -> None:
        """Log what a kind or driver failed in, and raise the alarm of its error."""
        self.runtime.log.error(what, module=self.name, error=repr(error))
        if isinstance(error, DeviceError):
            self.alarms.raise_error(error)
        else:
            self.alarms.raise_alarm("M011", self.name, str(error) or repr(error))

    def act(self, entry: Unfinished, is_new: bool, tell: Callable[[str], None]) -> CommandAct:
        """The act of a run of a command; `is_new` in its first one, else `tell` gets how it stood."""
        aftermath = Aftermath(self.runtime.log, entry, is_new, tell)
        return CommandAct(self.runtime, self.recorder, self.ledger, entry, self.next_action, aftermath)

    def errand(self, by_hand: bool = False) -> ErrandAct:
        """The act of what belongs to no command."""
        return ErrandAct(self.runtime, self.recorder, self.name, self.next_action, by_hand)
