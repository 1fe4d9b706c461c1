"""The live runtime, its deployment and its log, on real files, sockets and clocks."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TypeVar

import pytest

from cellctl.errors import BusError, DeploymentError, PlugInError, StoreLocked, UnknownName
from cellctl.live import runtime as runtime_module
from cellctl.live.deployment import FILE, Addresses, Deployment, load, save
from cellctl.live.log import process_log
from cellctl.live.runtime import LiveRuntime
from cellctl.messages import Reply, Request
from cellctl.runtime import Registers, Runtime, Texts

T = TypeVar("T")
ANY = Addresses("tcp://127.0.0.1:*", "tcp://127.0.0.1:*")


def deployed(state: Path, **changes: object) -> Deployment:
    fields: dict[str, object] = {"line": "/lines/puck.yaml", "digest": "d1", "state": str(state), **changes}
    return Deployment(**fields)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    """The process's log as it was before the test."""
    root = logging.getLogger("cellctl")
    before = root.handlers, root.propagate, root.level
    yield
    root.handlers, root.propagate, root.level = before


# --- deployment -------------------------------------------------------------------------------------------------


def test_a_deployment_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    deployment = deployed(
        tmp_path / "state",
        simulated=True,
        devices={"modbus-tcp://10.0.1.20:502": "modbus-tcp://127.0.0.1:40001"},
        processes={"runner": Addresses("tcp://127.0.0.1:1", "tcp://127.0.0.1:2")},
        keys="/keys",
    )
    path = save(deployment)
    assert path == tmp_path / "state" / "deployment.json"
    assert load(tmp_path / "state") == deployment
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["deployment.json"]


def test_a_deployment_is_replaced_whole(tmp_path: Path) -> None:
    save(deployed(tmp_path))
    with (tmp_path / FILE).open() as before:
        save(deployed(tmp_path, digest="d2"))
        assert json.load(before)["digest"] == "d1"  # who had it open still reads the old one to its end
    assert load(tmp_path).digest == "d2"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"line": 1}', '{"line":"a","digest":"b","state":"c","odd":1}', "\xff"]
)
def test_what_is_no_deployment_is_refused_with_its_path(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(DeploymentError, match=r"deployment\.json is not a deployment"):
        load(tmp_path)


def test_a_missing_and_a_newer_deployment_say_so(tmp_path: Path) -> None:
    with pytest.raises(DeploymentError, match="no line has been started"):
        load(tmp_path)
    save(deployed(tmp_path, format=99))
    with pytest.raises(DeploymentError, match="newer cellctl"):
        load(tmp_path)


def test_a_deployment_that_cannot_be_written_names_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DeploymentError, match=r"cannot write .*file"):
        save(deployed(tmp_path / "file" / "state"))


def test_an_unknown_process_is_named_with_the_nearest(tmp_path: Path) -> None:
    deployment = deployed(tmp_path, processes={"runner": ANY})
    with pytest.raises(UnknownName, match="did you mean runner"):
        deployment.process("runer")


# --- runtime ----------------------------------------------------------------------------------------------------


def test_two_processes_of_a_line_talk_and_keep_records(tmp_path: Path) -> None:
    async def main() -> list[bytes]:
        async with (
            LiveRuntime("belt", deployed(tmp_path, processes={"belt": ANY})) as belt,
            belt.serve("belt") as server,
        ):
            addresses: Addresses = server.addresses  # type: ignore[attr-defined]
            there = deployed(tmp_path, processes={"belt": addresses})
            async with (
                LiveRuntime("runner", there) as runner,
                runner.connect("belt") as peer,
                belt.open_store("belt") as store,
                runner.deadline(10),
            ):
                assert (await peer.inbox.receive()).alive
                peer.send(Request("1", "status", "test"))
                while (incoming := await server.requests.receive()).message is None:
                    pass
                await store.append([b"before the answer"])
                server.reply(incoming.peer, Reply("1"))
                assert (await peer.inbox.receive()).message == Reply("1")
                with pytest.raises(StoreLocked):
                    async with runner.open_store("belt"):
                        pass
                return list(store.replay())

    assert asyncio.run(main()) == [b"before the answer"]


def test_an_unknown_process_cannot_be_served_or_connected(tmp_path: Path) -> None:
    runtime = LiveRuntime("belt", deployed(tmp_path))
    for way in (runtime.serve, runtime.connect):
        with pytest.raises(UnknownName):
            way("belt")


def test_keys_that_are_demanded_must_be_there(tmp_path: Path) -> None:
    async def main() -> None:
        deployment = deployed(tmp_path, processes={"belt": ANY}, keys=str(tmp_path / "keys"))
        async with LiveRuntime("belt", deployment) as runtime, runtime.serve("belt"):
            pass

    with pytest.raises(BusError, match="cellctl keys"):
        asyncio.run(main())


def test_random_streams_go_on_where_they_were_and_differ_by_name_and_process(tmp_path: Path) -> None:
    belt, press = (LiveRuntime(name, deployed(tmp_path)) for name in ("belt", "press"))
    first, second = belt.random("jitter").random(), belt.random("jitter").random()
    assert len({first, second, belt.random("other").random(), press.random("jitter").random()}) == 4


class Bits:
    """A link that is well enough typed to be told from a text link."""

    def __init__(self, address: str) -> None:
        self.address = address

    async def until(self, read: Callable[[], Awaitable[T]], holds: Callable[[T], bool], every: float) -> T:
        return await read()

    async def read(self, *_: object) -> tuple[int, ...]:
        return ()

    async def write(self, *_: object) -> None: ...


@asynccontextmanager
async def open_bits(address: str, runtime: Runtime) -> AsyncIterator[Bits]:
    """Named by the entry point below."""
    yield Bits(f"{address} for {runtime.name}")


def plug_in(monkeypatch: pytest.MonkeyPatch, *values: str) -> None:
    points = [EntryPoint("bits", value, "cellctl.links") for value in values]
    monkeypatch.setattr(
        runtime_module, "entry_points", lambda group: points if group == "cellctl.links" else []
    )
    monkeypatch.setattr(EntryPoint, "load", lambda point: globals()[point.value.partition(":")[2]])


def test_a_device_is_reached_at_the_address_that_the_deployment_gives_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug_in(monkeypatch, "here:open_bits")
    runtime = LiveRuntime("belt", deployed(tmp_path, devices={"bits://10.0.0.1:1": "bits://127.0.0.1:2"}))

    async def main() -> list[str]:
        async with (
            runtime.open_link("bits://10.0.0.1:1", Registers) as moved,
            runtime.open_link("bits://10.0.0.9:9", Registers) as unmoved,
        ):
            return [moved.address, unmoved.address]

    assert asyncio.run(main()) == ["bits://127.0.0.1:2 for belt", "bits://10.0.0.9:9 for belt"]


@pytest.mark.parametrize(
    ("address", "kind", "values", "error", "words"),
    [
        ("bit://x", Registers, ["here:open_bits"], UnknownName, "did you mean bits"),
        ("bits://x", Texts, ["here:open_bits"], PlugInError, "is no Texts"),
        ("bits://x", Registers, ["here:open_bits", "there:open_bits"], PlugInError, "uninstall one"),
        ("bits://x", Registers, ["here:missing"], PlugInError, "cannot be loaded: KeyError"),
    ],
)
def test_a_link_that_cannot_be_had_says_why(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    address: str,
    kind: type[Registers],
    values: list[str],
    error: type[Exception],
    words: str,
) -> None:
    plug_in(monkeypatch, *values)

    async def main() -> None:
        async with LiveRuntime("belt", deployed(tmp_path)).open_link(address, kind):
            pass

    with pytest.raises(error, match=words):
        asyncio.run(main())


# --- log --------------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_line_is_one_json_object_where_nobody_watches() -> None:
    stream = io.StringIO()
    log = process_log("belt", stream=stream)
    log.warning("two\nlines", peer="press", path=Path("/x"), number=3)
    log.debug("not shown")
    (line,) = stream.getvalue().splitlines()
    told = json.loads(line)
    assert told.pop("at") > 1.7e9
    assert told == {
        "level": "warning",
        "process": "belt",
        "event": "two\nlines",
        "peer": "press",
        "path": "/x",
        "number": 3,
    }


def test_a_log_line_is_readable_on_a_terminal() -> None:
    stream = Terminal()
    process_log("belt", stream=stream).error("the drive is silent", device="belt.drive")
    assert stream.getvalue().rstrip().endswith("ERROR belt: the drive is silent (device=belt.drive)")


def test_a_percent_sign_in_a_log_line_stays_one() -> None:
    stream = io.StringIO()
    process_log("belt", stream=stream).info("100 %s of %d", share="50 %")
    assert json.loads(stream.getvalue())["event"] == "100 %s of %d"


def test_logging_by_the_standard_library_comes_out_the_same_way_with_its_trace() -> None:
    stream = io.StringIO()
    process_log("belt", stream=stream)
    try:
        raise ValueError("inside")
    except ValueError:
        logging.getLogger("cellctl.other").exception("it failed")
    told = json.loads(stream.getvalue())
    assert (told["event"], told["process"]) == ("it failed", "cellctl.other")
    assert "ValueError: inside" in told["trace"]
