"""Makes `links_bench.py` importable by name."""

import importlib.util
import sys
from pathlib import Path

if "links_bench" not in sys.modules:
    spec = importlib.util.spec_from_file_location("links_bench", Path(__file__).with_name("links_bench.py"))
    assert spec is not None
    assert spec.loader is not None
    sys.modules["links_bench"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["links_bench"])
