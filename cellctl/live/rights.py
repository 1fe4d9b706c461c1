"""Who may say what to a server of the bus: pure, by the name of the peer. With keys a peer has the name of its key;
without them it has the name that it gives, which keeps mistakes out and nobody else.
"""

from __future__ import annotations

from cellctl.messages import Inquire, Instruct, Jog, LeaseRequest, LeaseReturned, Message, Request
from cellctl.packml import NEEDS_NO_LEASE

RUNNER = "runner"  # the only one who commands modules
OPERATOR = "operator"  # the command line on the line's controller
PANEL = "panel"  # and `panel-...`: panels at the modules
LONGEST_NAME = 64  # of a process or key
_LONGEST_PEER = LONGEST_NAME + 1 + 16  # with the number of its life


def is_name(name: str) -> bool:
    """Whether a process or a key may be called so: printable, without spaces and path separators."""
    return len(name) > 0 and name.isprintable() and not set(name) & set(" /")


def name_in(identity: bytes) -> str | None:
    """What a peer is called by its routing id; None when it has none, or one that cannot be printed."""
    try:
        peer = identity.decode()
    except UnicodeDecodeError:
        return None
    return peer if peer.isprintable() and 0 < len(peer) <= _LONGEST_PEER else None


def owner_of(peer: str) -> str:
    """The name of the process, and of its key, in what a peer is called: `runner` in `runner 8d3f`."""
    return peer.partition(" ")[0]


def is_panel(name: str) -> bool:
    """Whether the process or key of this name may move modules by hand: who holds it should see them."""
    return name in (OPERATOR, PANEL) or name.startswith(f"{PANEL}-")


def may_say(peer: str, message: Message) -> bool:
    """Whether this peer may send this to a server.

    Everybody may ask, and may bring things to rest; panels may move a module by hand, which it allows in manual mode.
    Whatever else moves something or changes what a module has on record is the runner's.
    """
    match message:
        case Request() | Inquire():
            return True
        case Jog() | LeaseReturned() | LeaseRequest(by_hand=True):
            return is_panel(owner_of(peer))
        case Instruct(command=command, mode=None) if command in NEEDS_NO_LEASE:
            return True
        case _:
            return owner_of(peer) == RUNNER
