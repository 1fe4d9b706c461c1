"""What the documents tell people to type works, and prints what they show.

A block is marked `console`. Its lines with `$ ` are commands, the others what they print: exactly, but that `...`
stands for any text, or alone on a line for any lines. Further words: `figures` (numbers may differ), `fails` (exit
code 1), `live` (needs a line that is up, or minutes; not run here, tests/line runs such), `skip`. A comment above
another block says what becomes of that: `edit FILE after "START"`, `edit FILE instead of "START"`, `write FILE`;
`from FILE` says where it is quoted from.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from cellctl.cli.main import main as cli

NOTE = re.compile(r'(?P<what>edit|write|from) (?P<file>\S+)(?: (?P<how>after|instead of) "(?P<start>.*)")?')


def test_the_commands_of_a_page_print_what_it_shows(document: Any, root: Path, tmp_path: Path) -> None:
    if not any(_is_run(block) for block in document.consoles):
        pytest.skip("nothing to run here")
    shutil.copytree(root / "recipes", tmp_path / "recipes")
    here = tmp_path
    for block in document.blocks:
        if block.note and not block.note.startswith("from "):
            _apply(block, here)
        if not _is_run(block):
            continue
        for command, shown in block.commands:
            if command.startswith("cd "):
                here = here / command.removeprefix("cd ")
                continue
            ran = _run(command, here)
            wanted = 1 if "fails" in block.words else 0
            assert ran.returncode == wanted, f"{command}\n{ran.stdout}{ran.stderr}"
            _compare(command, shown, ran, figures="figures" in block.words)


def _is_run(block: Any) -> bool:
    return block.words[:1] == ("console",) and not {"live", "skip"} & set(block.words)


def _apply(block: Any, here: Path) -> None:
    """Do to the files what the page tells its reader to do."""
    note = NOTE.fullmatch(block.note)
    assert note is not None, f"not understood: {block.note}"
    file = here / note["file"]
    if note["what"] == "write":
        file.write_text(block.text, "utf-8")
        return
    lines = file.read_text("utf-8").splitlines(keepends=True)
    place = next(i for i, line in enumerate(lines) if line.startswith(note["start"]))
    lines[place : place + 1] = [*([lines[place]] if note["how"] == "after" else []), block.text]
    file.write_text("".join(lines), "utf-8")


def _run(command: str, here: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "NO_COLOR": "1"}
    return subprocess.run(
        command, shell=True, cwd=here, env=environment, capture_output=True, text=True, timeout=100
    )


def _compare(command: str, shown: list[str], ran: subprocess.CompletedProcess[str], *, figures: bool) -> None:
    """A terminal mixes both streams; which comes first is not held against the page."""
    pattern = "".join(_line_pattern(line, figures) for line in shown if line.strip())
    printed = [
        "".join(f"{_plain(line, figures)}\n" for line in text.splitlines() if line.strip())
        for text in (ran.stdout + ran.stderr, ran.stderr + ran.stdout, ran.stdout)
    ]
    assert any(re.fullmatch(pattern, text) for text in printed), f"{command} prints\n{ran.stdout}{ran.stderr}"


def _line_pattern(line: str, figures: bool) -> str:
    if line.strip() == "...":
        return r"(?:.*\n)*?"
    return ".*?".join(re.escape(part) for part in _plain(line, figures).split("...")) + r"\n"


def _plain(line: str, figures: bool) -> str:
    line = line.rstrip()
    return re.sub(r" +", " ", re.sub(r"\d+(?:\.\d+)?", "0", line)) if figures else line


def test_what_a_page_quotes_stands_in_the_file(document: Any, root: Path) -> None:
    for block in document.blocks:
        if block.note.startswith("from "):
            name = block.note.removeprefix("from ")
            text = next(p for p in (root / name, root / "recipes" / name) if p.exists()).read_text("utf-8")
            for piece in re.split(r"^ *\.\.\.\n", block.text, flags=re.MULTILINE):
                assert piece in text, f"{name} does not say this any more:\n{piece}"


# --- every command that is named ----------------------------------------------------------------------------------


def test_every_command_that_a_page_names_exists(document: Any) -> None:
    if "/reference/" in str(document.path):
        pytest.skip("written from the commands themselves")
    typed = [command for block in document.consoles for command, _ in block.commands]
    inline = re.findall(r"`(cellctl [a-z][^`\n]*)`", document.prose)
    for command in [*typed, *inline]:
        words = shlex.split(command.split(" | ")[0].split(" > ")[0].split(" && ")[0], comments=True)
        if words[:1] == ["sudo"]:
            words = words[3:] if words[1:2] == ["-u"] else words[1:]
        if words[:1] == ["cellctl"]:
            _check_words(command, words[1:])


def _check_words(command: str, words: list[str]) -> None:
    found: click.Command = cli
    context = click.Context(cli)
    while words and isinstance(found, click.Group) and not words[0].startswith("-"):
        inner = found.get_command(context, words[0])
        assert inner is not None or found is not cli, f"there is no command: {command}"
        if inner is None:
            break
        found, words = inner, words[1:]
    options = {name for parameter in found.params for name in (*parameter.opts, *parameter.secondary_opts)}
    for word in words:
        assert not word.startswith("--") or word.split("=")[0] in {*options, "--help"}, (
            f"{word} in: {command}"
        )
    if "--version" not in words:
        most = sum(p.nargs if p.nargs > 0 else 1000 for p in found.params if isinstance(p, click.Argument))
        assert len([w for w in words if not w.startswith("-")]) <= most + 2 * len(options), command
