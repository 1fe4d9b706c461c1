"""The puck line, and small worlds, served on loopback for independent clients."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from cellctl.findings import Report
from cellctl.line.load import load_line
from cellctl.line.model import Line
from cellctl.plugins import load_drivers, load_kinds
from cellctl_sim.devices.protocols import ModbusDevice, TextDevice
from cellctl_sim.servers.modbus import modbus_server
from cellctl_sim.servers.text import TextServer

Serve = Callable[..., AbstractAsyncContextManager[int]]

PUCK = Path(__file__).parents[3] / "recipes" / "lines" / "puck.yaml"


@pytest.fixture(scope="session")
def plant_line() -> Line:
    """The shipped puck line."""
    line = load_line(PUCK, Report(), load_kinds(), load_drivers())
    assert line is not None
    return line


@pytest.fixture
def serve_device() -> Serve:
    """Serve one device on a free port for as long as the block lasts; the plant's time begins at 0."""

    @asynccontextmanager
    async def serve(device: ModbusDevice | TextDevice, scheme: str = "modbus-tcp") -> AsyncIterator[int]:
        start = time.monotonic()

        def clock() -> float:
            return time.monotonic() - start

        if isinstance(device, ModbusDevice):
            server: TextServer | object = modbus_server(device, clock, scheme)
        else:
            server = TextServer(device, clock)
        try:
            yield await server.open()  # type: ignore[union-attr]
        finally:
            await server.close()  # type: ignore[union-attr]

    return serve
