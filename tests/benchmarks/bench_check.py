"""CPU seconds of `cellctl check` on 100 recipes against the puck line, beside ruamel.yaml merely loading the files.

Run `python tests/benchmarks/bench_check.py`. Every process is fresh, so that start-up and imports count; they take
turns, and the least of each is what the work costs. ruamel.yaml is left out where it is not installed. Exit status 1
when the floor is missed.
"""

from __future__ import annotations

import importlib.util
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from cellctl.cli.files import shipped

RECIPES, TURNS, FLOOR = 100, 5, 1.0  # floor: CPU seconds

RUAMEL = """\
import pathlib, sys
from ruamel.yaml import YAML
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.yaml")):
    YAML().load(path)
"""
"""Its default, round-trip loading, which knows line and column as cellctl's reader does."""


def write_cell(place: Path) -> None:
    """The puck line with so many recipes beside it, each with its own name, force and height."""
    recipes = shipped()
    assert recipes is not None
    (place / "lines").mkdir()
    shutil.copy(recipes / "lines" / "puck.yaml", place / "lines")
    text = (recipes / "products" / "sensor-puck.yaml").read_text()
    (place / "products").mkdir()
    for number in range(RECIPES):
        changed = text.replace("recipe: sensor-puck", f"recipe: sensor-puck-{number}")
        changed = changed.replace("default: 40 N", f"default: {30 + number / 10} N")
        changed = changed.replace("18.20 mm", f"{18 + number / 1000:.3f} mm")
        (place / "products" / f"sensor-puck-{number}.yaml").write_text(changed)


def cpu_seconds(*command: str | Path) -> float:
    """CPU time, user and system, of a command that must end well; modules are compiled, as in an installation."""
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *command], check=True, capture_output=True, env=usual)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    has_ruamel = importlib.util.find_spec("ruamel") and importlib.util.find_spec("ruamel.yaml")
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        write_cell(place)
        commands: dict[str, tuple[str | Path, ...]] = {
            "cellctl --version": ("-m", "cellctl", "--version"),
            f"cellctl check, {RECIPES} recipes": ("-m", "cellctl", "check", place),
        }
        if has_ruamel:
            commands[f"ruamel.yaml, {RECIPES} files"] = ("-c", RUAMEL, place / "products")
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(TURNS):
            for name, command in commands.items():
                times[name].append(cpu_seconds(*command))
    print(f"Python {sys.version.split()[0]}, load average {os.getloadavg()[0]:.1f}, least of {TURNS}")
    for name, taken in times.items():
        print(f"{name:32}{min(taken):8.2f} CPU s")
    if not has_ruamel:
        print("ruamel.yaml is not installed")
    checked = min(times[f"cellctl check, {RECIPES} recipes"])
    print(f"floor: check at most {FLOOR} CPU s")
    return 0 if checked <= FLOOR else 1


if __name__ == "__main__":
    sys.exit(main())
