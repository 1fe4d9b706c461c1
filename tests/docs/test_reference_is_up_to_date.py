"""docs/reference/ is what docs/generate.py makes of the code today."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_reference_is_what_the_code_says(root: Path, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, str(root / "docs" / "generate.py"), str(tmp_path)], check=True, timeout=60
    )
    made = {page.name: page.read_text("utf-8") for page in tmp_path.glob("*.md")}
    kept = {page.name: page.read_text("utf-8") for page in (root / "docs" / "reference").glob("*.md")}
    stale = sorted(name for name in made.keys() | kept.keys() if made.get(name) != kept.get(name))
    assert not stale, f"{', '.join(stale)}: write them anew with `python docs/generate.py`"
