"""Orders as people write them: `RECIPE/VARIANT:QUANTITY`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from cellctl.cli.files import find_recipe


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many parts of one variant of a recipe."""

    recipe: Path
    variant: str
    quantity: int

    @property
    def label(self) -> str:
        return f"{self.recipe.stem}{f'-{self.variant}' if self.variant else ''}"


def read_order(text: str, line: Path) -> Wanted:
    """Read `sensor-puck/indoor:4`, `sensor-puck:4`, `products/sensor-puck.yaml/indoor`; one part where no quantity
    is said. Raises click.UsageError.
    """
    name, _, number = text.rpartition(":")
    if not name:
        name, number = text, "1"
    if not number.isascii() or not number.isdigit() or int(number) < 1:
        raise click.UsageError(
            f"{text!r}: after the colon stands how many parts, such as sensor-puck/indoor:4"
        )
    if Path(name).is_file() or "/" not in name:
        return Wanted(find_recipe(name, line), "", int(number))
    recipe, _, variant = name.rpartition("/")
    if not recipe or not variant:
        raise click.UsageError(f"{text!r} is no order; write it as RECIPE/VARIANT:QUANTITY")
    return Wanted(find_recipe(recipe, line), variant, int(number))
