"""What a person sees of the demo while it runs: a live page on a terminal, a line for each change elsewhere."""

from __future__ import annotations

import sys
from typing import Any, Protocol

from cellctl.cli.output import say, uses_colour

Status = dict[str, Any]


class View(Protocol):
    """Shows the line while it runs."""

    def show(self, status: Status) -> None:
        """The runner's status, four times a second."""

    def note(self, text: str) -> None:
        """Something that happened."""

    def close(self) -> None:
        """The line has ended."""


def make_view() -> View:
    """The view that fits stderr."""
    return LivePage() if sys.stderr.isatty() else Lines()


class Lines:
    """One line on stderr for each part that ends, and for each alarm."""

    def __init__(self) -> None:
        self._ended: dict[str, int] = {}
        self._alarms: set[str] = set()

    def show(self, status: Status) -> None:
        for order in status["orders"]:
            ended = order["good"] + order["scrapped"] + order["removed"]
            if ended != self._ended.get(order["order"], 0):
                self._ended[order["order"]] = ended
                scrap = f", {order['scrapped']} scrapped" if order["scrapped"] else ""
                say(f"{order['variant']}: {order['good']} of {order['quantity']} good{scrap}")
        for alarm in status["alarms"]:
            text = f"alarm {alarm['code']} {alarm['text']}"
            if text not in self._alarms:
                self._alarms.add(text)
                say(text)

    def note(self, text: str) -> None:
        say(text)

    def close(self) -> None:
        """Nothing to do."""


class LivePage:
    """The page of `cellctl status --watch` on stderr, with what happened below it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        console = Console(stderr=True, no_color=not uses_colour(sys.stderr), highlight=False)
        self._live = Live(console=console, auto_refresh=False, transient=True, vertical_overflow="crop")
        self._live.start()
        self._before: Status = {}

    def show(self, status: Status) -> None:
        from cellctl.cli.display import page
        from cellctl.cli.status import without_clock

        if without_clock(status) == self._before:
            return
        self._before = without_clock(status)
        self._live.update(page(status, simulated=True), refresh=True)

    def note(self, text: str) -> None:
        self._live.console.print(text)

    def close(self) -> None:
        self._live.stop()
