"""`explain`: what a code means, why it matters and what to do."""

from __future__ import annotations

import click

from cellctl.cli.output import json_option, print_json, print_table
from cellctl.errors import UnknownName


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
    if as_json:
        print_json({"code": wanted, **text})
        return
    click.echo(f"{wanted} ({text['kind']})\n\n{text['what']}\n\nWhy:  {text['why']}\nDo:   {text['instead']}")
