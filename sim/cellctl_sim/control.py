"""The plant's control socket: JSON lines over TCP on loopback, for tests, demonstrations and operators' hands.

    {"do": "counters"}                       {"counters": {...}, "runs": {machine: {number: times}}}
    {"do": "items"}                          {"items": [...]}
    {"do": "incidents"}                      {"incidents": [[t, text], ...]}
    {"do": "clock"}                          {"now": 12.5}
    {"do": "belts"}                          {"now": 12.5, "travelled": {belt: metres}}
    {"do": "fault", "device": ..., "fault": ..., "for": "3 s", ...}     {"now": ...}
    {"do": "lay", "place": ..., "materials": [...]}                     {"now": ...}
    {"do": "remove", "place": ...}                                      {"removed": true}

What cannot be done is answered with {"error": "..."}.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from pydantic import ValidationError

from cellctl.errors import CellctlError, UnknownName
from cellctl_sim.plant.faults import Fault
from cellctl_sim.plant.plant import Plant

LONGEST = 65_536  # [bytes] of a request

Clock = Callable[[], float]


class Control:
    """Answers requests about one plant."""

    def __init__(self, plant: Plant, clock: Clock) -> None:
        self._plant, self._clock = plant, clock
        self._verbs: dict[str, Callable[[float, dict[str, Any]], dict[str, Any]]] = {
            "clock": lambda t, what: {"now": t},
            "belts": lambda t, what: {
                "now": t,
                "travelled": {name: belt.travel(t) for name, belt in plant.world.belts.items()},
            },
            "counters": lambda t, what: {"counters": plant.counters(), "runs": plant.runs()},
            "items": lambda t, what: {"items": plant.items()},
            "incidents": lambda t, what: {"incidents": plant.incidents()},
            "fault": self._fault,
            "lay": self._lay,
            "remove": lambda t, what: {"removed": plant.remove(t, str(what.get("place", "")))},
        }

    def answer(self, line: bytes) -> bytes:
        """The answer to one request, both one line."""
        t = self._clock()
        try:
            what = json.loads(line)
            if not isinstance(what, dict):
                raise ValueError('a request is a mapping, such as {"do": "counters"}')
            do = str(what.pop("do", ""))
            if do not in self._verbs:
                raise UnknownName("request", do, self._verbs)
            self._plant.advance(t)
            answer = self._verbs[do](t, what)
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            answer = {"error": f"cannot be read: {faults}"}
        except (CellctlError, ValueError, TypeError, RecursionError) as error:
            answer = {"error": str(error)}
        return json.dumps(answer).encode() + b"\n"

    def _fault(self, t: float, what: dict[str, Any]) -> dict[str, Any]:
        self._plant.fault(Fault.model_validate(what), t)
        return {"now": t}

    def _lay(self, t: float, what: dict[str, Any]) -> dict[str, Any]:
        materials = what.get("materials")
        if not isinstance(materials, list) or not materials:
            raise ValueError("lay needs `materials`, a list of at least one")
        self._plant.lay(t, str(what.get("place", "")), *map(str, materials))
        return {"now": t}

    async def attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, until it leaves or sends something that is no line."""
        try:
            while line := await reader.readline():
                writer.write(self.answer(line))
                await writer.drain()
        except (ValueError, ConnectionError):  # a line beyond the limit, a client that is gone
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def open_control(plant: Plant, clock: Clock, port: int = 0) -> tuple[asyncio.Server, str]:
    """Listen on loopback; the server and its address."""
    control = Control(plant, clock)
    server = await asyncio.start_server(control.attend, "127.0.0.1", port, limit=LONGEST)
    return server, f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
