"""Distributions of durations: what is drawn is held against scipy, what is written wrongly is found at its place."""

from __future__ import annotations

import math
import pickle
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from pydantic import TypeAdapter
from scipy import stats

from cellctl.findings import Report
from cellctl.line.distributions import Distribution, Failures, Law
from cellctl.line.load import load_line
from cellctl.line.model import Line
from cellctl.plugins import load_drivers, load_kinds

LINE = """
line: one
modules:
  press:
    kind: machine
    devices:
      plc:
        use: handshake_machine
        address: modbus-tcp://10.0.1.51:502
        simulated: {{{simulated}}}
    stations: {{nest: {{}}}}
    programs: {{close: {{number: 1, time: 2 s}}}}
"""
MEASURED = [3.9, 4.1, 4.0, 7.2]
REPORTED = {"0 %": "3 s", "50 %": "4 s", "90 %": "5 s", "100 %": "9 s"}
SIGMA = math.sqrt(math.log(1 + (1.0 / 4.0) ** 2))
CASES: list[tuple[Any, Any]] = [
    ({"exponential": "4 s"}, stats.expon(scale=4.0)),
    ({"uniform": ["3 s", "5 s"]}, stats.uniform(3.0, 2.0)),
    (
        {"lognormal": {"mean": "4 s", "deviation": "1 s"}},
        stats.lognorm(SIGMA, scale=4.0 * math.exp(-(SIGMA**2) / 2)),
    ),
    (
        {"quantiles": REPORTED},
        stats.rv_histogram(([0.5, 0.4, 0.1], [3.0, 4.0, 5.0, 9.0]), density=False),
    ),
]


def law(written: object) -> Law:
    """As it is written in a line file."""
    found = TypeAdapter(Distribution).validate_python(written)
    assert isinstance(found, Law)
    return found


def read(tmp_path: Path, simulated: str) -> tuple[Line | None, Report]:
    """A line with one machine, of which this is simulated."""
    path, report = tmp_path / "line.yaml", Report()
    path.write_text(LINE.format(simulated=simulated), "utf-8")
    return load_line(path, report, load_kinds(), load_drivers()), report


@pytest.mark.parametrize(("written", "peer"), CASES)
@pytest.mark.parametrize("p", [0.0, 0.001, 0.25, 0.5, 0.9, 0.999])
def test_quantiles_are_those_of_scipy(written: object, peer: Any, p: float) -> None:
    if p == 0.0 and "lognormal" in str(written):
        return  # scipy says 0 there; the smallest number that a stream can mean is taken instead
    assert law(written).quantile(p) == pytest.approx(peer.ppf(p), rel=1e-12)


@pytest.mark.parametrize(("written", "peer"), CASES)
def test_means_are_those_of_scipy(written: object, peer: Any) -> None:
    assert law(written).mean == pytest.approx(peer.mean(), rel=1e-12)


@pytest.mark.parametrize(("written", "peer"), CASES)
def test_what_is_drawn_passes_for_the_distribution(written: object, peer: Any) -> None:
    found, stream = law(written), random.Random(5)
    assert stats.kstest([found.draw(stream) for _ in range(4000)], peer.cdf).pvalue > 0.01


def test_each_draw_takes_one_number_of_the_stream() -> None:
    """So that machines of two lines that are compared take the same times."""
    for written, _ in CASES:
        used, other = random.Random(7), random.Random(7)
        law(written).draw(used)
        other.random()
        assert used.random() == other.random()


def test_a_duration_alone_is_always_the_same() -> None:
    assert law("4 s") == law({"constant": "4 s"})
    assert {law("4 s").draw(random.Random(n)) for n in range(9)} == {4.0}


def test_what_was_measured_is_drawn_each_as_often_as_the_others() -> None:
    found, stream = law({"empirical": [f"{t} s" for t in MEASURED]}), random.Random(1)
    drawn = [found.draw(stream) for _ in range(4000)]
    assert set(drawn) == set(MEASURED)
    assert stats.chisquare([drawn.count(t) for t in MEASURED]).pvalue > 0.01
    assert found.mean == pytest.approx(4.8)


@settings(max_examples=60, deadline=None)
@given(
    some.sampled_from(CASES), some.floats(0.0, 1.0, exclude_max=True), some.floats(0.0, 1.0, exclude_max=True)
)
def test_a_greater_share_takes_no_less_time(case: tuple[Any, Any], p: float, q: float) -> None:
    found = law(case[0])
    assert 0.0 <= found.quantile(min(p, q)) <= found.quantile(max(p, q)) < math.inf


@settings(max_examples=60, deadline=None)
@given(some.sampled_from(CASES), some.floats(0.001, 0.999))
def test_the_range_holds_all_but_one_in_a_thousand_on_either_side(case: tuple[Any, Any], p: float) -> None:
    found = law(case[0])
    shortest, longest = found.range
    assert shortest <= found.quantile(p) <= longest


def test_availability_is_the_share_of_its_busy_time_in_which_a_machine_works() -> None:
    fails = Failures.model_validate(
        {"after": {"exponential": "30 min"}, "repair": {"uniform": ["4 min", "6 min"]}}
    )
    assert fails.availability == pytest.approx(30 / 35)


@pytest.mark.parametrize(
    ("simulated", "code", "at", "said"),
    [
        ("takes: 4", "CC-V004", "4", "write 4 s"),
        ("takes: {exponetial: 4 s}", "CC-V001", "exponetial", "did you mean 'exponential'"),
        ("takes: {weekly: 4 s}", "CC-V005", "{weekly", "one of these"),
        ("takes: {exponential: 4 mm}", "CC-V004", "4 mm", "units that fit"),
        ("takes: {uniform: [5 s, 3 s]}", "CC-V008", "{uniform", "shorter one first"),
        ("takes: {uniform: [5 s]}", "CC-V006", "[5 s]", "at least 2"),
        ("takes: {lognormal: {mean: 4 s}}", "CC-V002", "{mean", "deviation"),
        ("takes: {empirical: []}", "CC-V006", "[]", "at least 1"),
        ("takes: {quantiles: {10 %: 3 s, 100 %: 9 s}}", "CC-V008", "{quantiles", "from 0 % to 100 %"),
        ("takes: {quantiles: {0 %: 9 s, 100 %: 3 s}}", "CC-V008", "{quantiles", "cannot be done sooner"),
        ("programs: {close: {exponetial: 4 s}}", "CC-V001", "exponetial", "did you mean 'exponential'"),
        ("fails: {after: {exponential: 2 h}}", "CC-V002", "{after", "repair"),
        ("fails: {after: 0 s, repair: 1 s}", "CC-V006", "{after", "at least 1 ms"),
        ("fails: {after: {exponential: 2 h}, repair: 5}", "CC-V004", "5}", "write 5 s"),
    ],
)
def test_a_mistake_is_found_at_its_place(
    simulated: str, code: str, at: str, said: str, tmp_path: Path
) -> None:
    line, report = read(tmp_path, simulated)
    assert line is None
    (finding,) = report.findings
    assert finding.code == code
    assert said in report.render()
    row = "        simulated: {" + simulated
    assert finding.span.column == row.index(at) + 1


def test_a_simulators_own_keys_stand_beside_them_in_si(tmp_path: Path) -> None:
    line, report = read(tmp_path, "takes: {exponential: 4 s}, boot_time: 500 ms, noise: 0.01")
    assert line is not None, report.render()
    found = line.devices["press.plc"].simulated
    assert found == {"takes": law({"exponential": "4 s"}), "boot_time": 0.5, "noise": 0.01}


def test_a_line_of_which_things_were_worked_out_goes_to_another_process(tmp_path: Path) -> None:
    line, _ = read(tmp_path, "takes: {exponential: 4 s}")
    assert line is not None
    line.answers[len] = lambda: 0  # as of a function that no other process knows
    sent = pickle.loads(pickle.dumps(line))
    assert sent == line
    assert not sent.answers
