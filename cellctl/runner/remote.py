"""What the runner knows of one module at this moment; nothing here is durable."""

from __future__ import annotations

from dataclasses import dataclass, field

from cellctl.messages import Head, Message, View
from cellctl.packml import Mode, State


@dataclass(slots=True)
class Remote:
    """One module as seen from the runner."""

    name: str
    process: str
    alive: bool = False
    epoch: int = 0  # of our lease; 0: none
    view: View | None = None
    viewed: float = 0.0  # when the view came [s]
    seen: dict[str, bool | None] = field(
        default_factory=dict
    )  # stations, as the sensors said when last asked
    seen_at: float = 0.0  # UTC [s], when they were
    is_compared: bool = False  # the sensors were held against the part map since it came, or was reset
    sent: dict[int, float] = field(default_factory=dict)  # command -> when it was sent last [s], this epoch
    begun: dict[int, float] = field(default_factory=dict)  # command -> when it was sent first [s], this epoch
    accepted: set[int] = field(default_factory=set)
    cancelled: set[int] = field(default_factory=set)
    told: tuple[State, float] | None = None  # the state for which an instruction was sent, and when
    refusal: str = ""
    head: Head = (
        Head()
    )  # of the journal of its process, the farthest that was seen; kept when the module is lost

    def see(self, message: Message) -> None:
        """A message says how far the journal of its process is durable."""
        head = getattr(message, "head", Head())
        if head.sequence > self.head.sequence:
            self.head = head

    def lose(self) -> None:
        """The module fell silent or lost us: what we knew no longer holds."""
        self.alive, self.epoch, self.view, self.told = False, 0, None, None
        self.is_compared = False
        self.forget_sent()

    def forget_sent(self) -> None:
        """Whatever was sent under an earlier lease has to be sent again."""
        self.sent.clear()
        self.begun.clear()
        self.accepted.clear()
        self.cancelled.clear()

    @property
    def state(self) -> State | None:
        return self.view.state if self.view else None

    @property
    def takes_commands(self) -> bool:
        """Whether a command sent now would be accepted, as far as is known."""
        view = self.view
        return (
            self.alive
            and self.epoch > 0
            and self.is_compared
            and view is not None
            and view.state is State.EXECUTE
            and view.mode is Mode.PRODUCTION
        )
