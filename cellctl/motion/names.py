"""The names of the robots that cellctl knows, for whoever checks a name and needs nothing else of the library."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources


@cache
def robot_names() -> tuple[str, ...]:
    """Every name in `library.toml`; found without the numbers, which only a running arm needs."""
    text = (resources.files("cellctl.motion") / "library.toml").read_text("utf-8")
    return tuple(re.findall(r"^\[([\w-]+)\]$", text, re.MULTILINE))
