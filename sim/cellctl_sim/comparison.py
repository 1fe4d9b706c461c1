"""Two simulations beside each other: what changed, and whether more than chance says so.

With the same seeds on both sides runs are compared pair by pair, since the same noise met both (common random
numbers: Law, Simulation Modeling and Analysis, 5th edition, 10.2.1 and 11.2); otherwise by Welch's interval (10.2.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import fmean, variance

import msgspec

from cellctl.errors import CellctlError
from cellctl_sim.study import FIGURES, estimate, student
from cellctl_sim.summary import Body

LEVEL = 0.95
ABOUT = ("line", "line_sha256", "orders", "until_s", "faults")
COUNTS = ("parts_made", "parts_scrapped", "parts_in_flight", "cycle_time_s")


class NotASimulation(CellctlError):
    """A file that `cellctl sim --json` did not write."""

    def __init__(self, path: Path, why: str) -> None:
        self.path = path
        super().__init__(f"{path}: {why}; write one with: cellctl sim LINE --order ... --json > {path.name}")


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure before and after, means over the runs; `half_width` of the change's 95 % confidence interval."""

    figure: str
    before: float
    after: float
    half_width: float | None = None

    @property
    def change(self) -> float:
        return self.after - self.before

    @property
    def is_clear(self) -> bool | None:
        """Whether the interval leaves out zero; None where there is no interval."""
        return None if self.half_width is None else abs(self.change) > self.half_width

    def data(self) -> Body:
        """As JSON has it."""
        return {
            "before": self.before,
            "after": self.after,
            "change": self.change,
            "half_width_95": self.half_width,
            "is_clear": self.is_clear,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """All figures of two simulations; `other` names what was not the same to begin with."""

    figures: tuple[Difference, ...]
    other: tuple[str, ...]
    is_paired: bool
    same_trace: bool | None  # of all runs with the same seed; None where no seed is in both

    def data(self) -> Body:
        """As JSON has it."""
        figures = {each.figure: each.data() for each in self.figures}
        about = {"paired": self.is_paired, "same_trace": self.same_trace, "not_the_same": list(self.other)}
        return {**about, "figures": figures}


def read_simulation(path: Path) -> Body:
    """What `cellctl sim --json` wrote. Raises NotASimulation."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Body)
    except OSError as error:
        raise NotASimulation(path, f"cannot be read ({error.strerror})") from None
    except msgspec.MsgspecError as error:
        raise NotASimulation(path, f"is no JSON of a simulation ({error})") from None
    runs = runs_of(found)
    if not runs or any(not isinstance(run, dict) or not {*FIGURES, "seed"} <= {*run} for run in runs):
        raise NotASimulation(path, "is JSON, but not of a simulation")
    return found


def runs_of(found: Body) -> list[Body]:
    """The runs of a study, or the single run that it is."""
    runs: list[Body] = found["runs"] if isinstance(found.get("runs"), list) else [found]
    return runs


def compare(before: Body, after: Body) -> Comparison:
    """What changed from one simulation to the other."""
    old, new = runs_of(before), runs_of(after)
    paired = [run["seed"] for run in old] == [run["seed"] for run in new]
    return Comparison(
        figures=tuple(each for name in _names(old, new) for each in _difference(name, old, new, paired)),
        other=tuple(key for key in ABOUT if before.get(key) != after.get(key)),
        is_paired=paired,
        same_trace=_same_trace(old, new),
    )


def _names(old: Sequence[Body], new: Sequence[Body]) -> list[str]:
    modules = sorted({name for run in (*old, *new) for name in run.get("modules", ())})
    return [*FIGURES, *COUNTS, *(f"modules.{name}" for name in modules)]


def _difference(name: str, old: Sequence[Body], new: Sequence[Body], paired: bool) -> list[Difference]:
    """Nothing where one side never has the figure."""
    before, after = [_value(run, name) for run in old], [_value(run, name) for run in new]
    if paired:
        both = [(b, a) for b, a in zip(before, after, strict=True) if b is not None and a is not None]
        known, then = [b for b, _ in both], [a for _, a in both]
    else:
        known, then = [b for b in before if b is not None], [a for a in after if a is not None]
    if not known or not then:
        return []
    width = _paired_width(known, then) if paired else _welch_width(known, then)
    return [Difference(name, fmean(known), fmean(then), width)]


def _value(run: Body, name: str) -> float | None:
    group, _, member = name.rpartition(".")
    value: float | None = run.get(group, {}).get(member) if group else run.get(name)
    return value


def _paired_width(before: Sequence[float], after: Sequence[float]) -> float | None:
    return estimate([a - b for b, a in zip(before, after, strict=True)], (LEVEL,)).half_widths.get(LEVEL)


def _welch_width(before: Sequence[float], after: Sequence[float]) -> float | None:
    """With Satterthwaite's degrees of freedom."""
    if min(len(before), len(after)) < 2:
        return None
    errors = [variance(values) / len(values) for values in (before, after)]
    if not any(errors):
        return 0.0
    parts = (error**2 / (len(v) - 1) for error, v in zip(errors, (before, after), strict=True))
    return student(LEVEL, sum(errors) ** 2 / sum(parts)) * sqrt(sum(errors))


def _same_trace(old: Sequence[Body], new: Sequence[Body]) -> bool | None:
    traces = {run["seed"]: run.get("trace_sha256") for run in old}
    both = [run.get("trace_sha256") == traces[run["seed"]] for run in new if run["seed"] in traces]
    return all(both) if both else None
