"""The state of a line between two events: frozen values, small (only what is on the line or on order)."""

from __future__ import annotations

from collections import Counter

import msgspec

from cellctl.line.model import station_of
from cellctl.messages import GONE, Head, Item, Value
from cellctl.packml import Mode, State
from cellctl.recipe.executable import Executable, Step


class Turn(msgspec.Struct, frozen=True):
    """A module does this step, for the part begun `behind` parts before the one whose round it is."""

    step: str
    behind: int = 0


class Order(msgspec.Struct, frozen=True):
    id: str
    recipe: str  # digest
    quantity: int
    priority: int = 0
    begun: int = 0
    good: int = 0
    scrapped: int = 0
    removed: int = 0
    cancelled: bool = False
    parts: tuple[dict[str, Value], ...] = ()
    recipes: tuple[str, ...] = ()  # digests for single parts, the first part's first; empty: `recipe` for all
    turns: dict[
        str, tuple[Turn, ...]
    ] = {}  # module -> what it does in a round, in this order; none: as it comes

    def recipe_of(self, number: int) -> str:
        """The digest of the recipe by which the part is made that is begun after `number` others."""
        return self.recipes[number] if number < len(self.recipes) else self.recipe

    @property
    def made_by(self) -> tuple[str, ...]:
        """The digest of every recipe by which parts of this order are made, each once."""
        return tuple(dict.fromkeys(self.recipes)) or (self.recipe,)

    @property
    def to_come(self) -> dict[str, int]:
        """By digest, how many parts are still to be begun; only those that are."""
        if not self.open or not self.recipes:
            return {self.recipe: self.open} if self.open else {}
        return dict(Counter(self.recipes[self.begun :]))

    @property
    def alike(self) -> int:
        """How many parts may be begun one after another by the recipe of the next."""
        ahead = self.recipes[self.begun :]
        return (
            next((n for n, digest in enumerate(ahead) if digest != ahead[0]), len(ahead))
            if ahead
            else self.open
        )

    @property
    def open(self) -> int:
        """How many parts are still to be begun."""
        return 0 if self.cancelled else self.quantity - self.begun

    @property
    def ended(self) -> int:
        return self.good + self.scrapped + self.removed

    @property
    def is_complete(self) -> bool:
        return self.open == 0 and self.ended == self.begun


class Asking(msgspec.Struct, frozen=True):
    """A part that waits for a person: its step ended badly and the recipe says to ask."""

    step: str
    outcome: str
    detail: str = ""


class Part(msgspec.Struct, frozen=True):
    id: str
    order: str
    recipe: str  # digest
    place: str = GONE
    done: tuple[str, ...] = ()  # steps of the route it is on
    job: int = 0  # the job it is in; 0: none
    scrapping: bool = False  # it is on the scrap route
    asking: Asking | None = None
    removed: bool = False
    visits: dict[str, int] = {}  # step -> how often it was begun
    failures: dict[str, int] = {}  # "step:outcome" -> how often since the last good end
    results: dict[str, Value] = {}  # "step.result"
    lots: dict[str, str] = {}  # component -> lot
    given: dict[str, Value] = {}  # parameters given with the order for this part
    announcer: str = ""  # the module that found it, and the number of its announcement
    announcement: int = 0
    found_at: str = ""
    withdrawn: bool = False  # it has left the place where it was found, as that module says
    number: int = 0  # how many parts of its order were begun before it

    @property
    def has_left(self) -> bool:
        """Whether it left before a command moved it from where it was found."""
        return self.withdrawn and self.place == self.found_at


class Component(msgspec.Struct, frozen=True):
    id: str
    material: str
    place: str = GONE
    lot: str = ""


class Lot(msgspec.Struct, frozen=True):
    lot: str
    remaining: int


class Job(msgspec.Struct, frozen=True):
    """A step in progress, or a feed: one command after another, all its modules and places reserved."""

    number: int
    command: int  # the command in hand
    module: str  # that does it
    skill: str
    step: str
    parts: tuple[str, ...]
    items: tuple[Item, ...]
    modules: dict[str, str]
    phase: int
    visit: int
    attempt: int
    parameters: dict[str, Value]
    seen: int = 0  # moves already applied
    is_between: bool = False  # the last command is done, the next phase not begun
    at: float = 0.0  # when the command in hand was decided on, UTC [s]
    corrected: tuple[str, ...] = ()  # items that a person put right meanwhile: the command moves them no more


class FlowState(msgspec.Struct, frozen=True):
    line: str = ""  # digest of the line file
    packml: State = State.STOPPED
    starting: bool = False  # on the way to Execute, through Stopped and Idle
    mode: Mode = Mode.PRODUCTION
    recipes: dict[str, Executable] = {}
    orders: dict[str, Order] = {}
    parts: dict[str, Part] = {}
    components: dict[str, Component] = {}
    carriers: dict[str, str] = {}  # carrier -> place
    stuck: tuple[
        str, ...
    ] = ()  # empty carriers that did not come to their next stop: a person says where they are
    jobs: dict[int, Job] = {}
    lots: dict[str, tuple[Lot, ...]] = {}  # source station -> lots, oldest first
    out: tuple[str, ...] = ()  # modules taken out of use
    empty: tuple[str, ...] = ()  # source stations that had nothing to give
    draining: bool = False
    heads: dict[str, Head] = {}  # module -> how far its journal was seen
    announced: dict[str, int] = {}  # module -> the last announcement that was taken
    next_command: int = 1
    next_part: int = 1
    next_component: int = 1

    def executable(self, part: Part) -> Executable:
        return self.recipes[part.recipe]

    def route(self, part: Part) -> tuple[Step, ...]:
        """The steps that the part is on its way through."""
        executable = self.recipes[part.recipe]
        return executable.scrap if part.scrapping else executable.steps

    def found_as(self, module: str, number: int) -> Part | None:
        """The part on the line that a module announced under this number."""
        return next(
            (p for p in self.parts.values() if (p.announcer, p.announcement) == (module, number)), None
        )

    def command(self, number: int) -> Job | None:
        """The job whose command of this number is unanswered; None where that is not so."""
        for job in self.jobs.values():
            if job.command == number and not job.is_between:
                return job
        return None

    def commands(self) -> dict[int, Job]:
        """The unanswered commands."""
        return {job.command: job for job in self.jobs.values() if not job.is_between}

    def station_of(self, place: str) -> str:
        """The station where a place is, through the carrier if it is on one."""
        station = station_of(place)
        return station_of(self.carriers[station]) if station in self.carriers else station

    def place_of(self, item: str) -> str | None:
        """Where an item is; None for one that is not known."""
        known = self.parts.get(item) or self.components.get(item)
        return known.place if known is not None else self.carriers.get(item)

    def places(self) -> dict[str, str]:
        """Every item and where it is."""
        return (
            {part.id: part.place for part in self.parts.values()}
            | {component.id: component.place for component in self.components.values()}
            | self.carriers
        )
