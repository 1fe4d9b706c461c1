"""What brings things to rest is told to the modules before the runner's journal has it: it waits for no disk.

The request then takes its turn in the runner's loop like any other: there it is recorded, and answered.
"""

from __future__ import annotations

from cellctl.errors import CellctlError
from cellctl.messages import Instruct, Request
from cellctl.packml import NEEDS_NO_LEASE, StateCommand
from cellctl.runner.bodies import CommandBody, read
from cellctl.runner.clients import recorded_as
from cellctl.runner.fleet import Fleet
from cellctl.runner.line_state import LineState
from cellctl.runtime import Incoming


def rest_at_once(incoming: Incoming, fleet: Fleet, line_state: LineState) -> Instruct | None:
    """Tell the modules what a client's request would have them told: to hold, stop or abort.

    What was told when one module is meant, whose word on it is the reply. Anything else has no effect here, and what is
    wrong with it is said in its turn.
    """
    request = incoming.message
    if not isinstance(request, Request) or (asked := _asked(request)) is None:
        return None
    command, who = StateCommand(asked.command), recorded_as(request.who, incoming.key)
    if not asked.module:
        line_state.rest_at_once(command, who)
        return None
    remote = next((remote for remote in fleet if remote.name == asked.module and remote.alive), None)
    if remote is None:
        return None
    told = Instruct(remote.name, who, command, epoch=remote.epoch, id=fleet.next_id())
    remote.expect_word(told.id)
    line_state.note(remote.name, command)
    fleet.send_at_once(remote, told)
    return told


def _asked(request: Request) -> CommandBody | None:
    if request.verb != "command":
        return None
    try:
        asked = read(CommandBody, request.body)
    except CellctlError:
        return None
    return asked if asked.command in NEEDS_NO_LEASE else None
