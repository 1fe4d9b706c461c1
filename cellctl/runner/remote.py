"""What the runner knows of one module at this moment; nothing here is durable."""

from __future__ import annotations

from dataclasses import dataclass, field

from cellctl.messages import Event, Head, Heeded, LeaseDenied, LeaseGranted, Message, Refusal, View
from cellctl.packml import Mode, State, StateCommand

TOO_EARLY = 0.1  # [s] after which an instruction that was refused may be given again
MOST_WORDS = 100  # that are kept for clients
REFUSALS = 3  # equal ones in a row, after which nobody believes that the next will be another


@dataclass(slots=True)
class Remote:
    """One module as seen from the runner."""

    name: str
    process: str
    alive: bool = False  # its process is heard
    is_trusted: bool = True  # its journal has all records that the runner has seen of it
    epoch: int = 0  # of our lease; 0: none
    view: View | None = None
    viewed: float = 0.0  # when the view came [s]
    seen: dict[str, bool | None] = field(
        default_factory=dict
    )  # stations, as the sensors said when last asked
    seen_at: float = 0.0  # UTC [s], when they were
    is_compared: bool = False  # the sensors were held against the part map since it came, or was reset
    sent: dict[int, float] = field(default_factory=dict)  # command -> when it was sent last [s], this epoch
    accepted: set[int] = field(default_factory=set)
    refusals: dict[int, tuple[str, int]] = field(default_factory=dict)  # command -> why, how often in a row
    cancelled: dict[int, float] = field(default_factory=dict)  # command -> when its cancel was sent last [s]
    too_late: set[int] = field(default_factory=set)  # commands that cannot be cancelled any more
    told: tuple[State | None, StateCommand, float] | None = (
        None  # the last instruction: in which state, what, from when on it may be given again [s]
    )
    words: dict[str, Heeded | Refusal | None] = field(
        default_factory=dict
    )  # on what clients asked of it, by id
    refusal: str = ""
    head: Head = (
        Head()
    )  # of the journal of its process, the farthest that was seen; kept when the module is lost
    asked: float = float("-inf")  # when it was asked for its lease [s]
    asking: str = ""  # the id of that request
    named_to_it: Head = Head()  # how far its journal was seen, as that request said
    proof: Head = Head()  # the end of our journal that the module named and that we have
    named: Head = Head()  # the one that it named last
    accepted_by: str = (
        ""  # the person who accepted that a journal lost records, until the module has heard it
    )
    gives_up: bool = False  # with it: what the module has unfinished is given up

    def see(self, message: Message) -> None:
        """A message says how far the journal of its process is durable."""
        head = (
            message.view.head
            if isinstance(message, Event) and message.view
            else getattr(message, "head", Head())
        )
        if head.sequence > self.head.sequence:
            self.head = head

    def knows(self, number: int) -> bool:
        """Whether it has taken this command, as far as it said."""
        view = self.view
        return number in self.accepted or (view is not None and number in (*view.doing, *view.answered))

    def is_waiting_for(self, answer: LeaseGranted | LeaseDenied) -> bool:
        """Whether it answers the last request for its lease. One without an id comes from an older release."""
        return answer.id in ("", self.asking)

    def lose(self) -> None:
        """The module fell silent or lost us: what we knew no longer holds."""
        self.alive, self.is_trusted, self.epoch, self.view, self.told = False, True, 0, None, None
        self.seen, self.is_compared = {}, False
        self.words.clear()
        self.forget_sent()

    def distrust(self) -> None:
        """Its journal lost records: it may be brought to rest, but is not commanded until a person accepts it."""
        self.is_trusted, self.epoch, self.is_compared = False, 0, False
        self.forget_sent()

    def forget_sent(self) -> None:
        """Whatever was sent under an earlier lease has to be sent again."""
        self.sent.clear()
        self.accepted.clear()
        self.cancelled.clear()
        self.too_late.clear()

    def is_not_ready(self, now: float) -> None:
        """It refused an instruction, which came too early: it is given again after a moment."""
        if self.told is not None:
            self.told = (*self.told[:2], now + TOO_EARLY)

    def forget(self, number: int) -> None:
        """This command is answered: nothing more is to be known of it."""
        for known in (self.sent, self.refusals, self.cancelled):
            known.pop(number, None)
        self.accepted.discard(number)
        self.too_late.discard(number)

    def expect_word(self, id: str) -> None:
        """A client waits for the module's word on what was sent with this id; the oldest are given up."""
        self.words.setdefault(id)
        while len(self.words) > MOST_WORDS:
            del self.words[next(iter(self.words))]

    def take_word(self, word: Heeded | Refusal) -> None:
        """What it says to something that a client asked of it; nobody waits for any other."""
        if word.id in self.words:
            self.words[word.id] = word

    def refuse(self, number: int, why: str) -> None:
        """The module refused a command although it takes commands."""
        before, count = self.refusals.get(number, (why, 0))
        self.refusals[number] = (why, count + 1 if why == before else 1)

    @property
    def refusing(self) -> dict[int, str]:
        """The commands that it refuses again and again, and why."""
        return {number: why for number, (why, count) in self.refusals.items() if count >= REFUSALS}

    @property
    def state(self) -> State | None:
        return self.view.state if self.view else None

    @property
    def works(self) -> bool:
        """Whether it executes in production, as nearly always: nothing is wrong with it while the line runs."""
        view = self.view
        return view is not None and view.state is State.EXECUTE and view.mode is Mode.PRODUCTION

    @property
    def is_in_hands(self) -> bool:
        """Whether it is in manual mode: its lease is for panels, and where things are nobody can be sure."""
        return self.view is not None and self.view.mode is Mode.MANUAL

    @property
    def takes_commands(self) -> bool:
        """Whether a command sent now would be accepted, as far as is known."""
        return self.alive and self.epoch > 0 and self.is_compared and self.works
