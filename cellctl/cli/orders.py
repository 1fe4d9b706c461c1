"""Orders as people write them: `RECIPE/VARIANT:QUANTITY`, and what they give for single parts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from cellctl.cli.files import find_recipe

MOST = 1_000_000  # parts of one order that a runner takes


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many parts of one variant of a recipe."""

    recipe: Path
    variant: str
    quantity: int
    is_counted: bool = True  # False where no quantity was said

    @property
    def label(self) -> str:
        return f"{self.recipe.stem}{f'-{self.variant}' if self.variant else ''}"

    @property
    def body(self) -> dict[str, Any]:
        """What the runner's verb `order` takes of it: the texts go along, so that no file is read again."""
        from cellctl.recipe.subrecipes import included_texts

        included = included_texts(self.recipe)
        return {
            "text": _read(self.recipe),
            "source": str(self.recipe),
            "variant": self.variant,
            "quantity": self.quantity,
            **({"included": included} if included else {}),
        }


def turns_to_follow(wanted: Wanted, line: Path) -> dict[str, Any]:
    """The best order of its work, as the runner's verb `order` takes it: module -> turns.

    Raises RecipeRefused, MotionError where the line cannot make it, BadPlan where no best order is known.
    """
    from cellctl.cli.solver_output import on_stderr
    from cellctl.cli.up import load_or_exit
    from cellctl.compile.order import OrderText, compile_order
    from cellctl.plan.errors import BadPlan, NoSchedule, NotProved
    from cellctl.plan.steady import best_turns

    body, loaded = wanted.body, load_or_exit(line)
    text = OrderText(body["text"], body["source"], wanted.variant, body.get("included", {}))
    executable, _ = compile_order(text, loaded)
    try:
        with on_stderr():
            turns = best_turns(loaded, executable)
    except (BadPlan, NoSchedule, NotProved) as error:
        what = f"no best order of its work is known that could be followed: {error}"
        raise BadPlan(wanted.label, what, "order it without --follow") from error
    return {name: [{"step": turn.step, "behind": turn.behind} for turn in own] for name, own in turns.items()}


@dataclass(frozen=True, slots=True)
class PartsGiven:
    """The values that single parts have of their own: YAML, and what findings call it."""

    text: str
    source: str
    count: int


def read_parts(texts: tuple[str, ...], file: Path | None) -> PartsGiven | None:
    """What `--part NAME=VALUE,...` says, each time of one part, or the list in a file; None where nothing is said.

    Raises click.UsageError.
    """
    if file is not None and texts:
        raise click.UsageError("give parts their values either by --part or by --parts")
    if file is not None:
        from cellctl.findings import Report
        from cellctl.yamlsource import Sequence, load

        listed = load(file, Report())
        return PartsGiven(_read(file), str(file), len(listed.items) if isinstance(listed, Sequence) else 0)
    return PartsGiven("".join(map(_part, texts)), "--part", len(texts)) if texts else None


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        raise click.UsageError(f"{file} is not text in UTF-8; see `cellctl check {file}`") from None


def _part(text: str) -> str:
    """`force=55 N, lid=lid-sealed` as an entry of a YAML list; an empty text is a part with the usual values."""
    pairs = [pair.partition("=") for pair in text.split(",")] if text.strip() else []
    for name, equals, value in pairs:
        if not equals or not _NAME.fullmatch(name.strip()) or not _PLAIN.fullmatch(value.strip()):
            raise click.UsageError(
                f"{text!r}: write --part 'force=55 N, lid=lid-sealed', or use --parts FILE"
            )
    rows = [f"{name.strip()}: {value.strip()}" for name, _, value in pairs]
    return "- " + "\n  ".join(rows) + "\n" if rows else "- {}\n"


_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_PLAIN = re.compile(
    r"[^\s#&*!|>'\"%@`\[\]{},:?-][^\n\r#:]*|-?[0-9.][^\n\r#:]*"
)  # text that YAML reads as it stands


def read_order(text: str, line: Path) -> Wanted:
    """Read `sensor-puck/indoor:4`, `sensor-puck:4`, `products/sensor-puck.yaml/indoor`; one part where no quantity
    is said. Raises click.UsageError.
    """
    name, colon, number = text.rpartition(":")
    if not name:
        name, number = text, "1"
    if not number.isascii() or not number.isdigit() or not number.strip("0"):
        raise click.UsageError(
            f"{text!r}: after the colon stands how many parts, such as sensor-puck/indoor:4"
        )
    if len(number) > len(str(MOST)) or int(number) > MOST:
        raise click.UsageError(f"{text!r}: an order has at most {MOST:,} parts; write several orders")
    if Path(name).is_file() or "/" not in name:
        return Wanted(find_recipe(name, line), "", int(number), bool(colon))
    recipe, _, variant = name.rpartition("/")
    if not recipe or not variant:
        raise click.UsageError(f"{text!r} is no order; write it as RECIPE/VARIANT:QUANTITY")
    return Wanted(find_recipe(recipe, line), variant, int(number), bool(colon))
