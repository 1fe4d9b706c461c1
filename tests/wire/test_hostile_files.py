"""Files that are not what they should be: each is named in one sentence, and nothing starts or moves on them."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from cellctl.cli.main import main
from cellctl.flow.events import Drained, FlowEvent, LineTaken
from cellctl.journal import Entered, Journal, LeaseTaken, ModuleRecord
from cellctl.live import deployment as deployments
from cellctl.live import process_table
from cellctl.live.bring_up import addresses_of, free_addresses
from cellctl.live.child import Exit
from cellctl.live.deployment import Deployment
from cellctl.live.line_file import read_line
from cellctl.live.process_table import ProcessTable
from cellctl.live.store import open_store
from cellctl.packml import Mode, State

Spoil = Callable[[Path], None]
PROCESSES = {"runner": ("run-runner",), "belt": ("run-module", "belt")}


@pytest.fixture
def kept(cell: Path, tmp_path: Path) -> Path:
    """The state directory of a puck line that was up, with a few records in two of its journals."""
    path, state = cell / "lines" / "puck.yaml", tmp_path / "state"
    line, _ = read_line(path)
    assert line is not None
    deployments.save(
        Deployment(
            line=str(path),
            digest=line.digest,
            state=str(state),
            simulated=True,
            processes=free_addresses(addresses_of(line)),
        )
    )
    process_table.save(ProcessTable(0, "puck", True, ()), state)
    events = (LineTaken("puck", line.digest), *(Drained(bool(n % 2), "test") for n in range(40)))
    records = (
        LeaseTaken("belt", "runner of puck", 1),
        *(Entered("belt", State.IDLE, Mode.PRODUCTION, f"test {n}") for n in range(40)),
    )
    asyncio.run(_write(state / "runner.sqlite", events))
    asyncio.run(_write(state / "belt.sqlite", records))
    return state


async def _write(path: Path, records: tuple[FlowEvent | ModuleRecord, ...]) -> None:
    async with open_store(path) as store:
        journal: Journal[FlowEvent | ModuleRecord] = Journal(
            store, path.stem, msgspec.msgpack.Decoder(type(records[0]) | type(records[1])), object
        )
        for record in records:
            await journal.append(record)


def cellctl(*arguments: str, state: Path) -> Result:
    result = CliRunner().invoke(main, [*arguments, "--state", str(state)])
    assert "Traceback" not in result.output
    assert not result.exception or isinstance(result.exception, SystemExit), result.exception
    return result


def refusal(process: str, state: Path) -> str:
    """What a process says last when it refuses to run, for a reason that no restart mends."""
    result = cellctl(*PROCESSES[process], state=state)
    assert result.exit_code == Exit.HOPELESS, result.output
    assert not list((state / "log").glob("crash-*"))
    return str(json.loads(result.stderr.splitlines()[-1])["event"])


# --- journals -----------------------------------------------------------------------------------------------------


def change_a_record(path: Path) -> None:
    """One bit of one record, as a failing disk or a clever hand would: SQLite itself does not notice."""
    with sqlite3.connect(path) as database:
        (row,) = database.execute("SELECT row FROM rows WHERE number = 17").fetchone()
        database.execute("UPDATE rows SET row = ? WHERE number = 17", (row[:-1] + bytes([row[-1] ^ 1]),))
    database.close()


def remove_a_record(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("DELETE FROM rows WHERE number = 17")
    database.close()


def swap_two_records(path: Path) -> None:
    with sqlite3.connect(path) as database:
        first, second = (row for (row,) in database.execute("SELECT row FROM rows WHERE number IN (17, 18)"))
        database.execute("UPDATE rows SET row = ? WHERE number = 17", (second,))
        database.execute("UPDATE rows SET row = ? WHERE number = 18", (first,))
    database.close()


def put_in_a_record_of_tomorrow(path: Path) -> None:
    """A kind of record that only a newer cellctl knows, in a chain that fits."""

    class Invented(msgspec.Struct, tag="Invented"):
        what: str = "of tomorrow"

    asyncio.run(_append(path, Invented()))


async def _append(path: Path, record: object) -> None:
    async with open_store(path) as store:
        journal: Journal[object] = Journal(store, path.stem, msgspec.msgpack.Decoder(object), object)
        for _ in journal.replay():
            pass
        await journal.append(record)


def write_a_newer_format(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()


def cut_short(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2 + 100)


def overwrite_the_middle(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * 4096)


SPOILT: list[tuple[str, Spoil, str]] = [
    ("changed", change_a_record, "record 17 does not fit the records before it"),
    ("removed", remove_a_record, "record 17 does not fit the records before it (found number 18)"),
    ("swapped", swap_two_records, "record 17 does not fit the records before it (found number 18)"),
    ("of tomorrow", put_in_a_record_of_tomorrow, "record 42 cannot be read"),
    ("newer format", write_a_newer_format, "was written by a newer cellctl (format 99)"),
    ("text", lambda path: path.write_text("no database " * 900) and None, "is not a journal"),
    ("cut short", cut_short, "is damaged; restore it from a copy"),
    ("overwritten", overwrite_the_middle, "is damaged; restore it from a copy"),
]


@pytest.mark.parametrize("process", PROCESSES)
@pytest.mark.parametrize(("spoil", "said"), [s[1:] for s in SPOILT], ids=[s[0] for s in SPOILT])
def test_a_journal_that_was_tampered_with_is_named_and_refused(
    kept: Path, process: str, spoil: Spoil, said: str
) -> None:
    path = kept / f"{process}.sqlite"
    spoil(path)
    words = refusal(process, kept)
    assert said in words
    assert process in words
    assert refusal(process, kept) == words  # nothing was mended by guessing


@pytest.mark.parametrize("process", PROCESSES)
def test_a_directory_where_a_journal_should_be_is_named(kept: Path, process: str) -> None:
    path = kept / f"{process}.sqlite"
    path.unlink()
    path.mkdir()
    result = cellctl(*PROCESSES[process], state=kept)
    assert result.exit_code == Exit.WAITS
    assert f"the journal {path}: Is a directory" in result.stderr


@pytest.mark.parametrize("command", [("trace", "p1"), ("report",)])
@pytest.mark.parametrize(("spoil", "said"), [s[1:] for s in SPOILT], ids=[s[0] for s in SPOILT])
def test_who_reads_a_journal_that_was_tampered_with_is_told(
    kept: Path, command: tuple[str, ...], spoil: Spoil, said: str
) -> None:
    spoil(kept / "runner.sqlite")
    result = cellctl(*command, state=kept)
    assert (result.exit_code, said in result.stderr) == (1, True), result.output


# --- the other files ----------------------------------------------------------------------------------------------

CONTENTS = [b"", b"\x00\xff\xfe" * 100, b"[]", b"{}", b'{"line": 5}', b"line: puck\n", b"{" * 5000]


def put(path: Path, content: bytes) -> None:
    path.write_bytes(content)


@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: repr(content[:12]))
@pytest.mark.parametrize("process", PROCESSES)
def test_a_deployment_that_is_none_is_named(kept: Path, process: str, content: bytes) -> None:
    put(kept / "deployment.json", content)
    assert "deployment.json is not a deployment" in refusal(process, kept)


def test_up_names_the_damaged_file_and_what_to_do_with_it(kept: Path) -> None:
    for name, said in (
        ("deployment.json", "is not a deployment"),
        ("processes.json", "is not a process table"),
    ):
        whole = (kept / name).read_bytes()
        put(kept / name, b"{")
        result = cellctl("up", "puck", "--simulated", state=kept)
        assert result.exit_code == 1
        assert f"{kept / name} {said}" in result.stderr
        assert "move it away, then `cellctl up` writes a new one" in result.stderr
        put(kept / name, whole)


@pytest.mark.parametrize("process", PROCESSES)
def test_a_directory_in_the_place_of_a_file_is_named(kept: Path, process: str) -> None:
    (kept / "deployment.json").unlink()
    (kept / "deployment.json").mkdir()
    assert "cannot read" in refusal(process, kept)


@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: repr(content[:12]))
@pytest.mark.parametrize("process", PROCESSES)
def test_a_line_file_that_is_none_is_named_with_its_place(kept: Path, process: str, content: bytes) -> None:
    path = Path(deployments.load(kept).line)
    put(path, content)
    words = refusal(process, kept)
    assert f"the line file cannot be used: {path}:" in words
    assert f"cellctl check {path}" in words


@pytest.mark.parametrize("process", PROCESSES)
def test_a_line_file_that_is_gone_or_a_recipe_is_named(kept: Path, process: str) -> None:
    path = Path(deployments.load(kept).line)
    recipe = path.parent.parent / "products" / "sensor-puck.yaml"
    shutil.copy(recipe, path)
    assert str(path) in refusal(process, kept)
    path.unlink()
    assert str(path) in refusal(process, kept)
    path.mkdir()
    assert str(path) in refusal(process, kept)


@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: repr(content[:12]))
def test_an_order_of_a_file_that_is_no_recipe_is_refused_by_the_checker(kept: Path, content: bytes) -> None:
    path = kept.parent / "bad.yaml"
    put(path, content)
    result = CliRunner().invoke(main, ["check", str(path)])
    assert result.exit_code == 1
    assert str(path) in result.output
    assert "Traceback" not in result.output


def test_the_state_directory_of_another_line_is_refused(kept: Path) -> None:
    process_table.save(ProcessTable(0, "bottles", True, ()), kept)
    result = cellctl("up", "puck", "--simulated", state=kept)
    assert result.exit_code == 1
    assert f"{kept} holds the records of the line 'bottles', not of 'puck'" in result.stderr


@pytest.mark.parametrize("process", PROCESSES)
def test_a_port_in_use_is_named_by_the_process_that_wanted_it(kept: Path, process: str) -> None:
    address = deployments.load(kept).process(process).commands
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(address.rpartition(":")[2])))
        taken.listen()
        result = cellctl(*PROCESSES[process], state=kept)
    assert result.exit_code == Exit.FAILED  # tried again: it may be one that is just ending
    assert f"cannot listen at {address}: the address is in use" in result.stderr
    assert "Stop it (cellctl down)" in result.stderr
