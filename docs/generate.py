"""Writes docs/reference/ from the code's own tables: `python docs/generate.py`. A test holds the pages against it."""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Callable, Iterable
from pathlib import Path

from cellctl import messages, packml
from cellctl.device import DriverDeclaration
from cellctl.kinds import HAND_OVER, RUN_HELD
from cellctl.modules.alarms import ALARMS
from cellctl.plugins import load_drivers, load_kinds
from cellctl.runner.alarms import ALARMS as RUNNER_ALARMS
from cellctl.skill import KindDeclaration, Skill

Rows = Iterable[Iterable[object]]


def table(head: Iterable[str], rows: Rows) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(list(head))]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: object) -> str:
    return " ".join(str(value).replace("|", "\\|").split())


def page(title: str, intro: str, *blocks: str) -> str:
    """A page that says where it comes from."""
    note = "<!-- written by docs/generate.py; change the code's table instead -->"
    return "\n\n".join([f"# {title}", note, intro, *blocks]) + "\n"


# --- pages --------------------------------------------------------------------------------------------------------


def messages_page() -> str:
    blocks = []
    for kind in typing.get_args(messages.AnyMessage):
        hints = {name: _type(hint) for name, hint in inspect.get_annotations(kind).items()}
        fields = table(("field", "type"), ((f"`{name}`", f"`{hint}`") for name, hint in hints.items()))
        blocks.append(f"## {kind.__name__}\n\n{_doc(kind)}\n\n{fields}")
    return page("Messages on the bus", _doc(messages), *blocks)


def _type(hint: object) -> str:
    return str(hint).replace("cellctl.messages.", "").replace("cellctl.packml.", "")


def packml_page() -> str:
    states = table(
        ("code", "state", "kind", "commands that are legal there (2022)"),
        (
            (
                code,
                state,
                f"acting, leads to {packml.ACTING[state]}" if state in packml.ACTING else "wait",
                ", ".join(packml.commands_in(state)) or "none",
            )
            for state, code in packml.CODE.items()
        ),
    )
    blocks = [states]
    for edition, transitions in packml.TRANSITIONS.items():
        rows = (
            (
                packml.COMMAND_CODE[command],
                command,
                ", ".join(s for s in packml.State if s in sources),
                target,
            )
            for command, (sources, target) in transitions.items()
        )
        blocks.append(f"## Edition {edition}\n\n{table(('code', 'command', 'from', 'to'), rows)}")
    return page("PackML", _doc(packml), *blocks)


def alarms_page() -> str:
    rows = [(code, a.text, a.cause, a.remedy) for code, a in sorted({**RUNNER_ALARMS, **ALARMS}.items())]
    intro = "Every alarm names its source. M: raised by a module process; R: raised by the runner."
    return page("Alarms", intro, table(("code", "text", "cause", "remedy"), rows))


def kinds_page() -> str:
    blocks = [_kind(kind) for kind in load_kinds().values() if kind.code.startswith("cellctl.")]
    joint = table(
        ("skill", "what it does", "roles", "commands in turn"),
        (
            (s.name, s.doc, ", ".join(s.roles), ", ".join(f"{p.role}: {p.skill}" for p in s.phases))
            for s in (HAND_OVER, RUN_HELD)
        ),
    )
    intro = "What each kind of module can do, its devices, and its keys in the line file."
    return page("Module kinds and skills", intro, *blocks, f"## Skills of several modules\n\n{joint}")


def _kind(kind: KindDeclaration) -> str:
    devices = table(("role", "must be a"), ((f"`{r}`", c) for r, c in kind.devices.items()))
    keys = ", ".join(
        f"`{k}`" + (" (needed)" if k in kind.stations.required else "") for k in sorted(kind.stations.allowed)
    )
    parts = [f"## {kind.name}", kind.doc, "Devices:", devices]
    if keys:
        parts.append(f"Keys of its stations: {keys}.")
    options = _options(kind.options.model_json_schema())
    if options:
        parts += ["Keys of the module:", options]
    return "\n\n".join([*parts, *(_skill(skill) for skill in kind.skills)])


def _skill(skill: Skill) -> str:
    outcomes = table(
        ("outcome", "the item is", "meaning"), ((f"`{n}`", o.ends, o.doc) for n, o in skill.outcomes.items())
    )
    parts = [f"### {skill.name}", skill.doc, outcomes]
    if skill.parameters:
        rows = ((f"`{p.name}`", p.dimension, p.doc) for p in skill.parameters)
        parts.append(table(("parameter", "kind", "meaning"), rows))
    return "\n\n".join(parts)


def drivers_page() -> str:
    drivers = [d for d in load_drivers().values() if d.code.startswith("cellctl_drivers.")]
    intro = (
        "For each driver: its keys in the line file, how each of its actions is settled after a crash, and what the "
        "device does when the controller falls silent."
    )
    return page("Drivers", intro, *(_driver(driver) for driver in drivers))


def _driver(driver: DriverDeclaration) -> str:
    recovery = table(
        ("action", "when", "settled as"),
        (
            (f"`{action}`", condition or "always", recovery)
            for action, by_condition in driver.recovery.items()
            for condition, recovery in by_condition.items()
        ),
    )
    silence = f"When the controller falls silent it {driver.silence.reaction}"
    if driver.silence.within is not None:
        silence += f" within {driver.silence.within:g} s"
    parts = [f"## {driver.name}", driver.doc, f"Can be used as: {driver.capability}.", recovery]
    return "\n\n".join(
        [*parts, f"{silence}: {driver.silence.how}.", _options(driver.options.model_json_schema())]
    )


def _options(schema: dict[str, typing.Any]) -> str:
    required = schema.get("required", [])
    rows = [
        (
            f"`{name}`",
            "yes" if name in required else "",
            "" if name in required else f"`{field.get('default', '')}`",
            field.get("description", ""),
        )
        for name, field in schema.get("properties", {}).items()
    ]
    return table(("key", "needed", "default", "meaning"), rows) if rows else ""


def _doc(thing: object) -> str:
    return inspect.getdoc(thing) or ""


PAGES: dict[str, Callable[[], str]] = {
    "messages.md": messages_page,
    "packml.md": packml_page,
    "alarms.md": alarms_page,
    "kinds.md": kinds_page,
    "drivers.md": drivers_page,
}


def main(folder: Path) -> None:
    """Write every page."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in PAGES.items():
        (folder / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "reference")
