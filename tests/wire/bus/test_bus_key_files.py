"""Key files: whose they are, what they hold, and how they come and go."""

from __future__ import annotations

import asyncio
import os
import re
import stat
from pathlib import Path

import pytest
import zmq
from bus_bench import Lines, connected, exchange, serving, until

from cellctl.errors import BusError
from cellctl.live import curve


def test_the_secret_key_file_belongs_to_its_owner_alone_and_is_never_replaced(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        pair = curve.make_keys(tmp_path, "belt")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "belt.secret").stat().st_mode) == 0o600
    assert curve.load_keys(tmp_path, "belt") == pair
    with pytest.raises(BusError, match=r"there is a key at .*belt\.secret already"):
        curve.make_keys(tmp_path, "belt")
    assert curve.load_keys(tmp_path, "belt") == pair


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666])
def test_a_secret_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    curve.make_keys(tmp_path, "belt")
    (tmp_path / "belt.secret").chmod(mode)
    with pytest.raises(BusError, match=r"others can read .*belt\.secret.*chmod 600"):
        curve.load_keys(tmp_path, "belt")


def test_a_process_whose_secret_others_can_read_does_not_serve(keys_of_line: Path) -> None:
    (keys_of_line / "belt.secret").chmod(0o644)

    async def main() -> None:
        async with serving(keys_of_line):
            pass

    with pytest.raises(BusError, match="others can read"):
        asyncio.run(main())


def test_a_missing_key_says_which_command_makes_it(tmp_path: Path) -> None:
    with pytest.raises(BusError, match=r"press has no key: .*cellctl keys make press"):
        curve.load_keys(tmp_path, "press")


def test_a_server_that_is_not_trusted_is_named_with_its_nearest(keys_of_line: Path) -> None:
    with pytest.raises(BusError, match=r"'bolt'; did you mean belt.*cellctl keys trust"):
        curve.public_key_of(keys_of_line, "bolt")


@pytest.mark.parametrize("content", ["", "short\n", "x" * 40 + "\n" + "y" * 40 + "\n", "\x00" * 40, "é" * 40])
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "belt.public").write_text(content)
    with pytest.raises(BusError, match=r"belt\.public"):
        curve.trust(tmp_path, tmp_path / "belt.public")


def test_the_printed_form_of_a_key_pair_does_not_show_the_secret(tmp_path: Path) -> None:
    pair = curve.make_keys(tmp_path, "belt")
    assert pair.secret.decode() not in f"{pair} {pair!r}"
    assert re.search("'belt'", repr(pair))


def test_the_public_key_is_the_one_that_libsodium_derives_from_the_secret(tmp_path: Path) -> None:
    pair = curve.make_keys(tmp_path, "belt")
    assert zmq.curve_public(pair.secret) == pair.public
    assert curve.trusted(tmp_path) == {}
    curve.trust(tmp_path, tmp_path / "belt.public")
    assert curve.trusted(tmp_path) == {pair.public: "belt"}


# --- files that come and go ---------------------------------------------------------------------------------------


def test_a_link_that_leads_nowhere_among_the_trusted_keys_lets_nobody_in_and_keeps_nobody_out(
    keys_of_line: Path,
) -> None:
    (keys_of_line / "trusted" / "gone.public").symlink_to(keys_of_line / "nowhere")

    async def main() -> None:
        async with (
            serving(keys_of_line) as server,
            connected("runner", keys_of_line, server.addresses) as peer,
        ):
            await exchange(server, peer)

    asyncio.run(main())


def test_keys_that_cannot_be_looked_at_once_refuse_once_and_nobody_is_locked_out_for_good(
    keys_of_line: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, answers = Lines(), [PermissionError(13, "Permission denied"), None]
    trusted = curve.trusted

    def sometimes(directory: Path) -> dict[bytes, str]:
        problem = answers.pop(0) if answers else None
        if problem:
            raise problem
        return trusted(directory)

    async def main() -> None:
        async with serving(keys_of_line, log) as server:
            monkeypatch.setattr(curve, "trusted", sometimes)
            with zmq.Context() as context, context.socket(zmq.DEALER) as sock:  # trusts the server already
                sock.setsockopt(zmq.LINGER, 0)
                curve.secure_client(
                    sock,
                    curve.load_keys(keys_of_line, "runner"),
                    curve.load_keys(keys_of_line, "belt").public,
                )
                sock.connect(server.addresses.commands)
                await until(lambda: bool(log.about("trusted keys cannot be used")))
            async with connected("runner", keys_of_line, server.addresses) as peer:
                await exchange(server, peer)

    asyncio.run(main())
