"""Whatever people do wrong at the command line: a sentence that says what, and the right exit code."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import cast

import click
import pytest
from click.testing import CliRunner, Result

from cellctl.cli import detach
from cellctl.cli.files import find_line
from cellctl.cli.lazy import LazyGroup
from cellctl.cli.main import TABLE, main
from cellctl.cli.orders import MOST, read_order
from cellctl.errors import DeploymentError
from cellctl.live import attend, process_table
from cellctl.live import deployment as deployments
from cellctl.live.bring_up import free_addresses
from cellctl.live.crash_file import write_crash
from cellctl.live.deployment import Deployment
from cellctl.runner import bodies
from cellctl_sim.plant.plant import Plant
from cellctl_sim.plant_process import Served, write_table


def cellctl(*arguments: str) -> Result:
    """Run the command line in this process."""
    return CliRunner().invoke(main, arguments)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CELLCTL_STATE", raising=False)


def assert_said(result: Result, code: int, *texts: str) -> None:
    """The exit code, the words on stderr, and no traceback."""
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    for text in texts:
        assert text in result.stderr


@pytest.mark.parametrize("name", sorted(TABLE))
def test_every_command_of_the_table_can_be_imported_and_has_help(name: str) -> None:
    result = cellctl(name, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: ")


def test_an_unknown_command_is_a_usage_error_with_the_nearest_name() -> None:
    assert_said(cellctl("statsu"), 2, "no command is called 'statsu'", "did you mean status")


def test_an_unknown_line_is_a_usage_error_with_the_nearest_name() -> None:
    for command in (("up",), ("systemd",), ("doctor",)):
        assert_said(cellctl(*command, "pck"), 2, "no line is called 'pck'", "did you mean puck")
    assert_said(cellctl("check", "pck"), 2, "no line or recipe is called 'pck'", "did you mean puck")


def test_a_recipe_that_check_does_not_find_is_not_said_to_be_a_line() -> None:
    assert_said(
        cellctl("check", "sensor-puk"),
        2,
        "no line or recipe is called 'sensor-puk'",
        "did you mean sensor-puck",
    )


def test_a_path_that_is_not_there_is_a_usage_error_that_lists_the_known_lines() -> None:
    assert_said(
        cellctl("up", "here/line.yaml"),
        2,
        "there is no file here/line.yaml",
        "known by name: kitting, ",
        "puck",
    )


def test_a_directory_is_no_line(tmp_path: Path) -> None:
    assert_said(cellctl("up", str(tmp_path)), 2, "is a directory")


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff\xfe garbage", b"[1, 2]", b"line: 5", b"line: x\nmodules: {a: {kind: nosuch}}"]
)
def test_a_file_that_is_no_line_gives_findings_with_their_place(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    for command in (["up", str(path)], ["check", str(path)]):
        result = cellctl(*command)
        assert result.exit_code == 1
        assert "Traceback" not in result.output
        assert "bad.yaml:" in result.output


def test_wrong_types_and_missing_keys_are_all_found_in_one_run(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("line: bad\nrunner: {bus: 5}\nmodules:\n  belt: {kind: conveyor, speed: fast}\n")
    result = cellctl("check", "--json", str(path))
    lines = {finding["line"] for finding in json.loads(result.stdout)["findings"]}
    assert result.exit_code == 1
    assert {2, 4} <= lines


@pytest.mark.parametrize(
    "command",
    [
        ("status",),
        ("hold",),
        ("start",),
        ("order", "add", "sensor-puck/indoor:1"),
        ("recover",),
        ("trace", "p1"),
        ("report",),
        ("out", "arm"),
        ("mode", "arm", "manual"),
        ("load", "board", "--at", "boards.pick", "--lot", "L1", "--qty", "5"),
    ],
)
def test_a_line_that_was_never_started_is_said_to_be_so(command: tuple[str, ...], tmp_path: Path) -> None:
    assert_said(cellctl(*command), 2, "no line has been started from this directory", "cellctl up")
    result = cellctl(*command, "--state", str(tmp_path / "none"))
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert str(tmp_path / "none") in result.stderr


def deploy(state: Path) -> None:
    """A line that was up once."""
    processes = free_addresses(["runner", "belt"])
    deployments.save(
        Deployment(line="puck.yaml", digest="x", state=str(state), simulated=True, processes=processes)
    )


def test_a_line_that_is_down_says_how_to_start_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cellctl.live.client.UNSUPERVISED", 0.1)
    deploy(tmp_path / "state")
    result = cellctl("hold", "--state", str(tmp_path / "state"))
    assert_said(
        result, 1, "the runner at tcp://127.0.0.1:", "the line is down", "cellctl up puck.yaml --simulated"
    )


def test_down_of_a_line_that_is_down_is_well(tmp_path: Path) -> None:
    deploy(tmp_path / "state")
    assert_said(cellctl("down", "--state", str(tmp_path / "state")), 0, "no line is up")


def test_the_only_line_started_from_here_is_meant_and_several_must_be_told_apart(tmp_path: Path) -> None:
    deploy(tmp_path / ".cellctl" / "one")
    assert_said(cellctl("down"), 0, str(tmp_path / ".cellctl" / "one"))
    deploy(tmp_path / ".cellctl" / "two")
    assert_said(cellctl("down"), 2, "several lines were started from here", "Choose one with --state")


def test_the_environment_names_the_state_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELLCTL_STATE", str(tmp_path / "elsewhere"))
    assert_said(cellctl("status"), 1, str(tmp_path / "elsewhere"))


@pytest.mark.parametrize("text", ["{", '{"line": 5}', '{"format": 99}'])
def test_a_damaged_deployment_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "deployment.json").write_text(text)
    assert_said(cellctl("status", "--state", str(tmp_path)), 1, "deployment.json is not a deployment")


def test_records_of_simulated_parts_never_meet_the_real_line(tmp_path: Path) -> None:
    deploy(tmp_path)
    assert_said(cellctl("up", "puck", "--state", str(tmp_path)), 1, "records of a line on simulated devices")


def test_a_port_in_use_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = tmp_path / "lines" / "mine.yaml"
        line.parent.mkdir()
        line.write_text(SMALL_LINE.replace("PORT", str(port)))
        result = cellctl("up", "mine", "--simulated", "--state", str(tmp_path / "state"))
    assert_said(result, 1, f"runner cannot listen at tcp://127.0.0.1:{port}: the address is in use")


SMALL_LINE = """\
line: mine
runner: {bus: tcp://127.0.0.1:PORT}
modules:
  press:
    kind: machine
    devices: {plc: {use: handshake_machine, address: modbus-tcp://127.0.0.1:9}}
    stations: {bed: {}}
    at: press.bed
    programs: {close: {number: 1, time: 2 s}}
"""


@pytest.mark.parametrize(
    "order",
    ["sensor-puck/indoor:0", "sensor-puck/indoor:x", "/indoor:1", "nosuch/indoor:1", "sensor-puck//:1"],
)
def test_an_order_that_cannot_be_read_is_a_usage_error(order: str, tmp_path: Path) -> None:
    deploy(tmp_path)
    assert cellctl("order", "add", order, "--state", str(tmp_path)).exit_code == 2


def test_an_order_of_more_parts_than_a_runner_takes_is_a_usage_error_everywhere(tmp_path: Path) -> None:
    deploy(tmp_path)
    for command in (
        ("order", "add", "--state", str(tmp_path)),
        ("sim", "puck", "--order"),
        ("plan", "puck", "--order"),
    ):
        for quantity in (f"{MOST + 1}", "9" * 5000):
            result = cellctl(*command, f"sensor-puck/indoor:{quantity}")
            assert_said(result, 2, "at most 1,000,000 parts")
    assert read_order(f"sensor-puck/indoor:{MOST}", find_line("puck")).quantity == bodies.MOST


def test_a_line_is_not_offered_as_a_recipe_nor_a_recipe_as_a_line() -> None:
    result = cellctl("sim", "puck", "--order", "two-arms:1")
    assert_said(result, 2, "no recipe is called 'two-arms'", "sensor-puck")
    assert "kitting" not in result.stderr
    assert_said(cellctl("up", "sensor-puck"), 2, "no line is called 'sensor-puck'")


@pytest.mark.parametrize(
    "command",
    [
        ("schema", "line", "--write", "FILE/x"),
        ("systemd", "puck", "--write", "FILE/x"),
        ("keys", "make", "a", "--keys", "FILE/x"),
        ("up", "puck", "--simulated", "--detach", "--state", "FILE/x"),
    ],
)
def test_a_place_that_cannot_be_written_is_named_and_no_defect(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    result = cellctl(*(word.replace("FILE", str(tmp_path / "file")) for word in command))
    assert_said(result, 1, f"cannot use {tmp_path / 'file'}", "Not a directory")
    assert "defect" not in result.stderr


def test_a_full_disk_is_said_and_no_defect() -> None:
    result = CliRunner().invoke(_with(_on_a_full_disk), ["it"])
    assert_said(result, 1, "the disk does not take what is to be written: No space left on device")
    assert "defect" not in result.stderr


def test_a_directory_that_cannot_be_made_is_an_error_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = cellctl("up", "puck", "--simulated", "--state", str(tmp_path / "file" / "state"))
    assert_said(result, 1, "cannot use the state directory")


# --- what must not happen, and what the shell sees ----------------------------------------------------------------


@click.command()
def _broken() -> None:
    raise RuntimeError("a defect\nof two lines")


@click.command()
def _on_a_full_disk() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@click.command()
def _interrupted() -> None:
    raise KeyboardInterrupt


def _with(command: click.Command) -> LazyGroup:
    group = LazyGroup("cellctl", table={})
    group.add_command(command, "it")
    group.get_command = lambda ctx, cmd_name: command if cmd_name == "it" else None  # type: ignore[method-assign]
    group.list_commands = lambda ctx: ["it"]  # type: ignore[method-assign]
    return group


def test_an_unexpected_error_leaves_its_trace_in_a_file_that_is_named() -> None:
    result = CliRunner().invoke(_with(_broken), ["it"])
    assert_said(result, 1, "RuntimeError: a defect", "Its trace is in ")
    path = Path(result.stderr.split("Its trace is in ")[1].split(";")[0])
    assert "RuntimeError: a defect" in path.read_text()
    path.unlink()


def test_an_interrupt_exits_with_130() -> None:
    assert CliRunner().invoke(_with(_interrupted), ["it"]).exit_code == 130


def test_a_closed_pipe_is_no_error_message() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, "-m", "cellctl", "explain"], stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert done.stderr == b""


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from cellctl.cli.main import main;"
        "CliRunner().invoke(main, ['--help']);"
        "print(sorted({'numpy', 'scipy', 'pydantic', 'zmq', 'rich', 'yaml', 'asyncio'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_starting_a_module_process_imports_no_command_but_its_own() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from cellctl.cli.main import main;"
        "CliRunner().invoke(main, ['run-module', 'x', '--state', '/nowhere']);"
        "print(sorted({'rich', 'cellctl.cli.check', 'cellctl.cli.up', 'cellctl.runner'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_detached_line_gets_every_path_whole_as_it_runs_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(detach, "start_detached", lambda arguments, state: told.extend(arguments))
    assert (
        cellctl("up", "puck", "--simulated", "--detach", "--keys", "mine", "--state", "here").exit_code == 0
    )
    assert {str(tmp_path / "mine"), str(tmp_path / "here"), str(find_line("puck"))} <= set(told)


def test_records_of_real_parts_are_always_kept() -> None:
    assert_said(cellctl("up", "puck", "--keep"), 2, "records of real parts are always kept")


# --- before anything is asked -------------------------------------------------------------------------------------


def test_what_a_runner_would_not_take_of_a_lot_is_a_usage_error() -> None:
    lot = ("load", "board", "--at", "boards.pick", "--lot")
    assert_said(cellctl(*lot, " ", "--qty", "5"), 2, "--lot", "an empty text names nothing")
    assert_said(cellctl(*lot, "B7", "--qty", "1000001"), 2, "--qty", "1<=x<=1000000")


def test_a_time_without_its_unit_is_a_usage_error() -> None:
    assert_said(cellctl("up", "puck", "--hung-after", "5"), 2, "5 has no unit; write 5 s")


def test_a_program_that_is_checked_is_one_finding(tmp_path: Path) -> None:
    (tmp_path / "tool").write_bytes(bytes(range(256)) * 40)
    result = cellctl("check", "tool")
    assert result.exit_code == 1
    assert result.output.count("error[") == 1
    assert "the file is not text" in result.output


def test_a_trace_of_an_unexpected_error_is_a_new_file_for_its_owner_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("time.strftime", lambda *_: "20260101T000000")
    before = os.umask(0)
    try:
        paths = [write_crash(ValueError("no"), "cellctl") for _ in range(2)]
    finally:
        os.umask(before)
    assert len(set(paths)) == 2
    assert [path.stat().st_mode & 0o777 for path in paths] == [0o600, 0o600]
    assert "ValueError: no" in paths[0].read_text()


def test_the_files_of_a_line_that_is_up_are_for_their_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        process_table.save(process_table.ProcessTable(1, "puck", True, ()), tmp_path)
        write_table(tmp_path / "plant.json", Served(cast(Plant, None), {}, ""))
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"plant.json": 0o600, "processes.json": 0o600}


def test_a_full_disk_is_named_when_a_supervisor_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.pwrite", full)
    with (
        pytest.raises(DeploymentError, match=r"supervisor\.lock: No space left on device"),
        process_table.supervising(tmp_path),
    ):
        pass


def test_the_runners_journal_is_set_aside_last_so_that_the_next_start_finds_what_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("runner.sqlite", "arm.sqlite", "zeta.sqlite", "runner.sqlite-wal"):
        (tmp_path / name).touch()
    moved: list[str] = []
    rename = Path.rename
    monkeypatch.setattr(Path, "rename", lambda self, to: (moved.append(self.name), rename(self, to))[1])
    attend._begin(tmp_path, True, lambda _: None)
    assert moved[-1] == "runner.sqlite"
    assert sorted(moved) == ["arm.sqlite", "runner.sqlite", "runner.sqlite-wal", "zeta.sqlite"]
