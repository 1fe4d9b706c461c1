"""In-memory links: what a request costs, how a device's trouble reaches its driver, and that waiting for a change gives
what plain polling gives.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from cellctl.errors import (
    DeadlineExceeded,
    DeviceError,
    DeviceRefused,
    DeviceSilent,
    PlugInError,
    UnknownName,
)
from cellctl.runtime import Registers, Table, Texts
from cellctl_sim.devices.protocols import ConnectionCut, ModbusException, NoAnswer
from cellctl_sim.runtime import SimRuntime
from cellctl_sim.universe import Main, Universe

ADDRESS = "modbus-tcp://10.0.0.1:502"
TALKER = "tcp://10.0.0.2:10000"


@dataclass
class Island:
    """A Modbus device with 8 inputs that change at given times, 8 outputs, and a watchdog that clears the outputs.

    Input 7 shows output 7, 5 ms later.
    """

    changes: Sequence[tuple[float, int, int]] = ()  # time [s], input, value
    watchdog: float = math.inf  # [s]
    trouble: Callable[[float], Exception | None] = lambda t: None
    troubles: Sequence[float] = ()  # when that begins and ends [s]
    late: float = 0.0
    outputs: list[int] = field(default_factory=lambda: [0] * 8)
    asked: int = 0
    expired: list[float] = field(default_factory=list)
    _echo: list[tuple[float, int]] = field(default_factory=list)
    _heard: float = 0.0
    _attended: int = 0  # by how many

    def read(self, t: float, unit: int, table: Table, address: int, count: int) -> tuple[int, ...]:
        self._hear(t)
        self.asked += 1
        values = self._inputs(t) if table is Table.DISCRETE else self.outputs
        if address + count > 8:
            raise ModbusException(2)
        return tuple(values[address : address + count])

    def write(self, t: float, unit: int, table: Table, address: int, values: Sequence[int]) -> None:
        self._hear(t)
        self.outputs[address : address + len(values)] = values
        self._echo.append((round(t + 0.005, 6), self.outputs[7]))

    def delay(self, t: float) -> float:
        return self.late

    def attend(self, t: float, unit: int, every: float) -> Callable[[float], None]:
        self._hear(t)
        if every > self.watchdog:
            return lambda leaving: None
        self._attended += 1

        def leave(leaving: float) -> None:
            self._attended -= 1
            self._heard = max(self._heard, leaving - every)

        return leave

    def next_change(self, t: float) -> float:
        times = [time for time, *_ in (*self.changes, *self._echo)] + list(self.troubles)
        if not self._attended and any(self.outputs):
            times.append(self._heard + self.watchdog)
        return min((time for time in times if time > t), default=math.inf)

    def identity(self, unit: int) -> Mapping[int, str]:
        return {}

    def _inputs(self, t: float) -> list[int]:
        values = [0] * 8
        for time, number, value in self.changes:
            if time <= t:
                values[number] = value
        for time, value in self._echo:
            if time <= t:
                values[7] = value
        return values

    def _hear(self, t: float) -> None:
        if trouble := self.trouble(t):
            raise trouble
        if not self._attended and t - self._heard >= self.watchdog and any(self.outputs):
            self.outputs = [0] * 8
            self.expired.append(round(self._heard + self.watchdog, 6))
        self._heard = t


@dataclass
class Talk:
    """A connection to the talker."""

    talker: Talker
    due: list[tuple[float, str]] = field(default_factory=list)
    closed: float = math.inf

    def receive(self, t: float, text: str) -> None:
        self.talker.heard.append((t, text))
        self.due.append((round(t + 0.1, 6), text.upper()))

    def pending(self, t: float) -> list[tuple[float, str]]:
        due = [message for message in self.due if message[0] <= t]
        self.due = [message for message in self.due if message[0] > t]
        return due

    def is_open(self, t: float) -> bool:
        return t < self.closed

    def close(self, t: float) -> None:
        self.closed = t
        self.talker.closed.append(t)


@dataclass
class Talker:
    """A text device that repeats in capitals what it hears, 0.1 s later; cuts connections, refuses for a while."""

    cuts: tuple[float, ...] = ()
    refuses: tuple[float, float] = (0.0, 0.0)  # from, to [s]
    heard: list[tuple[float, str]] = field(default_factory=list)
    closed: list[float] = field(default_factory=list)
    talks: list[Talk] = field(default_factory=list)

    def open(self, t: float) -> Talk:
        if self.refuses[0] <= t < self.refuses[1]:
            raise ConnectionCut
        talk = Talk(self)
        talk.closed = min((cut for cut in self.cuts if cut > t), default=math.inf)
        self.talks.append(talk)
        return talk

    def next_change(self, t: float) -> float:
        times = [time for talk in self.talks for time, _ in talk.due]
        return min((time for time in (*times, *self.cuts) if time > t), default=math.inf)


class SmallPlant:
    """An island and a talker."""

    def __init__(self, island: Island | None = None, talker: Talker | None = None) -> None:
        self.devices: dict[str, Island | Talker] = {ADDRESS: island or Island(), TALKER: talker or Talker()}
        self._calls: list[Callable[[float], None]] = []

    def device(self, address: str) -> Island | Talker:
        if address not in self.devices:
            raise UnknownName("device address", address, self.devices)
        return self.devices[address]

    def subscribe(self, call: Callable[[float], None]) -> Callable[[], None]:
        self._calls.append(call)
        return lambda: self._calls.remove(call)

    def acted(self, t: float) -> None:
        for call in tuple(self._calls):
            call(t)


class NotifyingIsland(Island):
    """An island that tells its plant of every write."""

    plant: SmallPlant

    def write(self, t: float, unit: int, table: Table, address: int, values: Sequence[int]) -> None:
        super().write(t, unit, table, address, values)
        self.plant.acted(t)


def world(island: Island | None = None, talker: Talker | None = None, plainly: bool = False) -> Universe:
    universe = Universe(keep_trace=True)
    plant = SmallPlant(island, talker)
    if isinstance(island, NotifyingIsland):
        island.plant = plant
    universe.install(plant).polls_plainly = plainly
    return universe


def run(universe: Universe, *mains: Main, until: float = 60.0) -> list[str]:
    """What the programs logged, as `time event fields`."""
    with universe:
        for number, main in enumerate(mains):
            universe.start(f"node{number}", main)
        universe.run(until)
        return [f"{record.time:.6f} {record.event}" for record in universe.records]


def with_registers(work: Callable[[SimRuntime, Registers], object]) -> Main:
    async def main(runtime: SimRuntime) -> None:
        async with runtime.open_link(ADDRESS, Registers) as link:
            await work(runtime, link)  # type: ignore[misc]

    return main


def test_a_request_takes_its_latency_and_two_requests_take_turns() -> None:
    async def work(runtime: SimRuntime, link: Registers) -> None:
        async with runtime.tasks() as group:

            async def ask(name: str) -> None:
                await link.read(1, Table.DISCRETE, 0, 8)
                runtime.log.info(name)

            group.start(ask("first"))
            group.start(ask("second"))

    assert run(world(), with_registers(work)) == ["0.001000 first", "0.002000 second"]


def test_an_error_reply_names_address_unit_register_and_code() -> None:
    async def work(runtime: SimRuntime, link: Registers) -> None:
        with pytest.raises(
            DeviceRefused, match=r"unit 3 .*read of 4 discrete at 6: it has no such address"
        ) as e:
            await link.read(3, Table.DISCRETE, 6, 4)
        assert (e.value.address, e.value.code) == (ADDRESS, 2)
        runtime.log.info("refused")

    assert run(world(), with_registers(work)) == ["0.001000 refused"]


@pytest.mark.parametrize(
    ("trouble", "noticed"), [(NoAnswer, "1.000000"), (ConnectionCut, "0.002000")], ids=["silent", "cut"]
)
def test_a_device_that_does_not_answer_is_silent(trouble: type[Exception], noticed: str) -> None:
    async def work(runtime: SimRuntime, link: Registers) -> None:
        with pytest.raises(DeviceSilent, match=r"unit 1 .*read of 8 discrete at 0"):
            await link.read(1, Table.DISCRETE, 0, 8)
        runtime.log.info("silent")

    assert run(world(Island(trouble=lambda t: trouble())), with_registers(work)) == [f"{noticed} silent"]


def test_one_lost_answer_is_made_good_by_the_second_try() -> None:
    async def work(runtime: SimRuntime, link: Registers) -> None:
        await link.write(1, Table.COILS, 0, [1])
        runtime.log.info("written")

    island = Island(trouble=lambda t: NoAnswer() if t < 0.1 else None)
    assert run(world(island), with_registers(work)) == ["0.501000 written"]
    assert island.outputs[0] == 1


def test_an_answer_that_comes_after_the_timeout_is_no_answer() -> None:
    async def work(runtime: SimRuntime, link: Registers) -> None:
        with pytest.raises(DeviceSilent):
            await link.write(1, Table.COILS, 0, [1])
        runtime.log.info("silent")

    island = Island(late=0.6)
    assert run(world(island), with_registers(work)) == ["1.000000 silent"]
    assert island.outputs[0] == 1  # it was carried out all the same


def test_a_write_on_its_way_arrives_although_its_sender_is_killed() -> None:
    async def work(runtime: SimRuntime, link: Registers) -> None:
        await link.write(1, Table.COILS, 0, [1])
        runtime.log.info("never said")
        await link.write(1, Table.COILS, 1, [1])

    island = Island()
    universe = world(island)
    universe.at(0.0005, lambda: universe.kill("node0"))
    assert run(universe, with_registers(work)) == []
    assert island.outputs == [1, 0, 0, 0, 0, 0, 0, 0]


def test_a_dead_process_writes_nothing_more() -> None:
    async def work(runtime: SimRuntime, link: Registers) -> None:
        try:
            await runtime.sleep(5.0)
        finally:
            await link.write(1, Table.COILS, 0, [1])

    island = Island()
    universe = world(island)
    universe.at(1.0, lambda: universe.kill("node0"))
    run(universe, with_registers(work))
    assert island.outputs == [0] * 8


def test_an_address_that_is_not_there_and_a_link_of_the_wrong_kind_are_named() -> None:
    async def main(runtime: SimRuntime) -> None:
        with pytest.raises(UnknownName, match=r"10\.0\.0\.1:503.*did you mean modbus-tcp://10\.0\.0\.1:502"):
            async with runtime.open_link("modbus-tcp://10.0.0.1:503", Registers):
                pass
        with pytest.raises(PlugInError, match=r"tcp://10.0.0.2:10000 .* Registers"):
            async with runtime.open_link(TALKER, Registers):
                pass
        runtime.log.info("both refused")

    assert run(world(), main) == ["0.000000 both refused"]


# --- waiting --------------------------------------------------------------------------------------------------


def waits_for(number: int, value: int, every: float) -> Main:
    async def work(runtime: SimRuntime, link: Registers) -> None:
        async def inputs() -> tuple[int, ...]:
            return await link.read(1, Table.DISCRETE, 0, 8)

        await link.until(inputs, lambda bits: bits[number] == value, every)
        runtime.log.info(f"input {number} is {value}")

    return with_registers(work)


def test_a_wait_ends_at_the_first_polling_instant_after_the_change_and_asks_but_a_few_times() -> None:
    island = Island(changes=[(10.0, 3, 1)])
    said = run(world(island), waits_for(3, 1, every=0.02))
    assert said == ["10.018000 input 3 is 1"]  # the 477th poll begins at 10.017 s; they are 21 ms apart
    assert island.asked <= 4


def test_a_wait_sees_what_another_process_does() -> None:
    async def acts(runtime: SimRuntime, link: Registers) -> None:
        await runtime.sleep(3.0)
        await link.write(1, Table.COILS, 7, [1])

    island = NotifyingIsland()
    said = run(world(island), waits_for(7, 1, every=0.02), with_registers(acts))
    assert said == ["3.025000 input 7 is 1"]  # written at 3.001, shown at 3.006, asked at 3.024


def test_a_wait_keeps_a_watchdog_fed_and_a_wait_that_is_given_up_does_not() -> None:
    async def work(runtime: SimRuntime, link: Registers) -> None:
        async def inputs() -> tuple[int, ...]:
            return await link.read(1, Table.DISCRETE, 0, 8)

        await link.write(1, Table.COILS, 0, [1])
        with pytest.raises(DeadlineExceeded):
            async with runtime.deadline(5.0):
                await link.until(inputs, lambda bits: bits[0] == 1, 0.1)
        assert await link.read(1, Table.COILS, 0, 1) == (1,)
        await runtime.sleep(5.0)
        assert await link.read(1, Table.COILS, 0, 1) == (0,)
        runtime.log.info("fed, then not")

    island = NotifyingIsland(watchdog=1.0)
    assert len(run(world(island), with_registers(work))) == 1
    assert island.asked < 10


def test_after_a_wait_that_came_true_the_watchdog_counts_again() -> None:
    async def work(runtime: SimRuntime, link: Registers) -> None:
        async def inputs() -> tuple[int, ...]:
            return await link.read(1, Table.DISCRETE, 0, 8)

        await link.write(1, Table.COILS, 0, [1])
        await link.until(inputs, lambda bits: bits[3] == 1, 0.1)
        await runtime.sleep(5.0)
        await link.read(1, Table.COILS, 0, 1)

    island = NotifyingIsland(changes=[(4.05, 3, 1)], watchdog=1.0)
    run(world(island), with_registers(work))
    assert island.expired == [5.143]  # the last poll was answered at 4.143 s


def test_a_wait_for_something_that_is_no_device_is_plain_polling() -> None:
    async def work(runtime: SimRuntime, link: Registers) -> None:
        async def clock() -> float:
            return runtime.now()

        await link.until(clock, lambda now: now > 1.0, 0.3)
        runtime.log.info("over")

    assert run(world(), with_registers(work)) == ["1.200000 over"]


def busy_cell(seed: int) -> tuple[Island, list[Main]]:
    """An island whose inputs change at random times, processes that wait for them, and one that writes now and then."""
    numbers = random.Random(seed)
    changes = sorted(
        (
            round(numbers.uniform(0.0, 20.0), numbers.choice([3, 6])),
            numbers.randrange(7),
            numbers.randrange(2),
        )
        for _ in range(20)
    )
    watchdog = numbers.choice([0.05, 0.7, 3.0, math.inf])
    island = NotifyingIsland(changes=changes, watchdog=watchdog, late=numbers.choice([0.0, 0.0041]))
    fault = numbers.uniform(2.0, 15.0), numbers.choice([NoAnswer, ConnectionCut])
    island.troubles = (round(fault[0], 6), round(fault[0] + numbers.choice([0.004, 0.4, 1.5]), 6))
    island.trouble = lambda t: fault[1]() if island.troubles[0] <= t < island.troubles[1] else None

    def waiter(number: int, every: float, patience: float) -> Main:
        async def work(runtime: SimRuntime, link: Registers) -> None:
            async def inputs() -> tuple[int, ...]:
                return await link.read(1, Table.DISCRETE, 0, 8)

            for value in (1, 0) * 10:
                try:
                    async with runtime.deadline(patience):
                        seen = await link.until(inputs, lambda bits: bits[number] == value, every)  # noqa: B023
                    runtime.log.info(f"{runtime.name} saw {seen}")
                    await link.write(1, Table.COILS, number, [value])
                except (DeadlineExceeded, DeviceSilent) as error:
                    runtime.log.info(f"{runtime.name} gave up: {error}")
                    await runtime.sleep(0.1)

        return with_registers(work)

    def writer(pauses: Iterable[float]) -> Main:
        async def work(runtime: SimRuntime, link: Registers) -> None:
            for count, pause in enumerate(pauses):
                await runtime.sleep(pause)
                try:
                    await link.write(1, Table.COILS, 7, [count % 2])
                    runtime.log.info(f"outputs {await link.read(1, Table.COILS, 0, 8)}")
                except DeviceSilent:
                    runtime.log.info("outputs unknown")

        return with_registers(work)

    periods = [numbers.choice([0.005, 0.01, 0.02, 0.1]) for _ in range(7)]
    waiters = [waiter(number, period, numbers.uniform(0.5, 4.0)) for number, period in enumerate(periods)]
    return island, [*waiters, writer([numbers.uniform(0.1, 1.5) for _ in range(15)])]


@pytest.mark.parametrize("seed", range(12))
def test_waiting_gives_the_trace_of_plain_polling(seed: int) -> None:
    told, asked, traces = [], [], []
    for plainly in (False, True):
        island, mains = busy_cell(seed)
        universe = world(island, plainly=plainly)
        told.append(
            sorted(run(universe, *mains, until=25.0))
        )  # what coincides to the nanosecond has no order
        asked.append(island.asked)
        traces.append(sorted(universe.trace.lines().splitlines()))
    assert told[0] == told[1]
    assert traces[0] == traces[1]
    assert len(told[0]) > 50
    assert asked[0] < asked[1] / 2


# --- texts ----------------------------------------------------------------------------------------------------


def with_texts(work: Callable[[SimRuntime, Texts], object]) -> Main:
    async def main(runtime: SimRuntime) -> None:
        async with runtime.open_link(TALKER, Texts) as link:
            await runtime.sleep(0.009)
            await work(runtime, link)  # type: ignore[misc]

    return main


def test_texts_go_there_and_back() -> None:
    async def work(runtime: SimRuntime, link: Texts) -> None:
        await link.send("hello")
        await link.send("world")
        runtime.log.info(await link.receive())
        runtime.log.info(await link.receive())

    assert run(world(), with_texts(work)) == ["0.112000 HELLO", "0.112000 WORLD"]


def test_a_lost_connection_is_told_once_and_made_again() -> None:
    async def work(runtime: SimRuntime, link: Texts) -> None:
        with pytest.raises(DeviceSilent, match="connection was lost"):
            await link.receive()
        runtime.log.info("lost")
        with pytest.raises(DeviceSilent, match="it is not connected"):
            await link.send("in vain")
        await runtime.sleep(5.0)
        await link.send("again")
        runtime.log.info(await link.receive())

    talker = Talker(cuts=(2.0,), refuses=(2.0, 4.0))
    assert run(world(talker=talker), with_texts(work)) == ["2.001000 lost", "7.103000 AGAIN"]
    assert [text for _, text in talker.heard] == ["again"]


def test_a_killed_process_closes_its_connection_behind_what_it_had_sent() -> None:
    async def work(runtime: SimRuntime, link: Texts) -> None:
        try:
            await link.send("on its way")
            await runtime.sleep(1.0)
        finally:
            await link.send("never")

    talker = Talker()
    universe = world(talker=talker)
    universe.at(0.0105, lambda: universe.kill("node0"))
    run(universe, with_texts(work))
    assert talker.heard == [(0.011, "on its way")]
    assert talker.closed == [0.0115]


def test_errors_of_links_are_device_errors() -> None:
    assert issubclass(DeviceSilent, DeviceError)
    assert issubclass(DeviceRefused, DeviceError)
