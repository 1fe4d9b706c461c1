"""A scenario of crash search as data: orders, latencies, faults and kills, and the seed of everything else.

text = write(scenario, ["sensor-puck/indoor:2"])        # YAML, for people and for a replay
read(path).scenario(orders) == scenario
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from cellctl.errors import CellctlError
from cellctl.findings import Report
from cellctl.yamlsource import load
from cellctl_sim.aimed_kills import AimedKill, EffectKill, StepKill
from cellctl_sim.plant.faults import Fault, Seconds
from cellctl_sim.process_faults import Disturbance, ProcessFault, read_disturbances
from cellctl_sim.simulation import Order

UNTIL = 900.0  # [s] of virtual time after which a line that is not done counts as stuck
LONGEST = 20_000  # records after which a journal begins again, where nothing is drawn


@dataclass(frozen=True, slots=True)
class Latencies:
    """[s]; see the defaults in bus, links and disk."""

    bus: float
    device: float
    disks: dict[str, float]


USUAL = Latencies(200e-6, 1e-3, {})


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything that is drawn from a seed."""

    seed: int
    restart: str
    orders: tuple[Order, ...]
    latencies: Latencies
    faults: tuple[Fault | ProcessFault, ...]
    kills: tuple[AimedKill, ...]
    longest: int = LONGEST  # records after which a journal begins again
    until: float = UNTIL  # [s]

    @property
    def disturbances(self) -> tuple[Disturbance, ...]:
        """Faults and kills, in one list."""
        return (*self.faults, *self.kills)

    def __str__(self) -> str:
        return write(self, [order_text(Path(order.source).stem, order) for order in self.orders])


class ScenarioError(CellctlError):
    """A file that holds no scenario: which, where in it, and what is wrong."""


def order_text(recipe: str, order: Order) -> str:
    """An order as it is written on the command line."""
    return f"{recipe}{f'/{order.variant}' if order.variant else ''}:{order.quantity}"


# --- writing ------------------------------------------------------------------------------------------------------

DURATIONS = frozenset({"at", "for", "after", "until"})
PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
NOT_TEXT = frozenset({"true", "false", "null"})


def write(scenario: Scenario, orders: Iterable[str]) -> str:
    """The scenario as YAML; `orders` are the orders as they are written on the command line."""
    latencies = scenario.latencies
    disks = ", ".join(f"{name}: {_seconds(sync)}" for name, sync in latencies.disks.items())
    lines = [
        f"seed: {scenario.seed}",
        f"orders: [{', '.join(map(_text, orders))}]",
        f"restart: {scenario.restart}",
        f"longest_journal: {scenario.longest}",
        f"until: {_seconds(scenario.until)}",
        f"latencies: {{bus: {_seconds(latencies.bus)}, links: {_seconds(latencies.device)}, disks: {{{disks}}}}}",
        "faults:" if scenario.disturbances else "faults: []",
        *(f"  - {flow(each)}" for each in scenario.disturbances),
    ]
    return "\n".join([*lines, ""])


def flow(disturbance: BaseModel) -> str:
    """One fault or kill on one line of YAML."""
    data = disturbance.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return "{" + ", ".join(f"{key}: {_value(key, value)}" for key, value in data.items()) + "}"


def _value(key: str, value: object) -> str:
    if key in DURATIONS and isinstance(value, float | int):
        return _seconds(value)
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _seconds(value: float) -> str:
    return f"{value!r} s"


def _text(value: str) -> str:
    return value if PLAIN.fullmatch(value) and value not in NOT_TEXT else json.dumps(value)


# --- reading ------------------------------------------------------------------------------------------------------


class WrittenLatencies(BaseModel):
    """As the file has them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bus: Seconds = Field(default=USUAL.bus, gt=0)
    links: Seconds = Field(default=USUAL.device, gt=0)
    disks: dict[str, Seconds] = Field(default_factory=dict)


class Written(BaseModel):
    """A scenario file."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    seed: int = 0
    orders: tuple[str, ...] = ()
    restart: Literal["automatic", "operator"] = "automatic"
    longest_journal: int = Field(default=LONGEST, ge=2)
    until: Seconds = Field(default=UNTIL, gt=0)
    latencies: WrittenLatencies = WrittenLatencies()
    faults: tuple[Disturbance, ...] = ()

    @field_validator("faults", mode="before")
    @classmethod
    def _read_faults(cls, value: object) -> object:
        if not isinstance(value, Sequence) or not all(isinstance(each, Mapping) for each in value):
            raise ValueError("a list of faults is wanted, such as - {at: 12 s, process: arm, fault: kill}")
        return tuple(read_disturbances(value))

    def scenario(self, orders: Sequence[Order]) -> Scenario:
        """With the orders that the texts in the file stand for."""
        return Scenario(
            self.seed,
            self.restart,
            tuple(orders),
            Latencies(self.latencies.bus, self.latencies.links, dict(self.latencies.disks)),
            tuple(each for each in self.faults if isinstance(each, Fault | ProcessFault)),
            tuple(each for each in self.faults if isinstance(each, EffectKill | StepKill)),
            self.longest_journal,
            self.until,
        )


def read(path: Path) -> Written:
    """The scenario in a file. Raises ScenarioError."""
    report = Report()
    root = load(path, report)
    if root is None or report.has_errors:
        raise ScenarioError(report.render().rstrip())
    plain: Any = root.plain
    try:
        return Written.model_validate({"faults": plain} if isinstance(plain, list) else plain)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ScenarioError(f"{path}: {f'{where}: ' if where else ''}{first['msg']}") from None
