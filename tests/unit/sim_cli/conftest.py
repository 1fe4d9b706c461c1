"""`cellctl sim` in this process, and one disturbed run of the shipped line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cellctl.cli.main import main

Sim = Callable[..., Result]


@pytest.fixture(scope="session")
def sim() -> Sim:
    """Runs `cellctl sim puck` with more arguments."""
    return lambda *arguments: CliRunner().invoke(main, ("sim", "puck", *map(str, arguments)))


@pytest.fixture(scope="session")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A device that falls silent, and a gauge that measures wrong so that the part is scrapped."""
    path = tmp_path_factory.mktemp("faults") / "faults.yaml"
    path.write_text(
        "- {at: 12 s, device: belt.drive, fault: silent, for: 3 s}\n"
        "- {device: gauge.head, fault: offset, value: 1 mm, count: 2}\n"
    )
    return path
