"""Makes `bus_bench.py` importable by name; and the keys of a small line and of a stranger."""

import sys
from pathlib import Path

import pytest

from cellctl.live import curve

sys.path.append(str(Path(__file__).parent))


@pytest.fixture
def keys_of_line(tmp_path: Path) -> Path:
    """A keys directory in which the server "belt" and the peer "runner" trust each other."""
    directory = tmp_path / "keys"
    for name in ("belt", "runner"):
        curve.make_keys(directory, name)
        curve.trust(directory, directory / f"{name}.public")
    return directory


@pytest.fixture
def strangers_keys(tmp_path: Path, keys_of_line: Path) -> Path:
    """The keys directory of a "mallory" who knows the server's public key, and whom the server does not know."""
    directory = tmp_path / "mallory"
    curve.make_keys(directory, "mallory")
    curve.trust(directory, keys_of_line / "belt.public")
    return directory
