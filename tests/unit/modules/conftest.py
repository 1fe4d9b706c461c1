"""Makes the fake devices of `fakes.py` importable by name, as drivers are, and hands out the world they stand in."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


def _load(name: str) -> ModuleType:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


fakes = _load("modules_fakes")
bench = _load("modules_bench")


@pytest.fixture(name="bench")
def a_bench() -> ModuleType:
    """The test bench: lines of fake devices, a client, and runs with kills."""
    return bench
