"""The line's own PackML state, and the modules brought along with it."""

from __future__ import annotations

from cellctl.errors import Refused
from cellctl.flow.events import LineEntered
from cellctl.messages import Instruct, View
from cellctl.packml import NEEDS_NO_LEASE, State, StateCommand, after, commands_in, completed
from cellctl.runner.alarms import COMES_BACK, AlarmBoard
from cellctl.runner.book import Book
from cellctl.runner.clearance import Clearance
from cellctl.runner.clients import OWN
from cellctl.runner.fleet import Fleet
from cellctl.runner.guards import Guards
from cellctl.runner.relapses import Relapses
from cellctl.runner.remote import Remote
from cellctl.runner.standstill import standstill
from cellctl.runner.steering import TO_REST, UNSEEN, has_arrived, instruction
from cellctl.runtime import Runtime

INSTRUCT_AGAIN = 2.0  # [s] after which an instruction that had no effect is given again


RESTART = "restart"  # who stopped the line, when its runner began anew
SAFETY = "safety"  # who aborted a module, when it was a guard: only a person brings it back
_BY_ITSELF = ("fault", "runner", "")  # who aborted it, where it may be brought back without a person


class LineState:
    """Enters states, and instructs every module that is in use until it is where the line wants it."""

    def __init__(
        self,
        runtime: Runtime,
        book: Book,
        fleet: Fleet,
        alarms: AlarmBoard,
        clearance: Clearance,
        guards: Guards,
        automatic: bool,
    ) -> None:
        """`automatic`: modules that restarted or aborted are brought back without a person."""
        self._runtime, self._book, self._fleet, self._alarms = runtime, book, fleet, alarms
        self._clearance, self._guards, self._automatic = clearance, guards, automatic
        self._relapses = Relapses()
        self._taken_off: set[str] = set()  # modules that a person stopped, until one starts them
        self._coming: set[str] = set()  # modules that a person brings along to a line that executes

    @property
    def state(self) -> State:
        return self._book.state.packml

    def go_on_after_restart(self) -> None:
        """Where no person is asked for, nothing changes; else a line that was running stops with its modules."""
        running = (State.EXECUTE, State.STARTING, State.UNHOLDING, State.RESETTING)
        if self.state in running and not self._automatic:
            self.enter(State.STOPPING, RESTART)
            self._alarms.raise_alarm("R010", "runner", "the line was running when its runner stopped")

    def command(self, command: StateCommand, who: str, starting: bool = False) -> None:
        """A person's command to the line. Raises Refused where it is not legal, or must not be given now."""
        self._check_hands(command)
        self._clearance.check(command, [remote.name for remote in self._used()])
        target = after(self.state, command)
        if command in (StateCommand.RESET, StateCommand.START):
            self._taken_off.clear()
        self.enter(target, who, starting)  # whatever was under way, this is the last word
        self.steer()

    def _check_hands(self, command: StateCommand) -> None:
        """Raises Refused for what would bring the line on while a module in use is moved by hand."""
        by_hand = [remote.name for remote in self._used() if remote.is_in_hands]
        if by_hand and command not in (*NEEDS_NO_LEASE, StateCommand.CLEAR):
            raise Refused(
                f"{' and '.join(by_hand)} is in manual mode; before you {command} the line say "
                f"`cellctl mode {by_hand[0]} production`, or `cellctl out {by_hand[0]}` to go on without it"
            )

    def rest_at_once(self, command: StateCommand, who: str) -> None:
        """Tell the modules already now to hold, stop or abort; that the line does, too, is recorded in its turn.

        Does nothing where the command is not legal: it is refused in its turn.
        """
        if command not in commands_in(self.state):
            return
        target, again = after(self.state, command), self._runtime.now() + INSTRUCT_AGAIN
        for remote in self._fleet:
            state = remote.state
            told = command if state is None else instruction(target, state, by_itself=False)
            if told is not None:
                remote.told = (state, told, again)
                self._fleet.send_at_once(remote, self._unanswered(remote, told, who))

    def bring_along(self, who: str) -> list[str]:
        """The modules that stand since their process ended, while the line executes: a person has them go on.

        Raises Refused while they must not.
        """
        standing = [r.name for r in self._used() if r.view is not None and _stands_by_itself(r.view)]
        if standing:
            self._check_hands(StateCommand.START)
            self._clearance.check(StateCommand.START, standing)
            self._runtime.log.info("modules come along", who=who, modules=standing)
            self._coming.update(standing)
            self.steer()
        return standing

    def note(self, module: str, command: StateCommand) -> None:
        """A person gives a module this command: one that is stopped goes on only when a person starts it."""
        if command is StateCommand.STOP:
            self._taken_off.add(module)
        elif command is not StateCommand.RESET:
            self._taken_off.discard(module)

    def start(self, command: StateCommand, who: str) -> None:
        """The first command on the way to Execute; the others follow by themselves."""
        self.command(command, who, starting=True)
        self._alarms.clear("R010", "runner")

    def enter(self, state: State, who: str, starting: bool = False) -> None:
        """The line enters a state; `starting` where it is to go on to Execute by itself."""
        self._book.record(LineEntered(state, self._book.state.mode, who, self._runtime.utc(), starting))
        self._runtime.log.info("line state", state=state, who=who)

    def steer(self) -> None:
        """Bring every module that is in use to where the line wants it; go on when all are there.

        What brings things to rest concerns those taken out of use as well, as far as they are heard.
        """
        if self.state is not State.EXECUTE:
            self._arrive()
        if self._coming:
            self._coming = {name for name in self._coming if self._is_coming(self._fleet[name])}
        astray = [r for r in self._used() if r.view is not None and not r.works]
        self._alarms.show("R013", self._stopped(astray), COMES_BACK)
        self._alarms.show("R016", self._standing_still(astray))
        for remote in astray if self.state is State.EXECUTE else self._concerned():
            if remote.alive and remote.view is not None:
                self._instruct(remote, remote.view)
            elif remote.alive and self.state in UNSEEN:
                self._tell(remote, None, UNSEEN[self.state], "runner")
        if self._guards.exist:
            self._heed_guards()

    def _arrive(self) -> None:
        if has_arrived(self.state, [remote.state for remote in self._concerned()]):
            there = completed(self.state)
            self.enter(there, "runner", self._book.state.starting and there is not State.EXECUTE)
            self._go_on()

    def _heed_guards(self) -> None:
        for remote in self._fleet:
            if remote.view is not None and self._guards.tripped((remote.name,)):
                self._abort_for_safety(remote, remote.view)
        self._guards.settle()

    def _used(self) -> list[Remote]:
        out = self._book.state.out
        return [remote for remote in self._fleet if remote.name not in out]

    def _concerned(self) -> list[Remote]:
        """The modules that the line's state concerns."""
        if self.state not in TO_REST:
            return self._used()
        out = self._book.state.out
        return [remote for remote in self._fleet if remote.name not in out or remote.state is not None]

    def _abort_for_safety(self, remote: Remote, view: View) -> None:
        is_there = view.state in (State.ABORTING, State.ABORTED)
        if not (is_there and view.entered_by == SAFETY):
            self._tell(remote, view.state, StateCommand.ABORT, SAFETY)

    def _go_on(self) -> None:
        following = {State.STOPPED: State.RESETTING, State.IDLE: State.STARTING}.get(self.state)
        if self._book.state.starting and following is not None:
            self.enter(following, "runner", starting=True)

    def _stopped(self, used: list[Remote]) -> dict[str, str]:
        """The modules in use that only a person brings back, and that in words."""
        return {
            remote.name: f"{remote.name} is {remote.state} while the line executes"
            for remote in used
            if remote.view is not None and self._waits_for_a_person(remote.view)
        }

    def _standing_still(self, used: list[Remote]) -> dict[str, str]:
        """The modules in use that do nothing while the line is to run, until a person changes that; and why."""
        found = {
            remote.name: standstill(self.state, remote.view) for remote in used if remote.view is not None
        }
        return {name: why + self._task_of(name) for name, why in found.items() if why}

    def _task_of(self, module: str) -> str:
        jobs = [job for job in self._book.state.commands().values() if job.module == module]
        tasks = [f"{job.step or job.skill} of {' and '.join(job.parts)}" for job in jobs if job.parts]
        return f"; {', '.join(tasks)} waits for it" if tasks else ""

    def _waits_for_a_person(self, view: View) -> bool:
        if self.state is not State.EXECUTE:
            return False
        if view.state is State.ABORTED and view.entered_by not in _BY_ITSELF:
            return True
        if view.module in self._taken_off and view.state in (State.STOPPED, State.IDLE):
            return True
        if self._automatic or (view.module in self._coming and _stands_by_itself(view)):
            return False
        return view.state in (State.STOPPED, State.IDLE, State.ABORTED)

    def _is_coming(self, remote: Remote) -> bool:
        """Whether a module that a person brings along is still on its way."""
        if self.state is not State.EXECUTE or remote.view is None:
            return False
        return _stands_by_itself(remote.view) or remote.state in (State.RESETTING, State.STARTING)

    def _instruct(self, remote: Remote, view: View) -> None:
        by_itself = self._automatic and view.entered_by in _BY_ITSELF
        command = instruction(self.state, view.state, by_itself=by_itself)
        if command is None or self._waits_for_a_person(view) or not self._clearance.allows(command, remote):
            return
        if command is StateCommand.CLEAR and not self._may_clear(remote):
            return
        if remote.epoch or command in NEEDS_NO_LEASE:
            self._tell(remote, view.state, command, "runner")

    def _may_clear(self, remote: Remote) -> bool:
        """Whether its turn has come; at once where a person clears the line."""
        return self.state is State.CLEARING or self._relapses.may_clear(remote.name, self._runtime.now())

    def _unanswered(self, remote: Remote, command: StateCommand, who: str) -> Instruct:
        """With an id for which nobody waits: it may not be legal any more, and then nobody wants to hear of it."""
        return Instruct(remote.name, who, command, epoch=remote.epoch, id=self._fleet.next_id())

    def _tell(self, remote: Remote, state: State | None, command: StateCommand, who: str) -> None:
        now = self._runtime.now()
        if remote.told and remote.told[:2] == (state, command) and now < remote.told[2]:
            return
        remote.told = (state, command, now + INSTRUCT_AGAIN)
        if command is StateCommand.CLEAR and who == "runner" and self.state is not State.CLEARING:
            self._relapses.cleared(remote.name, now)
        if state is None:
            self._fleet.send(remote, self._unanswered(remote, command, who))
        else:
            self._fleet.send(remote, Instruct(remote.name, who, command, epoch=remote.epoch))


def _stands_by_itself(view: View) -> bool:
    """Whether a module stands, and no person brought it to rest."""
    return view.state in (State.STOPPED, State.IDLE, State.COMPLETE) and view.entered_by in OWN
