"""The devices of one process and the links they share. One that fails, or does not answer, does not stop the others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar, cast, get_args

from pydantic import BaseModel

from cellctl.device import Driver, Point, Reference
from cellctl.errors import CellctlError, DeviceError, DeviceSilent, PlugInError, UnknownName
from cellctl.line.model import Line, Module
from cellctl.modules.alarms import Alarms
from cellctl.modules.turn import Turn
from cellctl.plugins import load_code
from cellctl.runtime import Channel, Event, Link, Runtime, Task, TaskGroup

L = TypeVar("L", bound=Link)

FIRST_RETRY, LONGEST_RETRY = 0.5, 5.0  # [s] between attempts to open a device
CLOSING = 1.0  # [s] that a driver may take to let go


class Rack:
    """Makes the drivers, opens them in the line file's order, and keeps what they run in the background."""

    def __init__(
        self, runtime: Runtime, line: Line, names: Iterable[str], group: TaskGroup, alarms: Alarms
    ) -> None:
        self.runtime = runtime
        self._line, self._group, self._alarms = line, group, alarms
        self._links: dict[str, _OpenLink] = {}
        self._tasks: list[Task] = []
        self._open: set[str] = set()
        self._silent: set[str] = set()
        self._opening = Turn(runtime)
        self.tried: Event = runtime.event()  # every device once
        self._drivers: dict[str, Driver] = {name: self._make(name) for name in names}

    def _make(self, name: str) -> Driver:
        device = self._line.devices[name]
        code = load_code(device.declaration.code)
        try:
            return cast(Driver, code(name, device.options, self))
        except CellctlError:
            raise
        except Exception as error:  # of a driver
            raise PlugInError(f"{name}: its driver cannot be made: {error!r}") from error

    # --- what drivers ask for -------------------------------------------------------------------------------------

    async def link(self, address: str, kind: type[L]) -> L:
        """The link to an address, shared by all who name it. Raises UnknownName, PlugInError, DeviceError."""
        held = self._links.get(address)
        if held is None:
            held = self._links[address] = _OpenLink(self.runtime, address)
            self._start(held.hold(kind), f"link to {address}")
        await held.is_ready.wait()
        if held.error is not None:
            self._links.pop(address, None)
            raise held.error
        if not isinstance(held.link, kind):
            raise PlugInError(f"the link to {address} is no {kind.__name__}, which another driver needs")
        return held.link

    def device(self, name: str) -> Driver:
        """A device of this process. Raises UnknownName."""
        if name not in self._drivers:
            raise UnknownName("device of this process", name, self._drivers)
        return self._drivers[name]

    def background(self, work: Callable[[], Coroutine[Any, Any, None]], name: str = "") -> Task:
        """Run a driver's `work()` until it ends. An error that leaves it raises an alarm and ends only this work."""
        return self._start(self._guarded(work, name), name)

    async def _guarded(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        try:
            await work()
        except DeviceError as error:
            self._alarms.raise_error(error)
        except Exception as error:  # a driver's mistake must not stop the other devices
            self.runtime.log.error("background work failed", work=name, error=repr(error))
            self._alarms.raise_alarm("M003", name, repr(error))

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> Task:
        task = self._group.start(work, name)
        self._tasks = [*(t for t in self._tasks if not t.done()), task]
        return task

    # --- opening and closing --------------------------------------------------------------------------------------

    async def open_all(self) -> None:
        """Open every device, in order; those that fail are tried again in the background."""
        for name in self._drivers:
            try:
                await self.ensure_open(name)
            except CellctlError:
                self._start(self._retry(name), f"retry {name}")
        self.tried.set()

    async def ensure_open(self, name: str) -> None:
        """Open a device unless it is open; a failure raises its alarm too. Raises UnknownName, DeviceError,
        PlugInError for what else its driver raised."""
        driver = self.device(name)
        async with self._opening:
            if name in self._open:
                return
            try:
                await self._opened(name, driver)
            except DeviceError as error:
                self._fail(name, error)
                self._alarms.raise_error(error)
                raise
            except CellctlError as error:
                self._fail(name, error)
                self._alarms.raise_alarm("M003", name, str(error))
                raise
            self._open.add(name)
            self._silent.discard(name)
            for code in ("M001", "M002", "M003"):
                self._alarms.clear(code, name)

    async def _opened(self, name: str, driver: Driver) -> None:
        try:
            await driver.open()
        except CellctlError:
            raise
        except Exception as error:  # of a driver: it must not take the other devices with it
            self.runtime.log.error("open failed", device=name, error=repr(error))
            raise PlugInError(f"its driver failed while it opened {name}: {error!r}") from error

    def _fail(self, name: str, error: CellctlError) -> None:
        (self._silent.add if isinstance(error, DeviceSilent) else self._silent.discard)(name)

    async def _retry(self, name: str) -> None:
        pause = FIRST_RETRY
        while name not in self._open:
            await self.runtime.sleep(pause)
            pause = min(2 * pause, LONGEST_RETRY)
            with suppress(CellctlError):
                await self.ensure_open(name)

    def not_open(self, names: Iterable[str]) -> tuple[str, ...]:
        """Which of these devices are not open yet."""
        return tuple(name for name in names if name not in self._open)

    def silent(self, names: Iterable[str]) -> tuple[str, ...]:
        """Which of these devices did not answer when they were to be opened."""
        return tuple(name for name in names if name in self._silent)

    async def close(self) -> None:
        """Let go of every device, in reverse order, then of the links."""
        for name, driver in reversed(self._drivers.items()):
            try:
                async with self.runtime.deadline(CLOSING):
                    await driver.close()
            except Exception as error:  # whatever a driver raises: the others are closed all the same
                self.runtime.log.warning("device not closed", device=name, why=str(error) or repr(error))
        for task in self._tasks:
            task.cancel()


class _OpenLink:
    """One link, held open by a task of its own for as long as the rack lasts."""

    def __init__(self, runtime: Runtime, address: str) -> None:
        self._runtime, self._address = runtime, address
        self.is_ready: Event = runtime.event()
        self.link: Link | None = None
        self.error: Exception | None = None

    async def hold(self, kind: type[Link]) -> None:
        try:
            async with self._runtime.open_link(self._address, kind) as link:
                self.link = link
                self.is_ready.set()
                forever: Channel[None] = self._runtime.channel()
                await forever.receive()
        except Exception as error:  # of a link: whoever uses it hears that it is silent
            self._runtime.log.error("link failed", address=self._address, error=repr(error))
            self.error = error
            self.is_ready.set()


@asynccontextmanager
async def open_rack(
    runtime: Runtime, line: Line, names: Iterable[str], alarms: Alarms
) -> AsyncIterator[Rack]:
    """The rack with these devices, none of them opened yet. Leaving the block closes them."""
    async with runtime.tasks() as group:
        rack = Rack(runtime, line, names, group, alarms)
        try:
            yield rack
        finally:
            await rack.close()


# --- which devices -----------------------------------------------------------------------------------------------


def used_devices(line: Line, modules: Iterable[Module]) -> tuple[str, ...]:
    """Every device that these modules need, those behind others included; in the line file's order, but what a
    device stands on comes before it."""
    wanted: dict[str, None] = {}
    for module in modules:
        for name in _named_by(module):
            _add(line, name, wanted)
    order = {name: place for place, name in enumerate(line.devices)}
    found: dict[str, None] = {}
    for name in sorted(wanted, key=order.__getitem__):
        _add(line, name, found)
    return tuple(found)


def _add(line: Line, name: str, found: dict[str, None]) -> None:
    if name in found or name not in line.devices:
        return
    for below in references(line.devices[name].options):
        if below != name:
            _add(line, below, found)
    found[name] = None


def _named_by(module: Module) -> list[str]:
    names = [*module.devices.values(), *(tool.device for tool in module.tools)]
    for station in module.stations:
        names += [Point.parse(point).device for point in (station.eye, station.stopper) if point]
        names += [station.device] if station.device else []
        names += references(station.options) if station.options is not None else []
    return names + references(module.options)


def references(options: BaseModel) -> list[str]:
    """The devices that options name, directly or by one of their points."""
    found = []
    for name, field in type(options).model_fields.items():
        kinds = {
            m.kind for m in (*field.metadata, *_inner_metadata(field.annotation)) if isinstance(m, Reference)
        }
        texts = _texts(getattr(options, name)) if kinds else []
        found += texts if "device" in kinds else [text.rpartition(".")[0] for text in texts]
    return [name for name in found if name]


def _inner_metadata(annotation: Any) -> list[Any]:
    inner = list(getattr(annotation, "__metadata__", ()))
    for argument in get_args(annotation):
        inner += _inner_metadata(argument)
    return inner


def _texts(value: object) -> list[str]:
    match value:
        case str():
            return [value]
        case list() | tuple():
            return [text for item in value for text in _texts(item)]
        case Mapping():
            return [text for item in value.values() for text in _texts(item)]
        case _:
            return []
