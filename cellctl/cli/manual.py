"""Manual mode: a module's mode, and moving its devices by hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cellctl.cli.lazy import INTERRUPTED
from cellctl.cli.operate import ask
from cellctl.cli.output import say
from cellctl.cli.state import state_of_a_line, state_option

if TYPE_CHECKING:
    from cellctl.live.deployment import Deployment

MODES = ("production", "maintenance", "manual")
TURNS = ("alpha", "beta", "gamma", *(f"j{number}" for number in range(1, 7)))
MOVES = "+50mm/s, z +5mm, j3 -10deg, open, on"


@dataclass(frozen=True, slots=True)
class Asked:
    """A motion as it was asked for, SI. `distance` 0: until it is let go; `speed` 0: the usual one."""

    motion: str
    speed: float = 0.0
    distance: float = 0.0


@click.command()
@click.argument("module")
@click.argument("mode", type=click.Choice(MODES))
@state_option
def mode(module: str, mode: str, state: Path | None) -> None:
    """Another mode for MODULE: production, maintenance or manual. It must be stopped, idle or aborted.

    In manual mode the runner gives the module up, nothing new is begun at its stations, and `cellctl jog` moves its
    devices. Back in production its sensors are held against the part map: `cellctl recover` shows what was moved.
    """
    found = ask(state, "mode", {"module": module, "mode": mode})
    say(f"{module} is in {found['mode']} mode, {found['state']}")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("module")
@click.argument("device")
@click.argument("motion", nargs=-1, required=True)
@click.option(
    "--for", "seconds", metavar="TIME", help="Let go after this time, such as 2s; else with Ctrl-C."
)
@click.option("--speed", metavar="SPEED", help="Of a step, such as 20mm/s or 5deg/s.")
@click.option("--key", default="operator", help="Key that this panel uses where the bus has keys.")
@state_option
@click.pass_context
def jog(
    context: click.Context,
    module: str,
    device: str,
    motion: tuple[str, ...],
    seconds: str | None,
    speed: str | None,
    key: str,
    state: Path | None,
) -> None:
    """Move a DEVICE of a MODULE in manual mode by hand, slowly, while this command runs.

    \b
    cellctl jog belt drive +50mm/s --for 2s      a belt, until it is let go
    cellctl jog arm controller z +5mm            an arm: x y z, alpha beta gamma of the line, j1 to j6
    cellctl jog arm gripper open                 a gripper: open, close
    cellctl jog belt io1.do0 on --for 1s         a stopper's output
    cellctl jog housings bowl present            a feeder: one component

    It stops at Ctrl-C, at the end of its time, and within 200 ms when this command dies. `cellctl abort` stops it, too.
    """
    import asyncio

    from cellctl.live.deployment import load

    lasts = _quantity(seconds, "duration", "--for") if seconds else None
    asked = read_motion(motion, speed, lasts)
    deployment = load(state_of_a_line(state))
    context.exit(asyncio.run(_jog(deployment, module, device, asked, lasts, key)))


async def _jog(
    deployment: Deployment, module: str, device: str, asked: Asked, lasts: float | None, key: str
) -> int:
    from cellctl.live.interrupts import Interrupts
    from cellctl.live.panel import NO_END, open_panel
    from cellctl.messages import Jog

    interrupts = Interrupts()
    async with open_panel(deployment, module, key=key) as panel:
        press = Jog(module, panel.who, device, asked.motion, asked.speed, asked.distance)
        until = NO_END if lasts is None or asked.distance else lasts
        if until == NO_END:
            say(f"{device} of {module} is asked to move; Ctrl-C stops it")
        pressed = await panel.press(press, until, interrupts.stop)
    if pressed.why:
        say(f"{device} of {module} has stopped: {pressed.why}")
        return 1
    say(f"{device} of {module} {'is there' if pressed.is_done else 'has stopped'}")
    return INTERRUPTED if interrupts.received else 0


def read_motion(words: tuple[str, ...], speed: str | None, lasts: float | None) -> Asked:
    """Read `+50mm/s`, `z +5mm`, `j3 -10deg`, `z +20mm/s` with a time, `open`. Raises click.UsageError."""
    *names, last = words
    if len(names) > 1:
        raise click.UsageError(f"{' '.join(words)!r} is no motion; write one such as {MOVES}")
    if last[:1] not in "+-.0123456789":
        if names:
            raise click.UsageError(f"{last!r} is no quantity; write one such as +5mm or +50mm/s")
        return Asked(last)
    name = names[0] if names else "run"
    turns = name in TURNS
    rates, ways = ("angular rate", "angle") if turns else ("speed", "length")
    at = _quantity(speed, rates, "--speed") if speed else 0.0
    if not last.endswith("/s") and not last.endswith("rpm"):
        return Asked(name, at, _quantity(last, ways, name))
    rate = _quantity(last, rates, name)
    if name == "run":
        return Asked(name, rate)
    if lasts is None:
        raise click.UsageError(f"{name} {last}: say for how long with --for, or how far (`{name} +5mm`)")
    return Asked(name, rate, rate * lasts)


def _quantity(text: str, dimension: str, what: str) -> float:
    from cellctl.errors import UnitError
    from cellctl.units import Dimension, parse_quantity

    try:
        return parse_quantity(text, Dimension(dimension)).value
    except UnitError as error:
        raise click.UsageError(f"{what}: {error}") from None
