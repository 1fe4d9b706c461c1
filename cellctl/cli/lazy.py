"""A click group whose commands are imported only when they run, and that no traceback ever leaves."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import click

from cellctl.errors import CellctlError, PlugInError, UnknownName

COMMANDS = "cellctl.commands"  # entry points: a command's name -> its click command
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Entry:
    """One command of the table: where it stands and what it does, known without importing it."""

    target: str  # "package.module:attribute"
    help: str
    section: str
    hidden: bool = False


class LazyGroup(click.Group):
    """Commands from a `table` (name -> entry) and from the entry points of `COMMANDS`."""

    def __init__(self, *args: Any, table: Mapping[str, Entry], **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.table, *sorted(set(_plugged_in()) - set(self.table))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self.table:
            return _imported(self.table[cmd_name].target)
        point = _plugged_in().get(cmd_name)
        return _loaded(point) if point else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        is_known = name in self.table or name.startswith("-") or name in self.list_commands(ctx)
        if not is_known:
            raise click.UsageError(str(UnknownName("command", name, self.list_commands(ctx))), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, entry in self.table.items():
            if not entry.hidden:
                sections.setdefault(entry.section, []).append((name, entry.help))
        for name, point in sorted(_plugged_in().items()):
            text = _help_of(point)
            if name not in self.table and text is not None:
                sections.setdefault("Simulation and plug-ins", []).append((name, text))
        for section, rows in sections.items():
            with formatter.section(section):
                formatter.write_dl(rows)

    def main(  # type: ignore[override]  # click tells modes apart that are one here
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> Any:
        """Run; always ends by SystemExit with 0, 1, 2 or 130."""
        extra["standalone_mode"] = False
        try:
            code = super().main(args, prog_name or "cellctl", **extra)
            sys.stdout.flush()
        except click.exceptions.Abort:
            code = INTERRUPTED
        except KeyboardInterrupt:
            code = INTERRUPTED
        except click.ClickException as error:
            error.show()
            code = error.exit_code
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains at its end
            code = 1
        except CellctlError as error:
            click.echo(f"cellctl: {error}", err=True)
            code = 1
        except OSError as error:
            _of_this_computer(error)
            code = 1
        except Exception as error:
            _unexpected(error)
            code = 1
        sys.exit(code if isinstance(code, int) else 0)


_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)


def _of_this_computer(error: OSError) -> None:
    """A file that cannot be used, or a full disk, is no defect of cellctl; any other such error is."""
    if error.filename is not None:
        click.echo(f"cellctl: cannot use {os.fsdecode(error.filename)}: {error.strerror}", err=True)
    elif error.errno in _OF_THE_DISK:
        click.echo(
            f"cellctl: the disk does not take what is to be written: {error.strerror}; see `cellctl doctor`",
            err=True,
        )
    else:
        _unexpected(error)


def _unexpected(error: Exception) -> None:
    errors = _cellctl_errors(error)
    if errors:
        for each in errors:
            click.echo(f"cellctl: {each}", err=True)
        return
    from cellctl.live.crash_file import write_crash

    path = write_crash(error, "cellctl")
    said = f"{type(error).__name__}: {error}".splitlines()[0]
    click.echo(
        f"cellctl: an unexpected error, which is a defect of cellctl: {said}\n"
        f"Its trace is in {path}; please report it.",
        err=True,
    )


def _cellctl_errors(error: BaseException) -> list[CellctlError]:
    """The errors of a group when all of them are ours; else nothing."""
    if isinstance(error, CellctlError):
        return [error]
    if not isinstance(error, BaseExceptionGroup):
        return []
    inner = [_cellctl_errors(each) for each in error.exceptions]
    return [each for found in inner for each in found] if all(inner) else []


def _plugged_in() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=COMMANDS)}


def _imported(target: str) -> click.Command:
    module, _, name = target.partition(":")
    command: click.Command = getattr(import_module(module), name)
    return command


def _loaded(point: EntryPoint) -> click.Command:
    owner = f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown distribution"
    try:
        command = point.load()
    except Exception as error:  # a plug-in may raise anything while it is imported
        said = f"{type(error).__name__}: {error}"
        raise PlugInError(f"the command {point.name!r} of {owner} cannot be loaded: {said}") from error
    if not isinstance(command, click.Command):
        raise PlugInError(f"the command {point.name!r} of {owner} ({point.value}) is no click command")
    return command


def _help_of(point: EntryPoint) -> str | None:
    try:
        command = _loaded(point)
    except PlugInError as error:
        return f"({error})"
    return None if command.hidden else command.get_short_help_str(80)
