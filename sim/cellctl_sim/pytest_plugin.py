"""The pytest plugin: `simulated_line` runs a line in virtual time within a test, so that an integrator's own
repository of lines and recipes is tested like code.

    def test_twenty_pucks_take_less_than_four_minutes(simulated_line):
        line = simulated_line("lines/puck.yaml")
        line.order("sensor-puck/indoor", 20)
        run = line.run(seed=7)
        run.assert_well()
        assert run.makespan < 240

It is installed with cellctl (entry point `pytest11`) and imports nothing heavy before a test asks for it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cellctl_sim.simulated_line import SimulatedLine


@pytest.fixture
def simulated_line(request: pytest.FixtureRequest) -> Callable[[str | Path], SimulatedLine]:
    """Loads a line by its path or name, as `cellctl sim` does, from the directory where pytest was given its root.

    Called with what the line file is called. Raises LineRefused when it has errors, UnknownName when there is none.
    """
    from cellctl_sim.simulated_line import load

    root = request.config.rootpath

    def of(name: str | Path) -> SimulatedLine:
        return load(str(name), root)

    return of
