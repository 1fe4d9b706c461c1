"""The module process: locks its journal, replays it, serves the bus, opens its devices, and hosts its modules."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import cast

from cellctl.device import DigitalIO, Point, Reaction
from cellctl.errors import CellctlError, PlugInError, UnknownName
from cellctl.journal import ActionBegan, module_journal
from cellctl.line.model import Line, Module, Process, SafetyInput
from cellctl.messages import Alarm, Event, Head, Message, Move, Refusal, View
from cellctl.modules.alarms import Alarms
from cellctl.modules.context import Context
from cellctl.modules.equipment import Input
from cellctl.modules.host import Host
from cellctl.modules.kind import Announcing, Kind
from cellctl.modules.ledger import Book
from cellctl.modules.rack import Rack, open_rack, used_devices
from cellctl.modules.recorder import LONGEST, Recorder, replayed
from cellctl.modules.safety import Safety
from cellctl.modules.states import SAFETY
from cellctl.plugins import load_code
from cellctl.runtime import Incoming, Runtime, Server, TaskGroup

LAST_HALT = 1.0  # [s] for stopping the devices before the process ends


async def run_process(
    runtime: Runtime, line: Line, process_name: str, *, longest_journal: int = LONGEST
) -> None:
    """Run one module process for ever. After `longest_journal` records its journal begins again.

    Raises UnknownName for a process that the line does not have, StoreError when its journal is locked, broken or
    cannot be written any more (the devices are halted then), PlugInError when a driver or kind cannot be loaded.
    """
    if process_name not in line.processes:
        raise UnknownName("process", process_name, line.processes)
    process = line.processes[process_name]
    async with runtime.open_store(process.name) as store:
        journal = module_journal(store, process.name)
        book = replayed(journal, Book(process.modules))
        if not journal.length:
            book.apply(first := afresh(runtime, book))
            await journal.append(first)
        async with runtime.serve(process.name) as server:
            publisher = Publisher(server)
            recorder = Recorder(runtime, journal, book, publisher.tell_move, longest_journal)
            alarms = Alarms(runtime, _concerned(line, process), publisher.tell_alarm)
            names = _devices_of(line, process)
            async with open_rack(runtime, line, names, alarms) as rack:
                await ProcessShell(
                    runtime, line, process, server, publisher, book, recorder, alarms, rack
                ).run()


class Publisher:
    """Numbers what a process publishes, without a gap."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.last = 0

    def tell_move(self, module: str, command: int, index: int, move: Move, head: Head) -> None:
        self.last += 1
        self._server.publish(Event(self.last, module, move=move, command=command, index=index, head=head))

    def tell_view(self, view: View) -> None:
        self.last += 1
        self._server.publish(Event(self.last, view.module, view=view))

    def tell_alarm(self, module: str, raised: Alarm | None, cleared: str) -> None:
        self.last += 1
        self._server.publish(Event(self.last, module, alarm=raised, cleared=cleared))


class ProcessShell:
    """The hosts of one process, and what brings them their messages."""

    def __init__(
        self,
        runtime: Runtime,
        line: Line,
        process: Process,
        server: Server,
        publisher: Publisher,
        book: Book,
        recorder: Recorder,
        alarms: Alarms,
        rack: Rack,
    ) -> None:
        self._runtime, self._line, self._process, self._server = runtime, line, process, server
        self._publisher, self._book, self._recorder = publisher, book, recorder
        self._alarms, self._rack = alarms, rack
        self._inputs = _safety_here(line, process)
        self._safety = Safety(runtime, alarms, self._inputs)
        self._kinds = {name: make_kind(line.module(name), line, rack) for name in process.modules}

    async def run(self) -> None:
        """Host until cancelled. However that ends, the devices are halted before it is over. Raises StoreError."""
        try:
            async with self._runtime.tasks() as group:
                group.start(self._recorder.work(), "journal")
                hosts = {name: self._host(name, group) for name in self._kinds}
                group.start(self._rack.open_all(), "open devices")
                for name, host in hosts.items():
                    group.start(host.serve(), f"{name} serves")
                    group.start(host.watch(), f"{name} watches")
                    if self._inputs:
                        group.start(host.show_when_guards_are_read(), f"{name} sees its guards")
                    if self._line.module(name).kind.announces:
                        group.start(host.states.announcements.work(), f"{name} announces")
                self._watch_safety(hosts, group)
                await self._dispatch(hosts)
        except Exception as error:
            self._runtime.log.error(
                "halts and ends", process=self._process.name, why=str(error) or repr(error)
            )
            await self._halt(self._kinds)
            raise
        except BaseException:  # told to end
            await self._halt([name for name in self._kinds if not self._finishes(name)])
            raise

    def _host(self, name: str, group: TaskGroup) -> Host:
        module = self._line.module(name)
        needed = used_devices(self._line, (module,))
        context = Context(
            self._runtime,
            module,
            self._book.ledgers[name],
            self._kinds[name],
            self._alarms,
            group,
            self._recorder,
            self._book.next_action,
            lambda: afresh(self._runtime, self._book),
            self._server.reply,
            lambda: self._rack.not_open(needed),
            lambda: self._rack.silent(needed),
            self._rack.tried,
            self._safety,
        )
        return Host(context, self._publisher.tell_view)

    async def _dispatch(self, hosts: dict[str, Host]) -> None:
        """Bring every message to its module, and news of peers to all."""
        while True:
            incoming: Incoming = await self._server.requests.receive()
            if incoming.message is None:
                for host in hosts.values():
                    host.take(incoming)
                continue
            name = _module_named(incoming.message)
            if name in hosts:
                hosts[name].take(incoming)
            else:
                why = f"the process {self._process.name} hosts {', '.join(hosts)}"
                self._server.reply(incoming.peer, Refusal(name, 0, why))

    def _watch_safety(self, hosts: dict[str, Host], group: TaskGroup) -> None:
        aborts: dict[str, Callable[[], None]] = {name: _aborter(host) for name, host in hosts.items()}
        for safety in self._inputs:
            point = Point.parse(safety.point)
            watched = Input(point.device, cast(DigitalIO, self._rack.device(point.device)), point.number)
            work = self._safety.watch(safety, watched, self._rack.tried, aborts)
            group.start(work, f"safety input {safety.name}")

    def _finishes(self, name: str) -> bool:
        """Whether a module ends by itself what it is doing, and no more, when nobody commands it: a print of hours."""
        module = self._line.module(name)
        own = (self._line.devices[device] for device in module.devices.values())
        reactions = {device.declaration.silence.reaction for device in own}
        return reactions == {Reaction.FINISHES}

    async def _halt(self, names: Iterable[str]) -> None:
        """Stop these modules, all at the same time; none of them keeps another from it."""
        async with self._runtime.tasks() as group:
            for name in names:
                group.start(self._halt_one(name), f"halt {name}")

    async def _halt_one(self, name: str) -> None:
        try:
            async with self._runtime.deadline(LAST_HALT):
                await self._kinds[name].halt()
        except Exception as error:  # whatever a kind or driver raises
            self._runtime.log.error("not halted", module=name, why=str(error) or repr(error))


def make_kind(module: Module, line: Line, rack: Rack) -> Kind:
    """The module's kind at work. Raises PlugInError."""
    try:
        kind = load_code(module.kind.code)(module, line, rack)
    except CellctlError:
        raise
    except Exception as error:
        raise PlugInError(f"{module.name}: the kind {module.kind.name} cannot be made: {error!r}") from error
    if module.kind.announces and not isinstance(kind, Announcing):
        raise PlugInError(
            f"{module.name}: the kind {module.kind.name} declares that it announces parts, but {module.kind.code} "
            "has no `watch`; give it one (cellctl/modules/kind.py), or declare announces=False"
        )
    return cast(Kind, kind)


def afresh(runtime: Runtime, book: Book) -> ActionBegan:
    """The record after which action numbers go on where no device is likely to know one."""
    return book.number_afresh(runtime.random(f"action numbers from {runtime.utc()}").randrange)


def _aborter(host: Host) -> Callable[[], None]:
    return lambda: host.states.abort(SAFETY)


def _module_named(message: Message) -> str:
    return str(getattr(message, "module", ""))


def _devices_of(line: Line, process: Process) -> tuple[str, ...]:
    return used_devices(line, (line.module(name) for name in process.modules))


def _safety_here(line: Line, process: Process) -> list[SafetyInput]:
    devices = _devices_of(line, process)
    return [safety for safety in line.safety if Point.parse(safety.point).device in devices]


def _concerned(line: Line, process: Process) -> Callable[[str], tuple[str, ...]]:
    """Which modules of a process an alarm's source concerns: itself, those that use the device, a guard's members."""
    users = {name: {name, *used_devices(line, (line.module(name),))} for name in process.modules}
    members = {safety.name: safety.modules for safety in line.safety}

    def concerned(source: str) -> tuple[str, ...]:
        named = members.get(source, ())
        return tuple(m for m, sources in users.items() if source in sources or m in named) or process.modules

    return concerned
