"""The documents of the repository, and the blocks in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(
    r"(?:^<!-- (?P<note>[^\n]*) -->\n)?"
    r"^(?P<indent> *)```(?P<info>[^\n]*)\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its info words, the comment above it, its text."""

    words: tuple[str, ...]
    note: str
    text: str

    @property
    def commands(self) -> list[tuple[str, list[str]]]:
        """Each command of a console block with the lines of output below it."""
        found: list[tuple[str, list[str]]] = []
        for line in self.text.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
        return found


@dataclass(frozen=True, slots=True)
class Document:
    """One page."""

    path: Path
    text: str

    @property
    def blocks(self) -> list[Block]:
        return [
            Block(tuple(m["info"].split()), m["note"] or "", _outdented(m["text"], m["indent"]))
            for m in _BLOCK.finditer(self.text)
        ]

    @property
    def consoles(self) -> list[Block]:
        return [block for block in self.blocks if block.words[:1] == ("console",)]

    @property
    def prose(self) -> str:
        """The page without its blocks."""
        return _BLOCK.sub("", self.text)


def _outdented(text: str, indent: str) -> str:
    return "".join(line.removeprefix(indent) for line in text.splitlines(keepends=True))


def documents() -> list[Document]:
    paths = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
    paths += [
        ROOT / "drivers" / "README.md",
        ROOT / "sim" / "README.md",
        ROOT / "tests/example_plugin/README.md",
    ]
    return [Document(path, path.read_text("utf-8")) for path in paths]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes a `document` runs for every page."""
    if "document" in metafunc.fixturenames:
        pages = documents()
        names = [str(page.path.relative_to(ROOT)) for page in pages]
        metafunc.parametrize("document", pages, ids=names)


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT
