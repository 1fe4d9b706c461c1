"""Who is there, by the rules: time is an argument, nobody waits."""

from __future__ import annotations

import os

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellctl.live.liveness import SILENCE, Presence, Reach, heartbeat, incarnation_in

OLD, NEW = b"old-life", b"new-life"


def test_a_peer_is_told_as_there_once_and_as_silent_once() -> None:
    presence = Presence()
    assert presence.hear("runner", 0.0)
    assert not presence.hear("runner", 0.9)
    assert presence.fallen_silent(0.9 + SILENCE) == []
    assert presence.fallen_silent(1.0 + SILENCE) == ["runner"]
    assert presence.fallen_silent(9.0) == []
    assert presence.hear("runner", 9.0)


def test_peers_fall_silent_in_the_order_in_which_they_came() -> None:
    presence = Presence()
    for peer in ("c", "a", "b"):
        presence.hear(peer, 0.0)
    assert presence.fallen_silent(5.0) == ["c", "a", "b"]


def test_a_server_is_there_when_both_paths_are_heard() -> None:
    reach = Reach()
    assert reach.hear("commands", 0.0, OLD) is None
    assert reach.hear("events", 0.1) is None  # an event alone does not say whose it is
    assert reach.hear("events", 0.1, OLD) is True
    assert reach.alive


@pytest.mark.parametrize("silent_path", ["commands", "events"])
def test_a_server_is_silent_when_one_path_is(silent_path: str) -> None:
    reach = Reach()
    for path in ("commands", "events"):
        reach.hear(path, 0.0, OLD)
    other = {"commands": "events", "events": "commands"}[silent_path]
    reach.hear(other, 1.0, OLD)
    assert reach.look(SILENCE) is None
    assert reach.look(SILENCE + 0.1) is False
    assert reach.look(SILENCE + 0.2) is None
    assert reach.hear(silent_path, SILENCE + 0.3, OLD) is True


@pytest.mark.parametrize("paths", [("commands", "events"), ("events", "commands")])
def test_a_server_that_restarts_is_gone_until_both_paths_are_the_new_one_s(paths: tuple[str, str]) -> None:
    reach = Reach()
    for path in paths:
        reach.hear(path, 0.0, OLD)
    assert reach.hear(paths[0], 0.2, NEW) is False
    assert reach.hear(paths[0], 0.3, NEW) is None
    assert reach.hear(paths[1], 0.3, NEW) is True


def test_a_heartbeat_is_known_by_its_incarnation() -> None:
    assert incarnation_in(heartbeat(OLD)) == OLD


@given(st.binary(max_size=40))
def test_only_nine_bytes_with_the_mark_are_a_heartbeat(frame: bytes) -> None:
    assert (incarnation_in(frame) is not None) == (len(frame) == 9 and frame[0] == 0xC1)


def test_no_messagepack_value_is_taken_for_a_heartbeat() -> None:
    """0xC1 is the byte that MessagePack never uses: its own decoder must refuse every heartbeat."""
    with pytest.raises(msgspec.DecodeError):
        msgspec.msgpack.decode(heartbeat(os.urandom(8)))
