"""Finds the line and recipe files that people name: by path, or by a name in `lines/` and `products/`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import click

import cellctl
from cellctl.errors import UnknownName

SUFFIXES = (".yaml", ".yml")


def shipped() -> Path | None:
    """The recipes directory that comes with cellctl: in the installed package, else beside it in a checkout."""
    package = Path(cellctl.__file__).parent
    for place in (package / "recipes", package.parent / "recipes"):
        if (place / "lines").is_dir():
            return place
    return None


def find_line(name: str) -> Path:
    """The line file called `name`: a path, a file in `./lines` or `./recipes/lines`, or one that is shipped.

    Raises click.UsageError, with the nearest names, when there is none.
    """
    return _find(
        "line", name, [Path.cwd() / "lines", Path.cwd() / "recipes" / "lines", *_of_shipped("lines")]
    )


def find_recipe(name: str, line: Path) -> Path:
    """The recipe file called `name`: a path, or a name in the `products` beside the line's `lines`.

    Raises click.UsageError.
    """
    return _find("recipe", name, [line.parent.parent / "products", line.parent, *_of_shipped("products")])


def find_either(name: str) -> Path:
    """The line or recipe file called `name`, a line before a recipe. Raises click.UsageError, with the nearest."""
    try:
        return find_line(name)
    except click.UsageError as no_line:
        try:
            return find_recipe(name, Path.cwd() / "lines" / "x")
        except NoSuchName as no_recipe:
            known = no_line.known if isinstance(no_line, NoSuchName) else {}
            raise NoSuchName("line or recipe", name, {**known, **no_recipe.known}) from None
        except click.UsageError:
            raise no_line from None


def recipes_beside(line: Path) -> list[Path]:
    """The recipes in the `products` beside the line's `lines`."""
    found = _files([line.parent.parent / "products"]).values()
    return [path for path in found if written_as(path) != "subrecipe"]


def written_as(path: Path) -> str:
    """Whether a file is a "line", a "recipe" or a "subrecipe", by its keys; "" when it is none."""
    try:
        text = path.read_text("utf-8", errors="replace")
    except OSError:
        return ""
    found = _FIRST_KEY.search(text)
    return found[1] if found else ""


_NEVER = {"line": ("recipe", "subrecipe"), "recipe": ("line",)}  # what a file of that kind is not written as
_FIRST_KEY = re.compile(r"^(line|recipe|subrecipe)[ \t]*:", re.MULTILINE)


def _find(kind: str, name: str, places: list[Path]) -> Path:
    path = Path(name)
    if path.is_file():
        return path.resolve()
    if path.is_dir():
        raise click.UsageError(f"{name} is a directory; name a {kind} file in it")
    known = {stem: place for stem, place in _files(places).items() if written_as(place) not in _NEVER[kind]}
    if path.name == name and name.removesuffix(path.suffix) in known and path.suffix in ("", *SUFFIXES):
        return known[path.stem].resolve()
    if path.name != name or path.suffix in SUFFIXES:
        raise click.UsageError(f"there is no file {name}{_listing(kind, known)}")
    raise NoSuchName(kind, name, known)


class NoSuchName(click.UsageError):
    """No file of that kind is called so."""

    def __init__(self, kind: str, name: str, known: Mapping[str, Path]) -> None:
        self.known = known
        super().__init__(str(UnknownName(kind, name, known)))


def _listing(kind: str, known: Iterable[str]) -> str:
    names = ", ".join(sorted(known))
    return f"; {kind}s known by name: {names}" if names else ""


def _files(places: list[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for place in places:
        for path in sorted(place.glob("*")) if place.is_dir() else ():
            if path.suffix in SUFFIXES and not path.stem.endswith(".taught"):
                found.setdefault(path.stem, path)
    return found


def _of_shipped(folder: str) -> list[Path]:
    place = shipped()
    return [place / folder] if place else []
