"""What can happen to a line, as the runner journals it. The state is nothing but the fold of these.

Times `at` are UTC seconds, for records only. Fields are only ever added, with defaults.
"""

from __future__ import annotations

import msgspec

from cellctl.flow.state import FlowState, Turn
from cellctl.messages import Head, Item, Move, Value
from cellctl.packml import Mode, State
from cellctl.recipe.executable import Executable


class Happened(msgspec.Struct, frozen=True, tag=True):
    """Anything that the runner journals."""


class LineTaken(Happened, frozen=True, tag=True):
    """The runner runs this line file; refused later when it changed while parts were on the line."""

    name: str
    digest: str
    at: float = 0.0


class LineEntered(Happened, frozen=True, tag=True):
    """The line as a whole entered a PackML state or mode."""

    state: State
    mode: Mode
    who: str
    at: float = 0.0
    starting: bool = False  # it goes on to Execute from Stopped and Idle, as a person asked for


# --- orders -----------------------------------------------------------------------------------------------------


class RecipeTaken(Happened, frozen=True, tag=True):
    """An executable recipe came with an order; from now on its digest means this."""

    digest: str
    executable: Executable


class OrderTaken(Happened, frozen=True, tag=True):
    """So many parts of one recipe and variant. The id is the client's, which makes ordering idempotent."""

    order: str
    recipe: str  # digest of the executable
    quantity: int
    priority: int = 0
    parts: tuple[
        dict[str, Value], ...
    ] = ()  # parameters of single parts (lot size one), as they were written
    who: str = ""
    at: float = 0.0
    recipes: tuple[str, ...] = ()  # the digest for each of these parts; none: `recipe` for all
    turns: dict[str, tuple[Turn, ...]] = {}  # module -> the order of its work in a round


class OrderCancelled(Happened, frozen=True, tag=True):
    """No more parts of this order are begun; those on the line are finished."""

    order: str
    who: str
    at: float = 0.0


class OrderPrioritised(Happened, frozen=True, tag=True):
    order: str
    priority: int
    who: str
    at: float = 0.0


class Drained(Happened, frozen=True, tag=True):
    """While draining no part is begun."""

    draining: bool
    who: str
    at: float = 0.0


class LotLoaded(Happened, frozen=True, tag=True):
    """Material was put into a feeder: components from there come from this lot until it is used up."""

    station: str
    material: str
    lot: str
    quantity: int
    who: str
    at: float = 0.0


class ModuleOut(Happened, frozen=True, tag=True):
    """A person took a module out of use; another does its work where one can."""

    module: str
    who: str
    at: float = 0.0


class ModuleIn(Happened, frozen=True, tag=True):
    module: str
    who: str
    at: float = 0.0


# --- parts ------------------------------------------------------------------------------------------------------


class PartBorn(Happened, frozen=True, tag=True):
    """A part of an order is begun. `place` is "" until its first component stands on the line.

    A part that a module announced names it, with the number of the announcement, and is where it was found.
    """

    part: str
    order: str
    place: str = ""
    at: float = 0.0
    announcer: str = ""
    announcement: int = 0
    given: dict[str, Value] = {}


class Dispatched(Happened, frozen=True, tag=True):
    """The intent of a command, durable before it is sent. `number` is the command's; a job keeps its first."""

    number: int
    job: int
    module: str
    skill: str
    step: str = ""  # "" for a feed
    parts: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()
    modules: dict[str, str] = {}  # role -> module, reserved from the first to the last phase
    phase: int = 0
    visit: int = 1
    attempt: int = 1
    parameters: dict[str, Value] = {}
    at: float = 0.0


class Moved(Happened, frozen=True, tag=True):
    """A change of place inside a command that is not answered yet, as its module journaled it."""

    number: int
    index: int  # which of the command's moves, from 0
    move: Move
    head: Head = Head()  # of the module's journal, which has it


class Answered(Happened, frozen=True, tag=True):
    """The final answer to a command."""

    number: int
    outcome: str
    moves: tuple[Move, ...] = ()
    results: dict[str, Value] = {}
    started: float = 0.0
    ended: float = 0.0
    device_time: float = 0.0
    detail: str = ""
    module: str = ""
    head: Head = Head()  # of the module's journal: it may never come back shorter


class PartEnded(Happened, frozen=True, tag=True):
    """A part left the runner's care. Its life is in the records before this one."""

    part: str
    verdict: str  # "good", "scrap", "removed", "withdrawn"
    at: float = 0.0


class PartWithdrawn(Happened, frozen=True, tag=True):
    """A module says that the part which it announced under this number has left its place by itself.

    One that nobody has moved or worked on ends "withdrawn", as if it had never been begun; a command in hand for it
    ends as it ends. What was not taken on yet never will be.
    """

    module: str
    number: int
    at: float = 0.0


class Decided(Happened, frozen=True, tag=True):
    """An operator said how a part goes on: "retry", "scrap", "next", "remove", or the name of a step."""

    part: str
    choice: str
    who: str
    at: float = 0.0


class Corrected(Happened, frozen=True, tag=True):
    """An operator put the part map right: the item is at `place` ("" = it is not on the line)."""

    item: str
    place: str
    who: str
    note: str = ""
    at: float = 0.0


class JournalSeen(Happened, frozen=True, tag=True):
    """A module's journal was seen to reach this far (it accepted a command): it may never come back without it."""

    module: str
    head: Head


class JournalAccepted(Happened, frozen=True, tag=True):
    """A person saw the part map and goes on with journals that lost records: what was seen of these modules' is void.

    `lost` is how far the runner's own journal was seen: numbers go on so far above that none is given twice,
    and every part waits for a person.
    Nobody knows what became of the commands in `gives_up`, whose modules lost records: their parts wait for a person.
    """

    modules: tuple[str, ...]
    who: str
    note: str = ""
    lost: int = 0
    gives_up: tuple[int, ...] = ()
    at: float = 0.0


class Snapshot(Happened, frozen=True, tag=True):
    """The whole state; what stands before it in the journal is archived."""

    state: FlowState


FlowEvent = (
    Snapshot
    | LineTaken
    | LineEntered
    | RecipeTaken
    | OrderTaken
    | OrderCancelled
    | OrderPrioritised
    | Drained
    | LotLoaded
    | ModuleOut
    | ModuleIn
    | PartBorn
    | Dispatched
    | Moved
    | Answered
    | PartEnded
    | PartWithdrawn
    | Decided
    | Corrected
    | JournalSeen
    | JournalAccepted
)
