"""Where a recipe finds the sub-recipes that it includes: beside its file, or among the texts that an order carries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from cellctl.findings import Report
from cellctl.yamlsource import Mapping as MappingNode
from cellctl.yamlsource import Node, Scalar, Sequence, load, parse

SUFFIX = ".yaml"


class Library(Protocol):
    """Sub-recipes by name."""

    def __contains__(self, name: str) -> bool: ...

    def names(self) -> Iterable[str]:
        """What there is, for suggestions."""
        ...

    def read(self, name: str, report: Report) -> Node | None:
        """The whole file of that name; None after findings."""
        ...


class Beside:
    """The files in the directory of a recipe file."""

    def __init__(self, recipe: Path) -> None:
        self._folder = recipe.parent

    def __contains__(self, name: str) -> bool:
        return self._path(name).is_file()

    def names(self) -> Iterable[str]:
        """The files that a recipe could include."""
        return [path.stem for path in sorted(self._folder.glob(f"*{SUFFIX}")) if is_subrecipe(path)]

    def read(self, name: str, report: Report) -> Node | None:
        """Read the file."""
        return load(self._path(name), report)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{SUFFIX}"


class Texts:
    """The texts of files by name; findings call them by that."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def __contains__(self, name: str) -> bool:
        return name in self._texts

    def names(self) -> Iterable[str]:
        """The names that came with the order."""
        return self._texts

    def read(self, name: str, report: Report) -> Node | None:
        """Read the text."""
        return parse(self._texts[name], f"{name}{SUFFIX}", report)


def is_subrecipe(path: Path) -> bool:
    """Whether the file begins like a sub-recipe; False if it cannot be read."""
    try:
        return any(
            row.startswith("subrecipe:") for row in path.read_text("utf-8", errors="replace").splitlines()
        )
    except OSError:
        return False


def included_texts(recipe: Path) -> dict[str, str]:
    """The text of every sub-recipe that the recipe in this file includes, directly or by others.

    An order carries them, so that nothing has to be read again later. A file that is not there is left out: who
    compiles the recipe says so.
    """
    beside, found = Beside(recipe), dict[str, str]()
    waiting = _included(load(recipe, Report()))
    while waiting:
        name = waiting.pop()
        if name not in found and name in beside:
            found[name] = (recipe.parent / f"{name}{SUFFIX}").read_text("utf-8", errors="replace")
            waiting += _included(parse(found[name], name, Report()))
    return found


def _included(node: Node | None) -> list[str]:
    """The names under every `include` in the file, whether or not it stands where one belongs."""
    match node:
        case MappingNode(items=entries):
            include = entries.get("include")
            name = include.items.get("recipe") if isinstance(include, MappingNode) else None
            own = [name.value] if isinstance(name, Scalar) and isinstance(name.value, str) else []
            return [*own, *(each for value in entries.values() for each in _included(value))]
        case Sequence(items=items):
            return [each for item in items for each in _included(item)]
        case _:
            return []
