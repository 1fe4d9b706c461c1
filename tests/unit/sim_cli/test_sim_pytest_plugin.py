"""The fixture `simulated_line` in a repository of an integrator's own, by pytest's own means of testing plug-ins."""

from __future__ import annotations

import shutil
import sys
from importlib.metadata import entry_points

import pytest

from cellctl.cli.files import shipped

pytest_plugins = ["pytester"]


@pytest.fixture
def repository(pytester: pytest.Pytester) -> pytest.Pytester:
    """A line and its recipes under names of their own, with nothing else beside them."""
    place = shipped()
    assert place is not None
    for folder, old, new in (("lines", "puck", "ours"), ("products", "sensor-puck", "our-puck")):
        (pytester.path / folder).mkdir()
        shutil.copy(place / folder / f"{old}.yaml", pytester.path / folder / f"{new}.yaml")
    return pytester


def ran(repository: pytest.Pytester, tests: str) -> pytest.RunResult:
    """The tests, written to a file of their own and run by a pytest in a process of its own."""
    repository.makepyfile(test_ours=tests)
    return repository.run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error")


def test_pytest_finds_the_plugin_by_its_entry_point() -> None:
    (point,) = entry_points(group="pytest11", name="cellctl")
    assert point.value == "cellctl_sim.pytest_plugin"


def test_a_run_can_be_asked_for_all_that_the_command_says(repository: pytest.Pytester) -> None:
    ran(
        repository,
        """
        import pytest

        def test_two_pucks(simulated_line):
            run = simulated_line("ours").order("our-puck/indoor", 2).run(until="10 min")
            run.assert_well()
            assert (run.parts_made, run.parts_scrapped, run.parts_in_flight) == (2, 0, 0)

        def test_figures(simulated_line, tmp_path):
            line = simulated_line("lines/ours.yaml").order("our-puck/indoor").order("our-puck/tall")
            run = line.run(seed=3)
            assert run.is_complete and not run.findings and run.alarms == []
            assert run.throughput_per_hour == pytest.approx(7200 / run.makespan, rel=1e-6)
            assert max(run.utilisation, key=run.utilisation.get) == "arm"
            assert run.data["by_variant"] == {"indoor": {"good": 1}, "tall": {"good": 1}}
            assert run.trace_sha256 == line.run(seed=3).trace_sha256
            run.draw(tmp_path / "run.svg")
            assert "press" in (tmp_path / "run.svg").read_text()

        def test_faults(simulated_line):
            fault = {"device": "gauge.head", "fault": "offset", "value": "1 mm", "count": 2}
            run = simulated_line("ours").order("our-puck/indoor").run(faults=[fault])
            assert (run.parts_made, run.parts_scrapped) == (0, 1)

        def test_study(simulated_line):
            found = simulated_line("ours").order("our-puck/indoor").study(range(1, 3))
            assert found["makespan_s"].mean + found["makespan_s"].half_widths[0.95] < 60
        """,
    ).assert_outcomes(passed=4)


def test_a_line_that_is_not_done_fails_its_test_and_says_what_waits(repository: pytest.Pytester) -> None:
    done = ran(
        repository,
        """
        def test_in_time(simulated_line):
            simulated_line("ours").order("our-puck/indoor", 5).run(until="20 s").assert_well()
        """,
    )
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*puck, seed 0:*", "*not every order was made*", "*p1 at *"])


def test_what_is_wrong_is_said_in_the_test(repository: pytest.Pytester) -> None:
    (repository.path / "lines" / "broken.yaml").write_text("line: broken\nmodulse: {}\n")
    done = ran(
        repository,
        """
        def test_line(simulated_line):
            simulated_line("theirs")

        def test_recipe(simulated_line):
            simulated_line("ours").order("our-puk/indoor")

        def test_variant(simulated_line):
            simulated_line("ours").order("our-puck/indor")

        def test_file(simulated_line):
            simulated_line("broken")
        """,
    )
    done.assert_outcomes(failed=4)
    done.stdout.fnmatch_lines_random(
        [
            "*NotFound: no line is called 'theirs'; *ours*",
            "*NotFound: no recipe is called 'our-puk'; *our-puck*",
            "*RecipeRefused: *",
            "*LineRefused: *broken.yaml has errors*",
        ]
    )


def test_the_line_is_found_from_pytests_root_wherever_the_test_stands(repository: pytest.Pytester) -> None:
    repository.makeini("[pytest]\n")
    deep = repository.mkdir("tests")
    (deep / "test_deep.py").write_text(
        "def test_it(simulated_line):\n    assert simulated_line('ours').line.name\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(deep)
        repository.run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider").assert_outcomes(passed=1)
