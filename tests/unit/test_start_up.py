"""Processes start light: what a process does not need, it does not import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

WITHOUT_ARM = """
import sys
from pathlib import Path
from cellctl.live.line_file import read_line
from cellctl.plugins import load_code
import cellctl.live.entry, cellctl.modules.shell, cellctl.runner.requests, cellctl.runner.shell

line, _ = read_line(Path("recipes/lines/puck.yaml"))
for module in line.modules.values():
    if not module.tools:
        load_code(module.kind.code)
        for device in module.devices.values():
            load_code(line.devices[device].declaration.code)
print(*sorted({"numpy", "scipy", "cellctl_sim"} & set(sys.modules)))
"""


def test_the_runner_and_modules_without_an_arm_start_without_numpy() -> None:
    told = subprocess.run(
        [sys.executable, "-c", WITHOUT_ARM], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert told.stdout.split() == []
