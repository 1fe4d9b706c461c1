"""The house rules are enforced: each import contract, and the ban on the outside world, breaks on a violation."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

pytestmark = pytest.mark.skipif(
    not (BIN / "lint-imports").exists() or not (BIN / "ruff").exists(),
    reason="the quality tools are not here",
)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the code, to be broken."""
    for name in ("cellctl", "drivers", "sim"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(house: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(str(house / part) for part in (".", "drivers", "sim"))
    command = [BIN / "lint-imports", "--no-cache"]
    return subprocess.run(
        command,
        cwd=house,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_house_stands_as_it_is(house):
    found = lint(house)
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("cellctl/flow/decide.py", "import cellctl.runner.shell", "straight down"),
        ("cellctl/runner/shell.py", "import cellctl.modules.shell", "straight down"),
        ("cellctl/line/load.py", "import cellctl_drivers.altivar", "simulation over drivers"),
        ("cellctl/motion/profile.py", "import asyncio", "motion, flow and plan are pure"),
        ("cellctl/live/runtime.py", "import pymodbus", "one adapter"),
        ("sim/cellctl_sim/plant/world.py", "import cellctl_drivers.altivar", "nothing but register maps"),
    ],
)
def test_each_contract_breaks_on_a_planted_violation(house, file, line, contract):
    _plant(house / file, line)
    found = lint(house)
    assert found.returncode == 1
    assert any(contract in text and "BROKEN" in text for text in found.stdout.splitlines()), found.stdout


def test_a_file_that_no_layer_names_breaks_the_contract(house):
    (house / "cellctl" / "helpers.py").write_text('"""Nowhere."""\n')
    assert lint(house).returncode == 1


@pytest.mark.parametrize(
    "name", ["asyncio", "time", "random", "socket", "sqlite3", "zmq", "threading", "uuid"]
)
@pytest.mark.parametrize(
    "file", ["cellctl/runner/shell.py", "cellctl/modules/act.py", "drivers/cellctl_drivers/altivar.py"]
)
def test_code_behind_the_seam_may_not_import_the_outside_world(house, file, name):
    _plant(house / file, f"import {name}")
    command = [BIN / "ruff", "check", "--no-cache", "--select", "TID251", file]
    found = subprocess.run(command, cwd=house, capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert "TID251" in found.stdout


def _plant(path: Path, line: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert "from __future__ import annotations\n" in text
    path.write_text(
        text.replace(
            "from __future__ import annotations\n", f"from __future__ import annotations\n{line}\n", 1
        )
    )
