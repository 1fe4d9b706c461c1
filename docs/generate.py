"""Writes docs/reference/ from the code's own tables: `python docs/generate.py`. A test holds the pages against it."""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import click
import msgspec
from pydantic import BaseModel
from reference_robots import robots_page
from reference_tables import command, doc, page, settings, table

from cellctl import journal, messages, packml
from cellctl.cli.explain import all_codes, all_examples, as_shown
from cellctl.cli.lazy import COMMANDS
from cellctl.cli.main import main as cli
from cellctl.device import DriverDeclaration
from cellctl.flow import events as flow_events
from cellctl.kinds import HAND_OVER, RUN_HELD
from cellctl.line import distributions
from cellctl.line import file as line_file
from cellctl.live import deployment, process_table
from cellctl.modules.alarms import ALARMS
from cellctl.plugins import load_drivers, load_kinds
from cellctl.recipe import file as recipe_file
from cellctl.runner.alarms import ALARMS as RUNNER_ALARMS
from cellctl.skill import KindDeclaration, Skill
from cellctl.units import EXAMPLES, UNITS_OF

# --- pages --------------------------------------------------------------------------------------------------------


def messages_page() -> str:
    blocks = []
    for kind in typing.get_args(messages.AnyMessage):
        hints = {name: _type(hint) for name, hint in inspect.get_annotations(kind).items()}
        fields = table(("field", "type"), ((f"`{name}`", f"`{hint}`") for name, hint in hints.items()))
        blocks.append(f"## {kind.__name__}\n\n{doc(kind)}\n\n{fields}")
    return page("Messages on the bus", doc(messages), *blocks)


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
    return page("PackML", doc(packml), *blocks)


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
    for title, options in (("module", kind.options), ("stations, of its own", kind.stations.options)):
        if options is not None and options.model_fields:
            parts += [f"Keys of its {title}:".replace("its module", "the module"), settings(options)]
    parts += [_inner(model) for model in _models_in(kind.options)]
    return "\n\n".join([*parts, *(_skill(skill) for skill in kind.skills)])


def _inner(model: type[BaseModel]) -> str:
    return f"### {model.__name__.lower()}\n\n{doc(model)}\n\n{settings(model)}"


def _models_in(model: type[BaseModel]) -> list[type[BaseModel]]:
    """The models that the fields of a model are made of, at any depth."""
    found: list[type[BaseModel]] = []
    waiting = [field.annotation for field in model.model_fields.values()]
    while waiting:
        hint = waiting.pop(0)
        if isinstance(hint, type) and issubclass(hint, BaseModel):
            if hint not in found:
                found.append(hint)
                waiting += [field.annotation for field in hint.model_fields.values()]
        else:
            waiting += [each for each in typing.get_args(hint) if not isinstance(each, str)]
    return found


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
    return "\n\n".join([*parts, f"{silence}: {driver.silence.how}.", settings(driver.options)])


# --- the command line ---------------------------------------------------------------------------------------------


def command_line_page() -> str:
    blocks = []
    section = ""
    for name, entry in cli.table.items():
        if entry.hidden:
            continue
        if entry.section != section:
            section = entry.section
            blocks.append(f"**{section}**")
        found = cli.get_command(click.Context(cli), name)
        assert found is not None
        blocks.append(command(f"cellctl {name}", found))
    blocks.append("**Simulation**")
    for point in sorted(entry_points(group=COMMANDS), key=lambda point: point.name):
        loaded = point.load()
        if point.value.startswith("cellctl_sim.") and not loaded.hidden:
            blocks.append(command(f"cellctl {point.name}", loaded))
    intro = (
        "Data goes to stdout, messages to stderr. Exit codes: 0 well; 1 what was checked or run is not well; 2 the "
        "command was not understood; 130 interrupted. `NO_COLOR` is honoured. A line is named by its file, or by its "
        "name when that stands in `lines/` or `recipes/lines/` below the current directory, or is one that comes with "
        "cellctl; a recipe by its file, or by its name in the `products/` beside the line's `lines/`. A line that was "
        "started is found by its state directory: `--state`, else `$CELLCTL_STATE`, else `.cellctl/LINE` here."
    )
    return page("Command line", intro, *blocks)


# --- what people write --------------------------------------------------------------------------------------------


def line_file_page() -> str:
    station = (
        "Which of these a station may have, its module's kind says (see [kinds](kinds.md)); a plug-in's kind may add "
        "keys of its own."
    )
    sections: list[tuple[str, str, tuple[type[BaseModel], ...]]] = [
        ("runner", "", (line_file.RunnerFile,)),
        ("module", "And the keys of its kind: see [kinds](kinds.md).", (line_file.ModuleFile,)),
        ("station", station, (line_file.StationFile,)),
        ("pose", "", (line_file.PoseFile,)),
        ("grid", "", (line_file.GridFile,)),
        ("device", "And the options of its driver: see [drivers](drivers.md).", (line_file.DeviceFile,)),
        ("tool", "And the options of its driver: see [drivers](drivers.md).", (line_file.ToolFile,)),
        ("simulated", "And the keys of its simulator's own.", (line_file.SimulatedFile,)),
        ("failures", "", (distributions.Failures,)),
        ("material", "", (line_file.MaterialFile,)),
        ("carrier", "", (line_file.CarrierFile,)),
        ("safety", "", (line_file.SafetyFile,)),
        ("frame", "", (line_file.FrameFile,)),
    ]
    blocks = [f"## The whole file\n\n{settings(line_file.LineFile)}"]
    blocks += [_section(name, more, *models) for name, more, models in sections]
    blocks.insert(1 + [name for name, _, _ in sections].index("material"), _distributions())
    blocks.append(_section("taught", "", line_file.TaughtFile))
    blocks.append(_section("taughtpose", "", line_file.TaughtPose))
    return page("The line file", doc(line_file), *blocks, f"## Units\n\n{_units()}")


def _distributions() -> str:
    laws = list(dict.fromkeys(distributions.LAWS.values()))
    moments = settings(distributions.Moments)
    return f"## distribution\n\n{doc(distributions)}\n\n{settings(*laws)}\n\n## moments\n\n{moments}"


def recipe_file_page() -> str:
    blocks = [f"## The whole file\n\n{settings(recipe_file.RecipeFile)}"]
    parameters = "And the parameters of its skill: see [kinds](kinds.md)."
    blocks.append(_section("step", parameters, recipe_file.StepFile))
    blocks.append(_section("route", "", recipe_file.RouteFile))
    blocks.append(_section("block", "In the place of a step.", recipe_file.BlockFile))
    blocks.append(_section("include", "", recipe_file.IncludeFile))
    blocks.append(_section("sub-recipe", "", recipe_file.SubrecipeFile))
    blocks.append(_section("parameter", "", recipe_file.ParameterFile))
    units = "Units: as in the [line file](line-file.md#units)."
    return page("The recipe file", doc(recipe_file), *blocks, units)


def _section(name: str, more: str, *models: type[BaseModel]) -> str:
    text = "\n\n".join(part for part in (doc(models[0]), more) if part)
    return f"## {name}\n\n{text}\n\n{settings(*models)}"


def _units() -> str:
    rows = (
        (dimension, ", ".join(f"`{unit.name}`" for unit in units), f"`{EXAMPLES[dimension]}`")
        for dimension, units in UNITS_OF.items()
    )
    return table(("dimension", "units", "example"), rows)


def diagnostics_page() -> str:
    rows = (
        (code, text["what"], text["why"], text["instead"])
        for code, text in sorted(all_codes().items())
        if text["kind"] == "finding"
    )
    intro = (
        "What `cellctl check` finds, by code; `cellctl explain CODE` prints the same. Codes of alarms stand in "
        "[alarms](alarms.md). Examples are parts of files, with `-` before what is wrong and `+` before what puts it "
        "right; a test checks every one."
    )
    examples = (
        f"### {code}\n\n```diff\n{as_shown(text)}```" for code, text in sorted(all_examples().items())
    )
    findings = table(("code", "what", "why it matters", "what to do"), rows)
    return page("Findings", intro, findings, "## Examples", *examples)


# --- what is kept -------------------------------------------------------------------------------------------------


def files_page() -> str:
    intro = (
        "What stands in a line's state directory. Nothing in it is written by people, and nothing is deleted while "
        "the line is up. A journal is `NAME.sqlite` with its `-wal` and `-shm`: one table `rows(number, row)`. A row "
        "is 8 bytes of sequence number, 16 bytes of digest (BLAKE2b over the digest before it and the record), and "
        "the record as a MessagePack map whose `type` is its name. `NAME.lock` names the process that has the journal "
        "open. Fields are only ever added, with defaults."
    )
    blocks = [
        _struct("deployment.json", deployment.Deployment),
        _struct("processes.json", process_table.ProcessTable),
        _struct("processes.json, each of `processes`", process_table.Running),
        "## runner.sqlite\n\n" + doc(flow_events),
        *(_struct(kind.__name__, kind, 3) for kind in typing.get_args(flow_events.FlowEvent)),
        "## PROCESS.sqlite\n\n" + doc(journal),
        *(_struct(kind.__name__, kind, 3) for kind in typing.get_args(journal.ModuleRecord)),
    ]
    return page("Files that are kept", intro, *blocks)


def _struct(title: str, kind: type[msgspec.Struct], level: int = 2) -> str:
    hints = ((f"`{name}`", f"`{_type(hint)}`") for name, hint in inspect.get_annotations(kind).items())
    parts = [f"{'#' * level} {title}", doc(kind)]
    return "\n\n".join([*(part for part in parts if part), table(("field", "type"), hints)])


PAGES: dict[str, Callable[[], str]] = {
    "messages.md": messages_page,
    "packml.md": packml_page,
    "alarms.md": alarms_page,
    "kinds.md": kinds_page,
    "drivers.md": drivers_page,
    "command-line.md": command_line_page,
    "line-file.md": line_file_page,
    "recipe-file.md": recipe_file_page,
    "diagnostics.md": diagnostics_page,
    "files.md": files_page,
    "robots.md": robots_page,
}


def main(folder: Path) -> None:
    """Write every page."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in PAGES.items():
        (folder / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    if any(argument.startswith("-") for argument in sys.argv[1:]):
        sys.exit("usage: python docs/generate.py [FOLDER]")
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "reference")
