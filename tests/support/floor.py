"""A line in virtual time, its plant, and a person who does what a script says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from cellctl.flow.events import FlowEvent
from cellctl.line.model import Line
from cellctl.runtime import Peer
from cellctl_sim.plant.faults import Fault
from cellctl_sim.plant.plant import Plant
from cellctl_sim.runtime import SimRuntime
from cellctl_sim.simulation import Order, ask, journal_of, start_line
from cellctl_sim.universe import Universe

PUCK = Path(__file__).parents[2] / "recipes/products/sensor-puck.yaml"
LONGEST = 600.0  # [s] that a script may take
LOOK = 0.1  # [s] between two looks at the line

Script = Callable[["Floor"], Awaitable[None]]


class Status(dict[str, Any]):
    """What the runner shows of the line."""

    @property
    def states(self) -> dict[str, str]:
        """Module -> its state."""
        return {module["module"]: module["state"] for module in self["modules"]}

    @property
    def alarms(self) -> dict[tuple[str, str], str]:
        """(code, source) -> what it says."""
        return {(alarm["code"], alarm["source"]): alarm["text"] for alarm in self["alarms"]}

    @property
    def codes(self) -> set[str]:
        """Those of the alarms."""
        return {code for code, _ in self.alarms}

    @property
    def is_complete(self) -> bool:
        """Every order is."""
        return all(order["complete"] for order in self["orders"])

    def module(self, name: str) -> dict[str, Any]:
        """What is shown of one module."""
        return next(module for module in self["modules"] if module["module"] == name)


class Floor:
    """A line that has just come up, with an order of some pucks; without any, the person orders and starts it."""

    runtime: SimRuntime  # the person's, and
    runner: Peer  # the runner as the person sees it, while the script is played

    def __init__(self, line: Line, faults: Sequence[Fault] = (), pucks: int = 3) -> None:
        self.line, self._pucks = line, pucks
        self.universe = Universe(1)
        self.plant = Plant(line, self.universe.random, list(faults))
        self._ended: list[BaseException | None] = []

    def play(self, script: Script) -> Floor:
        """Let a person do what the script says. What it raises is raised."""
        with self.universe as universe:
            universe.install(self.plant)
            start_line(universe, self.line)
            universe.start("person", lambda runtime: self._act(runtime, script))
            universe.run(LONGEST)
        assert self._ended, f"the script did not come to its end in {LONGEST:g} s"
        if self._ended[0] is not None:
            raise self._ended[0]
        return self

    async def _act(self, runtime: SimRuntime, script: Script) -> None:
        self.runtime = runtime
        async with runtime.connect("runner") as self.runner:
            try:
                if self._pucks:
                    await self.order(self._pucks)
                    await self.say("start")
                await script(self)
                self._ended.append(None)
            except (Exception, pytest.fail.Exception) as error:
                self._ended.append(error)
            self.universe.stop()

    # --- what the person does ---------------------------------------------------------------------------------------

    async def say(self, verb: str, **body: Any) -> dict[str, Any]:
        """The body of the runner's reply. Raises Refused."""
        return await ask(self.runtime, self.runner, verb, body)

    async def order(
        self, quantity: int, name: str = "1", recipe: Path = PUCK, variant: str = "indoor"
    ) -> None:
        await self.say("order", **Order(name, recipe.read_text(), recipe.name, variant, quantity).body)

    async def status(self) -> Status:
        return Status(await self.say("status"))

    async def until(
        self, holds: Callable[[Status], object], within: float = 120.0, every: float = LOOK
    ) -> Status:
        """The first status that is so. Fails when none is within so many seconds."""
        ends = self.now() + within
        while not holds(status := await self.status()):
            assert self.now() < ends, status
            await self.sleep(every)
        return status

    async def bring(self, module: str, command: str, state: str) -> None:
        """Command a module, and wait for the state that this leads to."""
        await self.say("command", module=module, command=command)
        await self.until(lambda status: status.states[module] == state)

    async def sleep(self, seconds: float) -> None:
        await self.runtime.sleep(seconds)

    def now(self) -> float:
        """The time since the line came up [s]."""
        return self.runtime.now()

    # --- what plant, log and journal say ----------------------------------------------------------------------------

    def count(self, counter: str) -> int:
        """How often an actuation took place."""
        self.plant.advance(self.universe.now)
        return self.plant.counters().get(counter, 0)

    @property
    def raised(self) -> list[str]:
        """The codes of all alarms so far, in order."""
        return [str(record.fields["code"]) for record in self.universe.records if record.event == "alarm"]

    @property
    def events(self) -> list[FlowEvent]:
        """The runner's journal."""
        return journal_of(self.universe)
