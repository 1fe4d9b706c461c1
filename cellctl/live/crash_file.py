"""An unexpected error's traceback goes to a file, never to a user."""

from __future__ import annotations

import os
import sys
import tempfile
import time
import traceback
from pathlib import Path


def write_crash(error: BaseException, who: str, directory: Path | None = None) -> Path:
    """Write the traceback of an unexpected error into a new file that only its owner can read; where it stands.

    Falls back to the system's temporary directory, where others could have laid a link under a name that they foresee.
    """
    name = f"crash-{who}-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{os.getpid()}-"
    text = f"{' '.join(sys.argv)}\nPython {sys.version}\n\n{''.join(traceback.format_exception(error))}"
    for place in (directory, Path(tempfile.gettempdir())):
        if place is None:
            continue
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, path = tempfile.mkstemp(".txt", name, place)
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
            return Path(path)
        except OSError:
            continue
    return Path(os.devnull)
