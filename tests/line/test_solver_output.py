"""What a solver prints on file descriptor 1 never gets between the data on stdout."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent / "tended"
NOISE = """
import ctypes, os
from cellctl.cli.main import main
from cellctl.plan.cyclic import CyclicProgram

solve = CyclicProgram.solve

def noisy(self, *arguments):
    ctypes.CDLL(None).puts(b"kept back by the C library")
    os.write(1, b"written at once\\n")
    return solve(self, *arguments)

CyclicProgram.solve = noisy
"""


def noisily(*arguments: str) -> subprocess.CompletedProcess[str]:
    code = f"{NOISE}\nmain({list(arguments)!r})"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)


def test_a_plan_as_json_is_json_whatever_the_solver_prints() -> None:
    order = f"{HERE / 'recipe.yaml'}/plain:5"
    ran = noisily("plan", str(HERE / "line.yaml"), "--order", order, "--optimal", "--json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["pace"][0]["optimal"]["gap"] == 0.0
    assert {"kept back by the C library", "written at once"} <= set(ran.stderr.splitlines())


def test_a_simulation_as_json_is_json_whatever_the_solver_prints() -> None:
    order = f"{HERE / 'recipe.yaml'}/plain:1"
    ran = noisily("sim", str(HERE / "line.yaml"), "--order", order, "--follow", "--json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["complete"]
    assert "kept back by the C library" in ran.stderr
