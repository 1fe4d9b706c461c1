"""Scenarios as YAML: what is written is read again to the last bit; what is no scenario is refused with a reason."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellctl_sim.aimed_kills import EffectKill, StepKill
from cellctl_sim.plant.faults import Fault
from cellctl_sim.process_faults import ProcessFault
from cellctl_sim.scenario import Latencies, Scenario, ScenarioError, read, write

names = st.sampled_from(["belt", "io1", "belt.drive", "true", "null", "7", "a b", "press: 1", "é"])
times = st.floats(0.0, 1e5)
lasting = st.floats(1e-6, 1e5)
faults = st.builds(
    lambda device, fault, at, lasts, value, count: Fault.model_validate(
        {"device": device, "fault": fault, "at": at, "for": lasts, "value": value, "count": count}
    ),
    names,
    st.sampled_from(["late", "miss", "power_loss"]),
    times,
    lasting | st.just(float("inf")),
    st.none() | st.floats(-1e3, 1e3),
    st.integers(1, 5),
)
process_faults = st.builds(
    lambda process, fault, at, lasts: ProcessFault.model_validate(
        {"process": process, "fault": fault, "at": at, "for": lasts}
    ),
    names,
    st.sampled_from(["kill", "cut"]),
    times,
    lasting,
)
effect_kills = st.builds(
    lambda effect, after, away: EffectKill.model_validate({"effect": effect, "after": after, "for": away}),
    st.integers(0, 10**6),
    times,
    lasting,
)
step_kills = st.builds(
    lambda step, process, away: StepKill.model_validate({"step": step, "process": process, "for": away}),
    st.integers(0, 10**6),
    names,
    lasting,
)
scenarios = st.builds(
    Scenario,
    seed=st.integers(0, 2**40),
    restart=st.sampled_from(["automatic", "operator"]),
    orders=st.just(()),
    latencies=st.builds(
        Latencies, lasting, lasting, st.dictionaries(st.sampled_from(["belt", "io-2"]), lasting)
    ),
    faults=st.lists(faults | process_faults, max_size=4).map(tuple),
    kills=st.lists(effect_kills | step_kills, max_size=4).map(tuple),
    longest=st.integers(2, 10**6),
    until=lasting,
)


@settings(max_examples=150, deadline=None)
@given(scenarios)
def test_a_scenario_that_was_written_is_read_again_to_the_last_bit(scenario: Scenario) -> None:
    with TemporaryDirectory() as place:
        path = Path(place) / "scenario.yaml"
        path.write_text(write(scenario, ["puck/a:2"]), "utf-8")
        found = read(path)
    assert found.orders == ("puck/a:2",)
    assert found.scenario(()) == scenario


def test_a_list_of_faults_alone_is_a_scenario_with_the_usual_latencies(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text(
        "- {at: 12 s, process: arm, fault: kill, for: 0.8 s}\n- {step: 7, process: arm, for: 1 s}\n"
    )
    scenario = read(path).scenario(())
    assert [fault.at for fault in scenario.faults] == [12.0]
    assert scenario.kills == (StepKill.model_validate({"step": 7, "process": "arm", "for": 1.0}),)
    assert scenario.latencies == Latencies(200e-6, 1e-3, {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seed: x\n", "seed"),
        ("sed: 1\n", "sed"),
        ("faults: [{at: 1 s}]\n", "faults"),
        ("faults: [5]\n", "a list of faults is wanted"),
        ("faults: [{effect: -1, for: 1 s}]\n", "faults"),
        ("restart: never\n", "restart"),
        ("latencies: {bus: 0 s}\n", "latencies.bus"),
        ("{\n", "scenario.yaml"),
        ("7\n", "scenario.yaml"),
    ],
)
def test_what_is_no_scenario_is_refused_by_the_place_where_it_is_wrong(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(text)
    with pytest.raises(ScenarioError) as refused:
        read(path)
    assert "scenario.yaml" in str(refused.value)
    assert said in str(refused.value)
