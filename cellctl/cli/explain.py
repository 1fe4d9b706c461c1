"""`explain`: what a code means, why it matters and what to do."""

from __future__ import annotations

import click

from cellctl.cli.output import json_option, print_json, print_table
from cellctl.errors import UnknownName

WIDEST = 160  # characters of a row of an example that are shown


def all_codes() -> dict[str, dict[str, str]]:
    """Code -> what, why and instead of every finding and alarm."""
    from cellctl.compile import codes as of_compile
    from cellctl.findings import merge
    from cellctl.line import codes as of_line
    from cellctl.modules.alarms import ALARMS
    from cellctl.reading import codes as of_form
    from cellctl.recipe import codes as of_recipe
    from cellctl.runner.alarms import ALARMS as RUNNER_ALARMS
    from cellctl.yamlsource import codes as of_text

    findings = merge(of_text.CODES, of_form.CODES, of_line.CODES, of_recipe.CODES, of_compile.CODES)
    found = {
        code: {"kind": "finding", "what": text.what, "why": text.why, "instead": text.instead}
        for code, text in findings.items()
    }
    for code, alarm in ALARMS.items():
        what = alarm.text.format(source="a device or module", detail="what it said")
        found[code] = {"kind": "alarm", "what": what, "why": alarm.cause, "instead": alarm.remedy}
    for code, (what, cause, remedy) in RUNNER_ALARMS.items():
        found[code] = {"kind": "alarm", "what": what, "why": cause, "instead": remedy}
    return found


def all_examples() -> dict[str, str]:
    """Code -> an example of each finding: lines that begin with `-` are wrong, those with `+` put it right."""
    from cellctl.compile import examples as of_compile
    from cellctl.line import examples as of_line
    from cellctl.reading import examples as of_form
    from cellctl.recipe import examples as of_recipe
    from cellctl.yamlsource import examples as of_text

    tables = (of_text, of_form, of_line, of_recipe, of_compile)
    return {code: text for table in tables for code, text in table.EXAMPLES.items()}


def as_shown(example: str) -> str:
    """An example for people: no row longer than a line, and what nobody can see as its escape."""
    rows = [row if len(row) <= WIDEST else f"{row[:WIDEST]}..." for row in example.splitlines()]
    return "".join("".join(c if c.isprintable() else _escaped(c) for c in row) + "\n" for row in rows)


def _escaped(character: str) -> str:
    code = ord(character)
    byte = 0xDC80 <= code <= 0xDCFF  # which stands for a byte that is not UTF-8
    return f"\\x{code - 0xDC00:02x}" if byte else character.encode("unicode_escape").decode()


@click.command()
@click.argument("code", required=False)
@json_option
def explain(code: str | None, as_json: bool) -> None:
    """What CODE of a finding or alarm means; without one: all codes."""
    codes = all_codes()
    if code is None:
        if as_json:
            print_json(codes)
        else:
            print_table(((name, text["what"]) for name, text in codes.items()), ("code", "means"))
        return
    wanted = code.upper()
    if wanted not in codes:
        raise click.UsageError(str(UnknownName("code", code, codes)))
    text = codes[wanted]
    example = all_examples().get(wanted, "")
    if as_json:
        print_json({"code": wanted, **text, "example": as_shown(example)})
        return
    click.echo(f"{wanted} ({text['kind']})\n\n{text['what']}\n\nWhy:  {text['why']}\nDo:   {text['instead']}")
    if example:
        click.echo(f"\nExample, - wrong and + right:\n\n{as_shown(example)}", nl=False)
