"""An order's recipe, compiled from the text that the order carries."""

from __future__ import annotations

from cellctl.compile.compiler import compile_recipe
from cellctl.errors import Refused
from cellctl.findings import Report
from cellctl.line.model import Line
from cellctl.recipe.executable import Executable
from cellctl.recipe.load import parse_recipe


class RecipeRefused(Refused):
    """A recipe that this line cannot make; `report` has the findings, the message shows them."""

    def __init__(self, source: str, variant: str, line: str, report: Report) -> None:
        self.source, self.variant, self.report = source, variant, report
        what = f"{source}{f', variant {variant},' if variant else ''}"
        super().__init__(f"{what} cannot be made on the line {line}\n\n{report.render()}".rstrip())


def compile_order_text(text: str, source: str, variant: str, line: Line) -> Executable:
    """The executable recipe of the variant; `source` names the text in messages. Raises RecipeRefused."""
    report = Report()
    recipe = parse_recipe(text, source, report)
    executable = compile_recipe(recipe, variant, line, report) if recipe else None
    if executable is None:
        raise RecipeRefused(source, variant, line.name, report)
    return executable
