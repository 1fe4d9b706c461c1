"""Links between pages lead somewhere, and every line and recipe that is shipped or shown can be used."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

LINK = re.compile(r"(?<!`)\[[^\]\n]+\]\(([^)\s]+)\)")
NAMED_FILE = re.compile(r"`((?:cellctl|drivers|sim|recipes|tests|docs)/[A-Za-z0-9_./*-]+)`")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def test_every_link_leads_to_a_file_or_heading(document: Any) -> None:
    for link in LINK.findall(document.prose):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = (document.path.parent / path).resolve() if path else document.path
        assert target.exists(), f"{link} leads nowhere"
        if anchor:
            assert anchor in _anchors(target), f"{target.name} has no heading for {link}"


def _anchors(page: Path) -> set[str]:
    headings = HEADING.findall(page.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-") for text in headings}


def test_every_file_that_a_page_names_exists(document: Any, root: Path) -> None:
    for name in NAMED_FILE.findall(document.prose):
        assert list(root.glob(name.rstrip("/"))), f"there is no {name}"


def test_every_page_is_in_the_index(root: Path) -> None:
    index = (root / "docs" / "README.md").read_text("utf-8")
    for page in (root / "docs").rglob("*.md"):
        name = page.relative_to(root / "docs").as_posix()
        if page.name != "README.md" and not name.startswith("decisions/"):
            assert f"({name})" in index, f"docs/README.md does not name {name}"


def test_everything_that_is_shipped_passes_check(root: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "cellctl", "check", str(root / "recipes"), "--json"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stdout
