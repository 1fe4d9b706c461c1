"""The files that cost most for their size: each is findings within a second of work, and none is an exception."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from cellctl.findings import Report
from cellctl.line.load import load_line
from cellctl.plugins import load_drivers, load_kinds
from cellctl.recipe.load import load_recipe

KINDS, DRIVERS = load_kinds(), load_drivers()
MOST_SECONDS = 2.0  # of work; a second where nothing else runs

LINE = "line: x\nmodules: {a: {kind: arm}}\n"
WORST = {
    "deep": "[" * 999_000,
    "deep and indented": "".join(" " * depth + "a:\n" for depth in range(1300)),
    "wide": "[" + "a," * 499_000 + "]",
    "one long line": "a: " + "x" * 999_000,
    "digits": "a: " + "1" * 999_000,
    "one key again and again": "a: 1\n" * 160_000,
    "keys that nobody knows": "\n".join(f"k{number}: 1" for number in range(9_990)),
    "bytes that are not UTF-8": "\udcff" * 999_000,
    "characters that nobody sees": "\u200b" * 330_000,
    "devices at one address": f"{LINE}devices:\n"
    + "".join(f" d{n}: {{use: remote_io, address: 'modbus-tcp://h:502'}}\n" for n in range(3_200)),
    "frames in frames": f"{LINE}frames:\n" + "".join(f" f{n}: {{frame: f{n + 1}}}\n" for n in range(4_900)),
    "carriers": f"{LINE}carriers:\n" + "".join(f" c{n}: {{home: a.b}}\n" for n in range(4_900)),
    "modules": "line: x\nmodules:\n" + "".join(f" m{n}: {{kind: arm}}\n" for n in range(4_900)),
    "steps": "recipe: x\nsteps:\n" + "".join(f"- {{step: s{n}, do: x}}\n" for n in range(3_500)),
    "variants of many steps": "recipe: x\nvariants:\n"
    + "".join(f" v{n}: {{}}\n" for n in range(199))
    + "steps:\n"
    + "".join(f"- {{step: s{n}, do: run}}\n" for n in range(490)),
    "variants of variants": "recipe: x\nvariants:\n"
    + "".join(f" v{n}: {{extends: v{n + 1}}}\n" for n in range(198))
    + " v198: {}\nsteps: [{step: a, do: run}, {step: a, do: run}]\n",
}


@pytest.mark.parametrize("name", WORST)
def test_the_worst_file_is_findings_in_time(name: str, tmp_path: Path) -> None:
    path, report = tmp_path / "worst.yaml", Report()
    path.write_bytes(WORST[name].encode("utf-8", "surrogateescape"))
    assert path.stat().st_size <= 1_000_000
    begun = time.process_time()
    if WORST[name].startswith("recipe"):
        load_recipe(path, report)
    else:
        load_line(path, report, KINDS, DRIVERS)
    report.render()
    assert time.process_time() - begun < MOST_SECONDS
    assert report.has_errors
