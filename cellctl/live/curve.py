"""CURVE keys as files, and who may speak on the line's bus.

A keys directory holds `NAME.secret` (0600) and `NAME.public` for each of its own processes, and `trusted/NAME.public`
for everyone who may connect, themselves included. Adding or removing a trusted file acts on the next handshake.
"""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import zmq
from zmq.utils import z85

from cellctl.errors import BusError, UnknownName
from cellctl.live.rights import is_name
from cellctl.live.sockets import LoopSocket, bind
from cellctl.runtime import Log

_ZAP = "inproc://zeromq.zap.01"  # where libzmq asks whether a key may connect (RFC 27)
_MANY = 1000  # unknown keys counted one by one before the counts start anew


@dataclass(frozen=True, slots=True)
class KeyPair:
    """The keys of one process, as Z85 text in bytes. Its printed form does not show the secret."""

    name: str
    public: bytes
    secret: bytes

    def __repr__(self) -> str:
        return f"KeyPair({self.name!r}, {self.public.decode()!r})"


def make_keys(directory: Path, name: str) -> KeyPair:
    """Make and store a key pair. Raises BusError when there is one already (peers trust it), or for no usable name."""
    _check_name(name)
    public, secret = zmq.curve_keypair()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(
        directory / f"{name}.secret", f"# cellctl: secret key of {name}; never copy or show it", secret, 0o600
    )
    _write(
        directory / f"{name}.public", f"# cellctl: public key of {name}; give it to its peers", public, 0o644
    )
    return KeyPair(name, public, secret)


def trust(directory: Path, public_file: Path) -> str:
    """Let the owner of this public key connect, and connect to it; its name. Raises BusError for what is no key."""
    name, key = public_file.name.removesuffix(".public"), _read(public_file)
    _check_name(name)
    trusted_directory = directory / "trusted"
    trusted_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = trusted_directory / f"{name}.public"
    if not (target.exists() and _read(target) == key):
        _write(target, f"# cellctl: {name} may connect to this line", key, 0o644)
    return name


def _check_name(name: str) -> None:
    if not is_name(name):  # who goes by the name of a key must not be taken for another
        raise BusError(f"a key cannot be called {name!r}: printable characters, no spaces and no slashes")


def load_keys(directory: Path, name: str) -> KeyPair:
    """The stored pair. Raises BusError when it is missing, or when others than its owner can read the secret."""
    path = directory / f"{name}.secret"
    if not path.exists():
        raise BusError(f"{name} has no key: {path} is missing. Make one with `cellctl keys make {name}`")
    _refuse_if_open(path, stat.S_IRWXG | stat.S_IRWXO, "read", "chmod 600")
    secret = _read(path)
    return KeyPair(name, zmq.curve_public(secret), secret)


def trusted(directory: Path) -> dict[bytes, str]:
    """Public key -> name of everyone who may connect. Raises BusError when others could add to them.

    Files may come and go meanwhile: one that is gone by now, or a link that leads nowhere, lets nobody in.
    """
    folder = directory / "trusted"
    if not folder.is_dir():
        return {}
    _refuse_if_open(folder, stat.S_IWGRP | stat.S_IWOTH, "change", "chmod go-w")
    keys = {}
    for path in sorted(folder.glob("*.public")):
        if not is_name(path.stem) or not path.exists():
            continue
        _refuse_if_open(path, stat.S_IWGRP | stat.S_IWOTH, "change", "chmod go-w")
        keys[_read(path)] = path.stem
    return keys


def public_key_of(directory: Path, name: str) -> bytes:
    """The trusted public key of a server. Raises BusError when it is not trusted here."""
    by_name = {owner: key for key, owner in trusted(directory).items()}
    if name not in by_name:
        hint = f"{UnknownName('trusted key', name, by_name)}. Copy {name}.public here and run"
        raise BusError(f"{hint} `cellctl keys trust {name}.public`")
    return by_name[name]


def secure_server(socket: zmq.Socket[bytes], keys: KeyPair) -> None:
    """Let nobody connect to this socket but trusted keys, and encrypt."""
    socket.setsockopt(zmq.CURVE_SERVER, 1)
    socket.setsockopt(zmq.CURVE_SECRETKEY, keys.secret)
    socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.public)
    socket.setsockopt(zmq.ZAP_DOMAIN, b"cellctl")
    socket.setsockopt(zmq.ZAP_ENFORCE_DOMAIN, 1)  # without a doorkeeper nobody gets in, instead of everybody


def secure_client(socket: zmq.Socket[bytes], keys: KeyPair, server: bytes) -> None:
    """Connect with these keys, and only to the owner of the `server` key."""
    socket.setsockopt(zmq.CURVE_SECRETKEY, keys.secret)
    socket.setsockopt(zmq.CURVE_PUBLICKEY, keys.public)
    socket.setsockopt(zmq.CURVE_SERVERKEY, server)


class Doorkeeper:
    """Answers libzmq's question whether a key may connect (ZAP 1.0), and names in the log whom it turns away."""

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], allowed: Callable[[], dict[bytes, str]], log: Log
    ) -> None:
        self._allowed, self._log = allowed, log
        self.refused: Counter[bytes] = Counter()
        socket = context.socket(zmq.REP)
        socket.setsockopt(zmq.LINGER, 0)
        bind(socket, _ZAP)
        self._socket = LoopSocket(socket, self._answer)

    def close(self) -> None:
        self._socket.close()

    def _answer(self, frames: list[bytes]) -> None:
        version, request, _domain, address, _identity, mechanism, *credentials = frames
        key = z85.encode(credentials[0]) if mechanism == b"CURVE" and credentials else b""
        name = self._name_of(key)
        if name:
            self._socket.send(version, request, b"200", b"OK", name.encode(), b"")
        else:
            self._turn_away(key, address.decode())
            self._socket.send(version, request, b"400", b"key not trusted", b"", b"")

    def _name_of(self, key: bytes) -> str:
        try:
            return self._allowed().get(key, "")
        except (BusError, OSError) as error:  # whatever it is: unanswered, libzmq would never ask again
            self._log.error("the trusted keys cannot be used; nobody can connect", why=str(error))
            return ""

    def _turn_away(self, key: bytes, address: str) -> None:
        if len(self.refused) > _MANY:
            self.refused.clear()
        self.refused[key] += 1
        if rarely(self.refused[key]):
            self._log.warning(
                "a client was turned away: its key is not trusted here",
                address=address,
                key=key.decode() or "none",
                times=self.refused[key],
                remedy="if it belongs to the line: `cellctl keys trust NAME.public`",
            )


def rarely(count: int) -> bool:
    """True for 1, 2, 4, 8...: what repeats is logged ever more seldom."""
    return count & (count - 1) == 0


# --- files ------------------------------------------------------------------------------------------------------


def _write(path: Path, comment: str, key: bytes, mode: int) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        raise BusError(f"there is a key at {path} already; remove it first if it shall be replaced") from None
    with os.fdopen(handle, "w") as file:
        file.write(f"{comment}\n{key.decode()}\n")


def _read(path: Path) -> bytes:
    try:
        text = path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise BusError(f"the key {path} cannot be read: {error}") from error
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if len(lines) != 1 or not re.fullmatch(
        r"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}", lines[0]
    ):  # Z85, RFC 32
        raise BusError(f"{path} is not a cellctl key: it should hold one line of 40 characters")
    return lines[0].encode()


def _refuse_if_open(path: Path, others: int, verb: str, remedy: str) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise BusError(f"{path} cannot be looked at: {error.strerror or error}") from error
    if mode & others:
        raise BusError(f"others can {verb} {path}; refused. Run `{remedy} {path}`")
