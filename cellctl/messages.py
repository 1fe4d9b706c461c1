"""Every message on the bus, in one table.

Runner to module: LeaseRequest, Command, Cancel, Instruct, Inquire, Settle, Noted. Module to runner:
LeaseGranted, LeaseDenied, Accepted, Refusal, Heeded, Answer, TooLate, Announced, Withdrawn, View.
Panel to module, in manual mode: LeaseRequest, Jog, LeaseReturned; back: LeaseGranted, LeaseDenied, JogEnded, View.
Client to runner: Request; back: Reply. Published by modules and runner: Event.
On the wire each is MessagePack, tagged with its name; `encode` and `decode` are the only codec.
Fields are only ever added, with defaults.
"""

from __future__ import annotations

from typing import Any

import msgspec

from cellctl.errors import BusError
from cellctl.packml import Mode, State, StateCommand

MAX_MESSAGE_BYTES = 1_000_000


class Limits(msgspec.Struct, frozen=True, tag="limits"):
    """What a measured value must lie within, SI units. `dimension` is a `cellctl.units.Dimension` value."""

    nominal: float
    lower: float
    upper: float
    dimension: str = ""


Value = bool | int | float | str | Limits | None


GONE = ""  # the place of an item that is not on the line
LOST = "?"  # the place of an item that nobody knows
UNKNOWN_END = "unknown"  # the outcome of a command whose records were lost


class Head(msgspec.Struct, frozen=True, array_like=True):
    """How far the sender's journal is durable: a peer that once saw more knows that records were lost."""

    sequence: int = 0
    digest: str = ""


class Item(msgspec.Struct, frozen=True):
    """One part, component or carrier that a command moves or works on.

    `origin` and `target` are places: a station, `station#nest`, or "" for nowhere. A component that joins a part
    names it in `into`.
    """

    id: str
    origin: str = ""
    target: str = ""
    material: str = ""
    into: str = ""


class Move(msgspec.Struct, frozen=True):
    """An item changed its place: it is at `place` now, which may be GONE (it left the line) or LOST."""

    item: str
    place: str


class Message(msgspec.Struct, frozen=True, tag=True):
    """Anything that travels on the bus."""


# --- runner to module -----------------------------------------------------------------------------------------


class LeaseRequest(Message, frozen=True, tag=True):
    """Ask for the right to command a module.

    Both sides show that their journals lost nothing that the other has seen: the module looks for `seen` in its own,
    and asks for `proof` when it has seen the holder's before.
    """

    module: str
    holder: str
    head: Head = Head()
    seen: Head = Head()  # of the module's journal, the farthest that the holder saw
    proof: Head = Head()  # the end of the holder's journal that the module named: the holder has that record
    accepted_by: str = ""  # the person who accepted that one of the two lost records, and why
    gives_up: bool = (
        False  # the module lost them: what it has unfinished is given up, the holder expects no answer
    )
    by_hand: bool = False  # a panel asks, to move the module by hand: in manual mode, and only then
    id: str = ""  # the answer has it: who asked again takes no answer to what it asked before


class Command(Message, frozen=True, tag=True):
    """One request to one module. The same number always means the same request: it is answered once, for ever."""

    number: int
    module: str
    epoch: int
    oldest: int  # the lowest number still unanswered: the module may forget below it
    skill: str
    items: tuple[Item, ...] = ()
    step: str = ""
    visit: int = 1
    attempt: int = 1
    parameters: dict[str, Value] = {}
    head: Head = Head()
    carriers: dict[str, str] = {}  # carrier -> the station at which it stands, of those that items are on


class Cancel(Message, frozen=True, tag=True):
    """Stop a command if it can be stopped; answered by Answer("cancelled") or TooLate. Frees nothing by itself.

    One that a person ends, who put its items right while its module was at rest, is answered "failed" where it is.
    """

    module: str
    epoch: int
    number: int
    by_hand: bool = False


class Instruct(Message, frozen=True, tag=True):
    """A PackML command or a change of mode, by a person or the runner. Hold, Stop and Abort need no lease.

    One with an `id` is answered by Heeded or Refusal, whichever it is.
    """

    module: str
    who: str
    command: StateCommand | None = None
    mode: Mode | None = None
    epoch: int = 0
    id: str = ""


class Inquire(Message, frozen=True, tag=True):
    """Ask for a module's whole view; answered by View."""

    module: str


class Settle(Message, frozen=True, tag=True):
    """An operator's word on a question that a module asked. One with an `id` is answered by Heeded or Refusal."""

    module: str
    question: int
    choice: str
    who: str
    note: str = ""
    id: str = ""


class LeaseReturned(Message, frozen=True, tag=True):
    """A panel gives a module's lease up: what it moved stops. Answered by View, its sensors freshly read."""

    module: str
    epoch: int


class Jog(Message, frozen=True, tag=True):
    """Move by hand, by the panel that has the lease in manual mode; void 200 ms after it was sent.

    A press is one motion, from the first message with its number to JogEnded; one that has ended never goes on.
    """

    module: str
    who: str
    device: str  # or its role in the module; an output such as "io1.do0"
    motion: str
    speed: float = 0.0  # [m/s], [rad/s]; negative: backwards; 0: the usual one of the motion
    distance: float = 0.0  # [m], [rad], with its sign; 0: until it is let go
    epoch: int = 0  # of the lease
    press: int = 1  # rises by one with each press under the lease
    at: float = 0.0  # since the lease was granted, by the panel's clock [s]


class JogEnded(Message, frozen=True, tag=True):
    """A press is over and its motion has stopped: `why` it broke off, "" when it came to its end."""

    module: str
    press: int
    why: str = ""


class Noted(Message, frozen=True, tag=True):
    """An announced part was taken on; it need not be announced again. Or, `withdrawn`: that it left is known."""

    module: str
    number: int
    withdrawn: bool = False


# --- module to runner -----------------------------------------------------------------------------------------


class LeaseGranted(Message, frozen=True, tag=True):
    module: str
    holder: str
    epoch: int
    head: Head = Head()
    id: str = ""  # of the request


class LeaseDenied(Message, frozen=True, tag=True):
    module: str
    holder: str  # who has it
    why: str
    seen: Head = Head()  # prove that this is in your journal: the module saw it end there
    is_lost: bool = False  # the module's own journal does not have what you saw of it
    id: str = ""  # of the request


class Accepted(Message, frozen=True, tag=True):
    """The command is journaled and will be answered, whatever happens."""

    module: str
    number: int
    head: Head = Head()


class Refusal(Message, frozen=True, tag=True):
    """Nothing happened and nothing was stored; the same number may come again.

    `id` is that of the Instruct or Settle that is refused.
    """

    module: str
    number: int
    why: str
    lease_lost: bool = False
    id: str = ""
    epoch: int = 0  # of the lease that is lost


class Heeded(Message, frozen=True, tag=True):
    """The Instruct or Settle of this `id` was taken: the module is in `state` and `mode` with it."""

    module: str
    id: str
    state: State
    mode: Mode


class Answer(Message, frozen=True, tag=True):
    """The final word on a command. `outcome` is "done", "cancelled" or one of the skill's named failures.

    `moves` are the changes of place that did happen, in order; they hold whatever the outcome.
    """

    module: str
    number: int
    outcome: str
    moves: tuple[Move, ...] = ()
    results: dict[str, Value] = {}
    started: float = 0.0  # UTC [s]
    ended: float = 0.0
    device_time: float = 0.0  # spent in the devices [s]
    detail: str = ""
    head: Head = Head()


class Announced(Message, frozen=True, tag=True):
    """A module found a part that nobody brought it (a camera, an RFID reader, an upstream line).

    Repeated until Noted; `number` is greater than that of any before, so that none is taken twice. `given` are
    parameters of this part, by "step.parameter" or "skill.parameter".
    """

    module: str
    number: int
    place: str
    recipe: str = ""  # the recipe it is for, where the module can tell
    variant: str = ""
    given: dict[str, Value] = {}


class Withdrawn(Message, frozen=True, tag=True):
    """A part that the module announced has left its place without being worked on there. Repeated until Noted so."""

    module: str
    number: int


class TooLate(Message, frozen=True, tag=True):
    """The command cannot be cancelled any more; its Answer follows or has been given."""

    module: str
    number: int


class Question(msgspec.Struct, frozen=True):
    """Something that only a person can know. `choices` maps each answer to what it means."""

    number: int
    command: int
    action: str
    text: str
    choices: dict[str, str]
    asked: float = 0.0


class Alarm(msgspec.Struct, frozen=True):
    """Something an operator must know (ISA-18.2): code, what happened, why, what to do."""

    code: str
    source: str
    text: str
    cause: str = ""
    remedy: str = ""
    raised: float = 0.0
    first_out: bool = False


class View(Message, frozen=True, tag=True):
    """A module's whole state as it sees itself, with what its sensors say of its stations."""

    module: str
    state: State
    mode: Mode
    holder: str = ""
    epoch: int = 0
    doing: tuple[int, ...] = ()
    answered: tuple[int, ...] = ()
    questions: tuple[Question, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    occupied: dict[str, bool | None] = {}  # station -> seen occupied; None where no sensor can say
    finishing: str = ""  # what is being finished while holding, and for how long at most
    settled: tuple[
        str, ...
    ] = ()  # how each command stood that was left unfinished, until the next one is taken
    head: Head = Head()
    entered_by: str = ""  # who brought it into its state: a person, "runner", "fault", "safety", ...
    unread: tuple[str, ...] = ()  # safety inputs that its process has not read yet


# --- clients and runner ---------------------------------------------------------------------------------------


class Request(Message, frozen=True, tag=True):
    """A client's request to the runner; `verb` is one of `cellctl.runner.requests`."""

    id: str
    verb: str
    who: str
    body: dict[str, Any] = {}


class Reply(Message, frozen=True, tag=True):
    """The runner's reply: `error` is empty when it is well; `who` is as whom the records name the client."""

    id: str
    body: dict[str, Any] = {}
    error: str = ""
    who: str = ""


# --- events ---------------------------------------------------------------------------------------------------


class Event(Message, frozen=True, tag=True):
    """Published, numbered per publisher without a gap; who misses one asks for the View.

    Exactly one of the optional fields says what happened.
    """

    number: int
    source: str
    view: View | None = None
    move: Move | None = None
    command: int = 0  # of the move: the command in which it happened
    index: int = 0  # of the move: which of the command's moves, from 0
    head: Head = Head()  # of the move: the journal of its process, which has it
    alarm: Alarm | None = None
    cleared: str = ""  # code and source of an alarm that is over


AnyMessage = (
    LeaseRequest
    | Command
    | Cancel
    | Instruct
    | Inquire
    | Settle
    | LeaseReturned
    | Jog
    | JogEnded
    | Noted
    | LeaseGranted
    | LeaseDenied
    | Accepted
    | Refusal
    | Heeded
    | Answer
    | TooLate
    | Announced
    | Withdrawn
    | View
    | Request
    | Reply
    | Event
)

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(AnyMessage)


def encode(message: Message) -> bytes:
    """The message as MessagePack."""
    return _encoder.encode(message)


def decode(data: bytes) -> Message:
    """The message in `data`. Raises BusError for anything that is not one, or is too large."""
    if len(data) > MAX_MESSAGE_BYTES:
        raise BusError(f"a message of {len(data)} bytes is larger than the allowed {MAX_MESSAGE_BYTES}")
    try:
        message: Message = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BusError(f"not a message: {error}") from error
    return message
