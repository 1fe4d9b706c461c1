"""The test bench: small lines of fake devices, a client that commands a module through thick and thin, and kills."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

import modules_fakes as fakes
import msgspec

from cellctl import kinds
from cellctl.device import DriverDeclaration, Pose
from cellctl.errors import DeadlineExceeded
from cellctl.journal import Entered, ModuleRecord, module_journal
from cellctl.kinds import ArmOptions, ConveyorOptions, FeederOptions, InspectionOptions, MachineOptions
from cellctl.line.model import Device, Line, Module, Process, SafetyInput, Station, Tool
from cellctl.messages import (
    Accepted,
    Alarm,
    Answer,
    Cancel,
    Command,
    Event,
    Inquire,
    Instruct,
    Item,
    LeaseDenied,
    LeaseGranted,
    LeaseRequest,
    Limits,
    Message,
    Question,
    Refusal,
    Settle,
    TooLate,
    View,
)
from cellctl.modules.shell import run_process
from cellctl.packml import Mode, State, StateCommand
from cellctl.runtime import Incoming, Peer
from cellctl.skill import KindDeclaration
from cellctl_sim.runtime import SimRuntime
from cellctl_sim.universe import Universe

_worlds = count(1)

UP = 0.05


@dataclass
class Bench:
    """A line with one world."""

    line: Line
    world: fakes.World


def make_world() -> tuple[str, fakes.World]:
    name = f"world {next(_worlds)}"
    fakes.WORLDS[name] = fakes.World()
    return name, fakes.WORLDS[name]


def build(*modules: tuple[Module, dict[str, DriverDeclaration]], safety: Sequence[SafetyInput] = ()) -> Bench:
    """A line of these modules, all in the process "cell"; each with its devices by full name."""
    name, world = make_world()
    devices = {
        full: Device(full, driver, driver.options(world=name), "fake:1")
        for _, named in modules
        for full, driver in named.items()
    }
    process = Process("cell", tuple(module.name for module, _ in modules), "", "")
    runner = Process("runner", (), "", "")
    line = Line(
        "bench",
        "digest",
        {module.name: module for module, _ in modules},
        devices,
        {"cell": process},
        runner,
        safety=tuple(safety),
    )
    return Bench(line, world)


def module(
    name: str, kind: KindDeclaration, options: object, devices: dict[str, str], **more: object
) -> Module:
    return Module(name, kind, options, "cell", devices, **more)  # type: ignore[arg-type]


# --- one line of each kind ----------------------------------------------------------------------------------------


def a_belt() -> Bench:
    stops = (
        Station("belt.load", "belt", at=0.1, eye="io1.di0", stopper="io1.do0"),
        Station("belt.press", "belt", at=0.4, eye="io1.di1", stopper="io1.do1"),
        Station("belt.gauge", "belt", at=0.7, eye="io1.di2", stopper="io1.do2"),
        Station("belt.exit", "belt", at=1.0, eye="io1.di9", sink=True),
    )
    belt = module(
        "belt", kinds.CONVEYOR, ConveyorOptions(speed="150 mm/s"), {"drive": "belt.drive"}, stations=stops
    )
    bench = build((belt, {"io1": fakes.IO, "belt.drive": fakes.DRIVE}))
    bench.world.stops = {0: 0.1, 1: 0.4, 2: 0.7}
    bench.world.riders = {"p1": 0.1}
    return bench


def an_arm() -> Bench:
    stations = (
        Station("arm.a", "arm", poses={"": Pose(0.1, 0.0, 0.0)}, approach=UP),
        Station("arm.b", "arm", poses={"": Pose(0.2, 0.0, 0.0)}, approach=UP),
    )
    arm = module(
        "arm",
        kinds.ARM,
        ArmOptions(robot="meca500"),
        {"controller": "arm.controller"},
        stations=stations,
        tools=(Tool("arm.gripper", "arm.gripper"),),
    )
    bench = build((arm, {"arm.controller": fakes.ARM, "arm.gripper": fakes.GRIPPER}))
    bench.world.lying = {"c1": (0.1, 0.0, 0.0)}
    return bench


def a_feeder() -> Bench:
    station = Station("bowls.pick", "bowls", source="lid")
    bowls = module("bowls", kinds.FEEDER, FeederOptions(), {"bowl": "bowls.bowl"}, stations=(station,))
    return build((bowls, {"bowls.bowl": fakes.FEEDER}))


def a_gauge() -> Bench:
    gauge = module("gauge", kinds.INSPECTION, InspectionOptions(features=["height"]), {"head": "gauge.head"})
    return build((gauge, {"gauge.head": fakes.GAUGE}))


def a_press(driver: DriverDeclaration = fakes.PLC) -> Bench:
    programs = {
        "close": {
            "number": 1,
            "takes": {"force": {"min": "20 N", "max": "60 N"}},
            "gives": ["peak"],
            "time": "2 s",
        }
    }
    press = module("press", kinds.MACHINE, MachineOptions(programs=programs), {"plc": "press.plc"})
    return build((press, {"press.plc": driver}))


ADVANCE = Command(1, "belt", 0, 1, "advance", (Item("p1", "belt.load", "belt.press"),))
LEAVE = Command(1, "belt", 0, 1, "advance", (Item("p1", "belt.load", "belt.exit"),))
TRANSFER = Command(1, "arm", 0, 1, "transfer", (Item("c1", "arm.a", "arm.b"),))
FEED = Command(1, "bowls", 0, 1, "feed", (Item("c1", "", "bowls.pick", "lid"),))
MEASURE = Command(
    1, "gauge", 0, 1, "measure", (Item("p1"),), parameters={"expect.height": Limits(0.0182, 0.018, 0.0184)}
)
PRESS = Command(1, "press", 0, 1, "run", (Item("p1"),), parameters={"program": "close", "force": 40.0})


LOOK = 0.05  # [s] between two looks at what is waited for


# --- a client -----------------------------------------------------------------------------------------------------


@dataclass
class Client:
    """Commands one module until all its commands are answered, over kills of the module's process.

    `settle` answers questions (None: leaves them open). It never tells the module anything twice that need not be.
    """

    commands: list[Command]
    settle: Callable[[Question], str | None] = lambda question: None
    one_by_one: bool = True
    clears: bool = True
    holder: str = "runner"
    answers: dict[int, Answer] = field(default_factory=dict)
    all_answers: list[Answer] = field(default_factory=list)
    questions: dict[int, Question] = field(default_factory=dict)
    heard: list[Message] = field(default_factory=list)
    views: list[View] = field(default_factory=list)
    view: View | None = None
    epoch: int = 0
    peer: Peer | None = None
    done_at: float = 0.0
    when_done: Callable[[], None] = lambda: None

    @property
    def module(self) -> str:
        return self.commands[0].module

    async def run(self, runtime: SimRuntime) -> None:
        async with runtime.connect("cell") as peer:
            self.peer = peer
            while True:
                try:
                    async with runtime.deadline(0.25):
                        incoming = await peer.inbox.receive()
                except DeadlineExceeded:
                    incoming = None
                self.take(incoming)
                if not self.done_at and len(self.answers) == len(self.commands):
                    self.done_at = runtime.now()
                    self.when_done()

    def take(self, incoming: Incoming | None) -> None:
        if incoming is None:
            return self.press_on()
        if incoming.message is None:
            self.epoch, self.view = 0, None
            return self.press_on()
        message = incoming.message
        self.heard.append(message)
        match message:
            case LeaseGranted():
                self.epoch = message.epoch
                self.send(Inquire(self.module))
            case View():
                self.see(message)
            case Event(view=View() as view) if view.module == self.module:
                self.see(view)
            case Event(alarm=Alarm() as alarm) if self.view is not None and message.source == self.module:
                self.view = msgspec.structs.replace(self.view, alarms=(*self.view.alarms, alarm))
            case Event(cleared=over) if over and self.view is not None:
                left = tuple(a for a in self.view.alarms if f"{a.code} {a.source}" != over)
                self.view = msgspec.structs.replace(self.view, alarms=left)
            case Answer():
                self.all_answers.append(message)
                self.answers.setdefault(message.number, message)
                self.press_on()
            case Refusal(lease_lost=True):
                self.epoch = 0
            case _:
                pass
        return None

    def see(self, view: View) -> None:
        before, self.view = self.view, view
        self.views.append(view)
        for question in view.questions:
            self.questions[question.number] = question
        if before is None or before.state is not view.state or view.questions:
            self.press_on()

    def press_on(self) -> None:
        """Whatever brings the next answer nearer."""
        if self.epoch == 0:
            return self.send(LeaseRequest(self.module, self.holder))
        view = self.view
        if view is None:
            return self.send(Inquire(self.module))
        for question in view.questions:
            choice = self.settle(question)
            if choice is not None:
                self.send(Settle(self.module, question.number, choice, "operator"))
        wanted = {State.STOPPED: "reset", State.IDLE: "start", State.SUSPENDED: "unsuspend"}
        if self.clears:
            wanted[State.ABORTED] = "clear"
        if view.state in wanted:
            self.instruct(StateCommand(wanted[view.state]))
        if view.state is State.EXECUTE:
            self.send_commands()
        return None

    def send_commands(self) -> None:
        open_ = [c for c in self.commands if c.number not in self.answers]
        for command in open_[:1] if self.one_by_one else open_:
            oldest = min(c.number for c in open_)
            self.send(msgspec.structs.replace(command, epoch=self.epoch, oldest=oldest))

    def instruct(self, command: StateCommand | None = None, mode: Mode | None = None) -> None:
        self.send(Instruct(self.module, "runner", command, mode, self.epoch))

    def send(self, message: Message) -> None:
        assert self.peer is not None
        self.peer.send(message)


@dataclass
class Run:
    """A bench with its module process and a client, in one universe. Use it as a context."""

    bench: Bench
    client: Client
    seed: int = 0

    def __enter__(self) -> Run:
        self.universe = Universe(self.seed)
        self.universe.start("cell", lambda runtime: run_process(runtime, self.bench.line, "cell"))
        self.universe.start("client", self.client.run)
        return self

    def __exit__(self, *_: object) -> None:
        self.universe.close()

    def until(self, holds: Callable[[], bool], limit: float = 60.0) -> None:
        """Let the world go on until something holds. Fails after `limit` seconds of virtual time."""
        end = self.universe.now + limit
        while not holds():
            assert self.universe.now < end, f"not so within {limit} s; the module is {self.client.view}"
            self.pause(LOOK)

    def until_done(self, limit: float = 60.0) -> None:
        """Until every command of the client is answered, and what follows the last answer has come about."""
        self.client.when_done = self.universe.stop
        if not self.client.done_at:
            self.universe.run(self.universe.now + limit)
        assert self.client.done_at, f"not so within {limit} s; the module is {self.client.view}"
        self.pause(LOOK)

    def until_state(self, state: State, limit: float = 20.0) -> None:
        """Until the client sees the module in this state."""
        self.until(lambda: self.client.view is not None and self.client.view.state is state, limit)

    def restart(self) -> None:
        """Kill the module process and start it again at once; the client's view of it is gone."""
        self.universe.restart("cell")
        self.client.view = None

    def inquire(self) -> View:
        """The module's present view."""
        self.client.send(Inquire(self.client.module))
        self.pause(0.1)
        assert self.client.view is not None
        return self.client.view

    def pause(self, seconds: float) -> None:
        self.universe.run(self.universe.now + seconds)

    def kill_at(self, step: int, watchdogs: bool, away: float = 0.5) -> None:
        """Kill the module process just before one step of the world, and start it again later."""

        def kill() -> None:
            if not self.universe.is_alive("cell"):
                return
            self.universe.kill("cell")
            if watchdogs:
                self.bench.world.watchdogs_expire(self.universe.now)
            self.universe.at(self.universe.now + away, lambda: self.universe.restart("cell"))

        self.universe.at_step(step, kill)

    def states(self) -> list[State]:
        """The states that the module entered, as journaled."""
        return [record.state for record in self.records() if isinstance(record, Entered)]

    def records(self) -> list[ModuleRecord]:
        """What the module process journaled."""

        class Rows:
            def replay(inner) -> object:  # noqa: N805
                return iter(self.universe.disk("cell").durable)

        return list(module_journal(Rows(), "cell").replay())  # type: ignore[arg-type]


__all__ = ["Accepted", "Cancel", "LeaseDenied", "TooLate"]
