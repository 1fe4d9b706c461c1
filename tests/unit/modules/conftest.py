"""Makes the fake devices of `modules_fakes.py` importable by name, as drivers are, and hands out their bench."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

sys.path.append(str(Path(__file__).parent))


@pytest.fixture
def bench() -> ModuleType:
    """The test bench: lines of fake devices, a client, and runs with kills."""
    return import_module("modules_bench")
