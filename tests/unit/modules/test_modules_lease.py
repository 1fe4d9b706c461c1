"""Who may command: the lease, its epochs, repeated and stale messages, cancelling."""

from types import ModuleType

import msgspec

from cellctl.journal import ActionBegan, LeaseTaken
from cellctl.messages import (
    Accepted,
    Answer,
    Cancel,
    Command,
    Head,
    LeaseDenied,
    LeaseGranted,
    LeaseRequest,
    Refusal,
    TooLate,
)
from cellctl.packml import State, StateCommand


def last(client: object, kind: type) -> object:
    return [m for m in client.heard if isinstance(m, kind)][-1]


def count(client: object, kind: type) -> int:
    return sum(isinstance(m, kind) for m in client.heard)


def test_a_second_holder_is_denied_while_the_first_is_there(bench: ModuleType) -> None:
    client, other = bench.Client([bench.MEASURE]), bench.Client([bench.MEASURE], holder="panel")
    with bench.Run(bench.a_gauge(), client) as run:
        run.until_done()
        run.universe.start("other", other.run)
        run.pause(2.0)
    denied = last(other, LeaseDenied)
    assert denied.holder == "runner"
    assert not count(other, LeaseGranted)


def test_the_next_holder_goes_on_after_the_first_fell_silent(bench: ModuleType) -> None:
    client, other = bench.Client([bench.PRESS]), bench.Client([bench.PRESS], holder="panel")
    built = bench.a_press()
    with bench.Run(built, client) as run:
        run.until(lambda: built.world.count["ran"] == 1)
        run.universe.kill("client")
        run.pause(2.0)
        run.universe.start("other", other.run)
        run.until(lambda: bool(other.done_at))
        states = run.states()
    assert last(other, LeaseGranted).epoch > client.epoch
    assert states[-2:] == [State.SUSPENDED, State.EXECUTE]
    assert built.world.count["ran"] == 1


def test_a_silent_holder_suspends_after_the_command_in_hand_and_its_return_goes_on(bench: ModuleType) -> None:
    client, built = bench.Client([bench.PRESS]), bench.a_press()
    built.world.program_time = 3.0
    with bench.Run(built, client) as run:
        run.until(lambda: built.world.count["ran"] == 1)
        run.universe.bus.cut("client", "cell")
        run.until(lambda: run.states()[-1] is State.SUSPENDED)
        assert [type(record).__name__ for record in run.records()][-2:] == ["Answered", "Entered"]
        run.universe.bus.mend("client", "cell")
        run.until_state(State.EXECUTE)
        run.until_done()
    assert client.answers[1].outcome == "done"


def test_epochs_only_rise_over_restarts(bench: ModuleType) -> None:
    client = bench.Client([bench.MEASURE])
    with bench.Run(bench.a_gauge(), client) as run:
        for _ in range(3):
            run.pause(1.0)
            run.universe.restart("cell")
        run.until_done()
    epochs = [m.epoch for m in client.heard if isinstance(m, LeaseGranted)]
    assert epochs == sorted(set(epochs))


def test_a_command_of_another_epoch_is_refused_as_lease_lost(bench: ModuleType) -> None:
    client = bench.Client([bench.MEASURE])
    with bench.Run(bench.a_gauge(), client) as run:
        run.until_done()
        old = client.epoch
        client.send(LeaseRequest("gauge", "runner"))
        run.until(lambda: client.epoch > old)
        for epoch in (old, client.epoch + 1, 0):
            client.heard.clear()
            client.send(msgspec.structs.replace(bench.MEASURE, number=2, epoch=epoch))
            run.pause(0.1)
            assert last(client, Refusal).lease_lost
        assert 2 not in client.answers


def test_a_holder_whose_journal_became_shorter_is_refused_with_an_alarm(bench: ModuleType) -> None:
    client = bench.Client([bench.MEASURE])
    with bench.Run(bench.a_gauge(), client) as run:
        run.until_done()
        client.send(LeaseRequest("gauge", "runner", Head(9, "aa")))
        run.pause(0.1)
        client.send(LeaseRequest("gauge", "runner", Head(5, "bb")))
        run.pause(0.1)
        assert "records were lost" in last(client, LeaseDenied).why
        assert any(a.code == "M030" for a in client.view.alarms)


def test_a_holder_whose_journal_grew_again_has_to_show_the_record_that_was_seen(bench: ModuleType) -> None:
    client = bench.Client([bench.MEASURE])
    with bench.Run(bench.a_gauge(), client) as run:
        run.until_done()
        client.send(LeaseRequest("gauge", "runner", Head(9, "aa")))
        run.pause(0.1)
        granted = count(client, LeaseGranted)
        client.send(LeaseRequest("gauge", "runner", Head(30, "bb")))
        run.pause(0.1)
        assert last(client, LeaseDenied).seen == Head(9, "aa")
        client.send(LeaseRequest("gauge", "runner", Head(30, "bb"), proof=Head(9, "bb")))
        run.pause(0.1)
        assert count(client, LeaseGranted) == granted
        client.send(LeaseRequest("gauge", "runner", Head(30, "bb"), proof=Head(9, "aa")))
        run.pause(0.1)
        assert count(client, LeaseGranted) == granted + 1


def test_a_module_whose_journal_lost_records_says_so_although_it_grew_again(bench: ModuleType) -> None:
    client = bench.Client([bench.MEASURE])
    with bench.Run(bench.a_gauge(), client) as run:
        run.until_done()
        seen = last(client, Answer).head
        run.universe.kill("cell")
        del run.universe.disk("cell").durable[-2:]
        run.restart()
        run.until(lambda: client.epoch > 0)
        run.until(lambda: run.inquire().head.sequence > seen.sequence)
        client.send(LeaseRequest("gauge", "runner", seen=seen))
        run.pause(0.1)
        assert last(client, LeaseDenied).is_lost
        client.send(LeaseRequest("gauge", "runner", seen=client.view.head))
        run.pause(0.1)
        assert client.heard.index(last(client, LeaseGranted)) > client.heard.index(last(client, LeaseDenied))


def test_action_numbers_leap_where_a_person_accepts_lost_records(bench: ModuleType) -> None:
    client, built = bench.Client([bench.PRESS]), bench.a_press()
    with bench.Run(built, client) as run:
        run.until_done()
        before = [r.action for r in run.records() if isinstance(r, ActionBegan)]
        client.send(LeaseRequest("press", "runner", accepted_by="me: looked"))
        run.pause(0.1)
        client.commands, client.done_at = [msgspec.structs.replace(bench.PRESS, number=2)], 0.0
        run.until(lambda: 2 in client.answers)
        after = [r.action for r in run.records() if isinstance(r, ActionBegan)]
        assert [r.accepted_by for r in run.records() if isinstance(r, LeaseTaken)].count("me: looked") == 1
    assert min(before) > 1  # a new journal does not begin where every other one did
    assert after[-1] > max(before) + 2


def test_a_repeated_number_gets_the_stored_answer_also_after_a_restart(bench: ModuleType) -> None:
    client, built = bench.Client([bench.PRESS]), bench.a_press()
    with bench.Run(built, client) as run:
        run.until_done()
        first = client.all_answers[-1]
        run.restart()
        run.until_state(State.EXECUTE)
        client.send(msgspec.structs.replace(bench.PRESS, epoch=client.epoch))
        run.pause(0.2)
        again = client.all_answers[-1]
    assert again is not first
    assert msgspec.structs.replace(again, head=first.head) == first
    assert built.world.count["ran"] == 1


def test_a_number_in_hand_is_accepted_again_and_not_done_twice(bench: ModuleType) -> None:
    client, built = bench.Client([bench.PRESS]), bench.a_press()
    with bench.Run(built, client) as run:
        run.until(lambda: built.world.count["ran"] == 1)
        before = count(client, Accepted)
        client.send(msgspec.structs.replace(bench.PRESS, epoch=client.epoch))
        run.pause(0.1)
        assert count(client, Accepted) == before + 1
        run.until_done()
    assert built.world.count["ran"] == 1


def test_a_number_below_the_oldest_is_forgotten_and_refused(bench: ModuleType) -> None:
    client, built = bench.Client([bench.PRESS]), bench.a_press()
    with bench.Run(built, client) as run:
        run.until_done()
        client.commands = [msgspec.structs.replace(bench.PRESS, number=2)]
        client.done_at = 0.0
        run.until(lambda: 2 in client.answers)
        client.send(msgspec.structs.replace(bench.PRESS, epoch=client.epoch))
        run.pause(0.1)
        assert "forgotten" in last(client, Refusal).why
        assert run.inquire().answered == (2,)
    assert built.world.count["ran"] == 2


def test_a_busy_module_refuses_a_second_command(bench: ModuleType) -> None:
    client, built = bench.Client([bench.PRESS]), bench.a_press()
    with bench.Run(built, client) as run:
        run.until(lambda: built.world.count["ran"] == 1)
        client.send(msgspec.structs.replace(bench.PRESS, number=2, epoch=client.epoch))
        run.pause(0.05)
        assert "busy with command 1" in last(client, Refusal).why


def test_cancelling_a_command_that_has_begun_is_too_late(bench: ModuleType) -> None:
    client, built = bench.Client([bench.PRESS]), bench.a_press()
    with bench.Run(built, client) as run:
        run.until(lambda: built.world.count["ran"] == 1)
        client.send(Cancel("press", client.epoch, 1))
        run.pause(0.05)
        assert count(client, TooLate) == 1
        run.until_done()
    assert client.answers[1].outcome == "done"


def test_cancelling_a_command_that_was_never_heard_keeps_it_from_being_done_later(bench: ModuleType) -> None:
    client, built = bench.Client([bench.PRESS]), bench.a_press()
    with bench.Run(built, client) as run:
        run.until_done()
        client.send(Cancel("press", client.epoch, 7))
        run.pause(0.1)
        late = msgspec.structs.replace(bench.PRESS, number=7, epoch=client.epoch)
        client.send(late)
        run.pause(1.0)
    assert [a.outcome for a in client.all_answers if a.number == 7] == ["cancelled", "cancelled"]
    assert built.world.count["ran"] == 1


def test_cancelling_races_with_the_first_action_and_one_of_them_wins(bench: ModuleType) -> None:
    outcomes = set()
    reference = bench.Client([bench.PRESS])
    with bench.Run(bench.a_press(), reference) as run:
        run.until_done()
        steps = range(1, run.universe.loop.steps)
    for step in steps:
        client, built = bench.Client([bench.PRESS]), bench.a_press()
        with bench.Run(built, client) as run:

            def cancel(client: object = client) -> None:
                if client.epoch:
                    client.send(Cancel("press", client.epoch, 1))

            run.universe.at_step(step, cancel)
            run.until_done()
            run.pause(1.0)
        outcome = client.answers[1].outcome
        assert built.world.count["ran"] == (outcome == "done"), f"cancelled at step {step}"
        assert {answer.outcome for answer in client.all_answers} == {outcome}
        outcomes.add(outcome)
    assert outcomes == {"done", "cancelled"}


def test_hold_needs_no_lease_but_unhold_does(bench: ModuleType) -> None:
    client, panel = bench.Client([bench.MEASURE]), bench.Client([bench.MEASURE], holder="panel")
    with bench.Run(bench.a_gauge(), client) as run:
        run.until_done()
        run.universe.start("panel", panel.run)
        run.pause(0.5)
        panel.instruct(StateCommand.HOLD)
        run.until_state(State.HELD)
        panel.instruct(StateCommand.UNHOLD)
        run.pause(0.5)
        assert client.view.state is State.HELD
        client.instruct(StateCommand.UNHOLD)
        run.until_state(State.EXECUTE)


def test_an_answer_goes_to_the_holder_without_being_asked_for(bench: ModuleType) -> None:
    client = bench.Client([bench.MEASURE])
    with bench.Run(bench.a_gauge(), client) as run:
        run.until_done()
    assert count(client, Answer) == 1


def test_two_copies_of_a_command_at_once_are_one_command(bench: ModuleType) -> None:
    client, built = bench.Client([bench.PRESS]), bench.a_press()
    with bench.Run(built, client) as run:
        client.send_commands = lambda: None
        run.until_state(State.EXECUTE)
        twin: Command = msgspec.structs.replace(bench.PRESS, epoch=client.epoch)
        client.send(twin)
        client.send(twin)
        run.until_done()
    assert built.world.count["ran"] == 1
    assert count(client, Accepted) == 2
