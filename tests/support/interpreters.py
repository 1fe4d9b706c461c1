"""Other versions of Python.

They are taken from the path (`python3.12`, `python3.13`) or from CELLCTL_PYTHONS, a list of interpreters separated
like a path; they must have what a test needs of the package's dependencies.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

VERSIONS = ("3.11", "3.12", "3.13")


def interpreter(version: str, *needed: str) -> str:
    """An interpreter of this version that can import what is needed; skips the test when there is none."""
    if f"{sys.version_info.major}.{sys.version_info.minor}" == version:
        return sys.executable
    listed = [path for path in os.environ.get("CELLCTL_PYTHONS", "").split(os.pathsep) if path]
    for python in (*listed, shutil.which(f"python{version}")):
        check = f"import sys, {', '.join(needed)}; sys.exit('%d.%d' % sys.version_info[:2] != '{version}')"
        if python and subprocess.run([python, "-c", check], capture_output=True, check=False).returncode == 0:
            return python
    pytest.skip(f"no Python {version} with {', '.join(needed)} here")
