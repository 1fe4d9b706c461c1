"""Crash search over many scenarios: which there are, tried over several processes, and written down as they are done.

    cases = swarm(range(1000))                       # or sweep(seeds, line, pace, every)
    for verdict in try_all(bench, cases, processes=2):
        ...

A case is a name for a scenario: the same case on the same bench is the same run, to the last event.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import msgspec

from cellctl.errors import CellctlError
from cellctl.line.model import Line
from cellctl_sim.aimed_kills import StepKill
from cellctl_sim.crash_search import Pace, Trial, draw_for, run, undisturbed
from cellctl_sim.memory import collect_seldom
from cellctl_sim.scenario import Scenario
from cellctl_sim.shared_prefix import may_split, split_run
from cellctl_sim.simulation import Order

AWAY = 0.7  # [s] that a process stays away that is killed at a step
AHEAD = 3  # parcels that are given out for each process, so that none waits
TOGETHER = 40  # kills of a sweep in one parcel: what comes before them is run once for all
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Case(msgspec.Struct, frozen=True, omit_defaults=True):
    """A seed; or, of a sweep, the step of that seed's undisturbed run at which a process is killed."""

    seed: int
    step: int = -1
    process: str = ""

    @property
    def name(self) -> str:
        return f"seed {self.seed}{f', {self.process} killed at step {self.step}' if self.process else ''}"

    @property
    def kill(self) -> StepKill:
        """Of a sweep's case."""
        return StepKill(step=self.step, process=self.process, **{"for": AWAY})

    @property
    def file_name(self) -> str:
        return f"seed-{self.seed}{f'-step-{self.step}-{self.process}' if self.process else ''}"


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of a case: findings as (checker, text); virtual time and time of the processor [s]."""

    case: Case
    findings: list[tuple[str, str]] = []
    virtual_s: float = 0.0
    cpu_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Bench:
    """A line, what is ordered of it, and how it makes that undisturbed."""

    line: Line
    orders: tuple[Order, ...]
    pace: Pace

    def scenario(self, case: Case) -> Scenario:
        """What a case stands for."""
        if not case.process:
            return draw_for(self.line, self.orders, self.pace, case.seed)
        return replace(self._calm(case.seed), kills=(case.kill,))

    def _calm(self, seed: int) -> Scenario:
        return replace(undisturbed(self.line, self.orders, seed), until=self.pace.until)

    def attempt(self, scenario: Scenario) -> Trial:
        """Run it and judge it."""
        return run(self.line, scenario)

    def judge(self, case: Case) -> Verdict:
        """Run a case and judge it."""
        began = time.process_time()
        trial = self.attempt(self.scenario(case))
        return _verdict(case, trial, time.process_time() - began)

    def judge_all(self, cases: Sequence[Case]) -> Iterator[Verdict]:
        """The verdicts on cases that go together; what kills of one run share is run once, where that can be."""
        told = self._judge_by_copies(cases) if len(cases) > 1 and may_split() else {}
        for case in cases:
            yield told[case] if case in told else self.judge(case)

    def _judge_by_copies(self, cases: Sequence[Case]) -> dict[Case, Verdict]:
        began = time.process_time()
        calm = self._calm(cases[0].seed)
        told = split_run(
            self.line,
            [case.kill for case in cases],
            lambda stage: run(self.line, calm, stage=stage),
            lambda trial: msgspec.msgpack.encode(_verdict(cases[0], trial, time.process_time())),
        )
        share = (time.process_time() - began) / len(cases)
        found = {
            case: msgspec.msgpack.decode(told[case.kill], type=Verdict) for case in cases if case.kill in told
        }
        return {
            case: msgspec.structs.replace(each, case=case, cpu_s=round(each.cpu_s + share, 6))
            for case, each in found.items()
        }


def _verdict(case: Case, trial: Trial, cpu: float) -> Verdict:
    findings = [(finding.checker, finding.text) for finding in trial.findings]
    lived = round(trial.result.ended, 6) if trial.result else 0.0
    return Verdict(case, findings, lived, round(cpu, 6))


# --- which cases there are ----------------------------------------------------------------------------------------


def swarm(seeds: Iterable[int]) -> list[Case]:
    """One random scenario for each seed."""
    return [Case(seed) for seed in seeds]


def sweep(seeds: Iterable[int], line: Line, orders: Sequence[Order], every: int = 1) -> list[Case]:
    """Every process killed at every step of an undisturbed run; for each seed one such run, with its latencies.

    With `every` above 1 only so many steps are tried, other ones for each process. In the order of the steps, so that
    kills at near ones can share what comes before them.
    """
    processes = (*line.processes, "runner")
    cases = [
        Case(seed, step, process)
        for seed in seeds
        for steps in [_steps(line, orders, seed)]
        for index, process in enumerate(processes)
        for step in range(index * every // len(processes), steps, every)
    ]
    return sorted(cases, key=lambda case: (case.seed, case.step))


def together(cases: Iterable[Case]) -> Iterator[list[Case]]:
    """In parcels that are judged together: kills of one seed's run, so many; everything else by itself."""
    for seed, of_seed in groupby(cases, key=lambda case: case.seed if case.process else None):
        size = TOGETHER if seed is not None else 1
        while parcel := list(islice(of_seed, size)):
            yield parcel


def _steps(line: Line, orders: Sequence[Order], seed: int) -> int:
    trial = run(line, undisturbed(line, orders, seed))
    return trial.result.steps if trial.result else 0


# --- trying them --------------------------------------------------------------------------------------------------


def try_all(bench: Bench, cases: Sequence[Case], processes: int = 1) -> Generator[Verdict, None, None]:
    """The verdicts, in the order in which they are ready. To stop, close the generator: what is under way is lost."""
    if processes == 1:
        for parcel in together(cases):
            yield from bench.judge_all(parcel)
        return
    context = multiprocessing.get_context("spawn")
    with _single_threaded(), ProcessPoolExecutor(processes, context, _settle_in, (bench,)) as pool:
        try:
            yield from _verdicts(pool, together(cases), processes * AHEAD)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Processes that are started meanwhile compute in one thread: only they can split, and each has its core."""
    before = dict(os.environ)
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name in THREADS:
            os.environ.pop(name)
            os.environ.update({name: before[name]} if name in before else {})


def _verdicts(pool: ProcessPoolExecutor, parcels: Iterator[list[Case]], ahead: int) -> Iterator[Verdict]:
    under_way: set[Future[list[Verdict]]] = {pool.submit(_judge, each) for each in islice(parcels, ahead)}
    while under_way:
        done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
        for future in done:
            under_way |= {pool.submit(_judge, each) for each in islice(parcels, 1)}
            yield from future.result()


_bench: list[Bench] = []  # of this worker process


def _settle_in(bench: Bench) -> None:
    """A worker begins; Ctrl-C is for the process that gave it its work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    collect_seldom()
    _bench.append(bench)


def _judge(cases: Sequence[Case]) -> list[Verdict]:
    return list(_bench[0].judge_all(cases))


# --- what is written down -----------------------------------------------------------------------------------------


class Heading(msgspec.Struct, frozen=True):
    """The first line of a file of verdicts: what they are about."""

    line: str  # digest
    orders: list[str]
    exhaustive: bool
    version: str


class NotTheSameSearch(CellctlError):
    """A file of verdicts that is about another line, other orders, or another kind of search."""


@dataclass(slots=True)
class Log:
    """A file of verdicts, one JSON object a line, written as they come; a last line that is torn does not count."""

    path: Path
    heading: Heading
    verdicts: dict[Case, Verdict] = field(default_factory=dict)

    def open(self) -> None:
        """Read what is there, or begin the file. Raises NotTheSameSearch."""
        lines = self.path.read_bytes().splitlines(keepends=True) if self.path.exists() else []
        whole = [line for line in lines if line.endswith(b"\n")]
        if not whole:
            self.path.write_bytes(msgspec.json.encode(self.heading) + b"\n")
            return
        self._check(whole[0])
        for line in whole[1:]:
            verdict = msgspec.json.decode(line, type=Verdict)
            self.verdicts[verdict.case] = verdict
        if len(whole) < len(lines):
            self.path.write_bytes(b"".join(whole))

    def _check(self, line: bytes) -> None:
        try:
            found = msgspec.json.decode(line, type=Heading)
        except msgspec.MsgspecError:
            raise NotTheSameSearch(f"{self.path} is no file of this search; name another one") from None
        for name in Heading.__struct_fields__:
            there, here = getattr(found, name), getattr(self.heading, name)
            if there != here:
                what = f"it was made with {name} {there}, and this search has {here}"
                raise NotTheSameSearch(f"{self.path} cannot be gone on with: {what}; name another file")

    def add(self, verdict: Verdict) -> None:
        """Note one more."""
        self.verdicts[verdict.case] = verdict
        with self.path.open("ab") as file:
            file.write(msgspec.json.encode(verdict) + b"\n")


@dataclass(slots=True)
class Tally:
    """How far a search has come."""

    cases: int
    tried: int = 0  # in all
    here: int = 0  # since this search began: without what an earlier one did
    virtual: float = 0.0  # [s]
    cpu: float = 0.0  # [s]
    failures: list[Verdict] = field(default_factory=list)
    began: float = field(default_factory=time.perf_counter)

    def count(self, verdict: Verdict, is_new: bool = True) -> None:
        self.tried += 1
        self.here += is_new
        self.virtual += verdict.virtual_s
        self.cpu += verdict.cpu_s
        if verdict.findings:
            self.failures.append(verdict)

    @property
    def wall(self) -> float:
        """Since it began [s]."""
        return time.perf_counter() - self.began

    @property
    def rate(self) -> float:
        """Scenarios per second."""
        return self.here / self.wall

    @property
    def rate_per_core(self) -> float:
        """Scenarios per second that a processor works on them."""
        return self.tried / self.cpu if self.cpu else 0.0

    def by_checker(self) -> dict[str, int]:
        """How many cases each checker spoke of."""
        spoke = Counter(name for failure in self.failures for name in {name for name, _ in failure.findings})
        return dict(spoke.most_common())

    def data(self) -> dict[str, Any]:
        """For programs."""
        return {
            "cases": self.cases,
            "tried": self.tried,
            "failed": len(self.failures),
            "by_checker": self.by_checker(),
            "virtual_s": round(self.virtual, 3),
            "wall_s": round(self.wall, 3),
            "rate_per_s": round(self.rate, 2),
            "rate_per_core_s": round(self.rate_per_core, 2),
        }
