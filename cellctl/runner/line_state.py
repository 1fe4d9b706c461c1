"""The line's own PackML state, and the modules brought along with it."""

from __future__ import annotations

from cellctl.flow.events import LineEntered
from cellctl.messages import Instruct
from cellctl.packml import State, StateCommand, after, completed
from cellctl.runner.alarms import AlarmBoard
from cellctl.runner.book import Book
from cellctl.runner.fleet import Fleet
from cellctl.runner.remote import Remote
from cellctl.runner.steering import has_arrived, instruction
from cellctl.runtime import Runtime

INSTRUCT_AGAIN = 2.0  # [s] after which an instruction that had no effect is given again


class LineState:
    """Enters states, and instructs every module that is in use until it is where the line wants it."""

    def __init__(
        self, runtime: Runtime, book: Book, fleet: Fleet, alarms: AlarmBoard, automatic: bool
    ) -> None:
        """`automatic`: modules that restarted or aborted are brought back without a person."""
        self._runtime, self._book, self._fleet, self._alarms = runtime, book, fleet, alarms
        self._automatic = automatic
        self._starting = False  # a person asked for Execute: go on from Stopped and Idle by itself

    @property
    def state(self) -> State:
        return self._book.state.packml

    def go_on_after_restart(self) -> None:
        """Where no person is asked for, nothing changes; else a line that was running is Stopped."""
        running = (State.EXECUTE, State.STARTING, State.UNHOLDING, State.RESETTING)
        if self.state in running and not self._automatic:
            self.enter(State.STOPPED, "restart")
            self._alarms.raise_alarm("R010", "runner", "the line was running when its runner stopped")

    def command(self, command: StateCommand, who: str) -> None:
        """A person's command to the line. Raises Refused where it is not legal."""
        self.enter(after(self.state, command), who)
        self.steer()

    def start(self, command: StateCommand, who: str) -> None:
        """The first command on the way to Execute; the others follow by themselves."""
        self._starting = True
        self._alarms.clear("R010", "runner")
        self.command(command, who)

    def enter(self, state: State, who: str) -> None:
        """The line enters a state."""
        self._book.record(LineEntered(state, self._book.state.mode, who, self._runtime.utc()))
        self._runtime.log.info("line state", state=state, who=who)

    def steer(self) -> None:
        """Bring every module that is in use to where the line wants it; go on when all are there."""
        used = [remote for remote in self._fleet if remote.name not in self._book.state.out]
        states = [remote.state for remote in used if remote.state is not None]
        if len(states) == len(used) and has_arrived(self.state, states):
            self.enter(completed(self.state), "runner")
            self._go_on()
        for remote in used:
            if remote.alive and remote.epoch and remote.state is not None:
                self._instruct(remote, remote.state)

    def _go_on(self) -> None:
        following = {State.STOPPED: State.RESETTING, State.IDLE: State.STARTING}.get(self.state)
        if self._starting and following is not None:
            self.enter(following, "runner")
        if self.state in (State.EXECUTE, State.HELD, State.ABORTED):
            self._starting = False

    def _instruct(self, remote: Remote, state: State) -> None:
        stopped = state in (State.STOPPED, State.IDLE, State.ABORTED) and self.state is State.EXECUTE
        if stopped and not self._automatic:
            self._alarms.raise_alarm("R013", remote.name, f"{remote.name} is {state} while the line executes")
            return
        self._alarms.clear("R013", remote.name)
        command = instruction(self.state, state, by_itself=self._automatic)
        now = self._runtime.now()
        if command is None or (
            remote.told and remote.told[0] is state and now - remote.told[1] < INSTRUCT_AGAIN
        ):
            return
        remote.told = (state, now)
        self._fleet.send(remote, Instruct(remote.name, "runner", command, epoch=remote.epoch))
