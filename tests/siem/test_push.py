"""The push: at least once and in order, whatever breaks; where it begins."""

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from typing_extensions import override

from audit.errors import ConnectionFailed, IndexUnavailable, JournalUnavailable, StorageError
from audit.journal.reader import JournalReader
from tests.journal.journals import open_writer
from tests.properties import examples
from tests.query.trail import Trail
from tests.siem.push_receiver import Receiver, say
from tests.siem.pushing import Pushing, push_to, running
from tests.waiting import until


def test_what_is_confirmed_is_not_sent_again(
    trail: Trail, receiver: Receiver, pushing: Pushing
) -> None:
    said = say(trail, "a", "b", "c")
    push = pushing(batch_records=2)
    assert push.step()
    assert not push.step()
    assert receiver.sequences() == said
    more = say(trail, "d")
    again = pushing()
    again.step()
    assert receiver.sequences() == [*said, *more]
    assert (again.counters.lag_records, again.counters.lag_s) == (0, 0.0)


def test_what_is_not_confirmed_is_sent_again(
    trail: Trail, receiver: Receiver, pushing: Pushing
) -> None:
    said = say(trail, "a", "b")
    receiver.answers = False
    push = pushing()
    with pytest.raises(ConnectionFailed, match="did not confirm"):
        push.step()
    assert push.counters.confirmed == 0
    receiver.answers = True
    push.step()
    assert receiver.sequences() == [*said, *said]


def test_one_that_never_confirms_can_be_lived_with(
    trail: Trail, receiver: Receiver, pushing: Pushing
) -> None:
    say(trail, "a", "b")
    receiver.answers = False
    push = pushing(confirms=False)
    push.step()
    assert push.counters.confirmed == 2
    assert (push.counters.sent, push.counters.connected) == (2, True)


def test_confirmation_waits_for_its_time_or_number(
    trail: Trail, receiver: Receiver, pushing: Pushing
) -> None:
    say(trail, "a")
    push = pushing(confirm_records=3, confirm_s=3600.0)
    push.step()
    assert push.counters.confirmed == 0
    say(trail, "b", "c")
    push.step()
    assert push.counters.confirmed == push.counters.position > 0
    assert push.counters.confirmations == 1
    quick = pushing(confirm_records=100, confirm_s=0.001)
    say(trail, "d")
    until(lambda: (quick.step(), quick.counters.confirmations)[1])
    assert len(receiver.read) == 4


def test_each_run_leaves_one_record_and_its_own_wakes_it_not(
    trail: Trail, receiver: Receiver, pushing: Pushing
) -> None:
    push = pushing()
    for _ in range(5):
        push.step()
        trail.follow()
    assert receiver.read == []
    assert trail.details() == [
        {"view": "SIEM feed", "push to": "siem", "format": "syslog", "from": "0"}
    ]
    assert push.counters.lag_records == 0


def test_without_the_record_nothing_is_sent(
    trail: Trail, receiver: Receiver, pushing: Pushing
) -> None:
    say(trail, "a")
    push = pushing()
    trail.journal_is_down = True
    with pytest.raises(JournalUnavailable):
        push.step()
    assert receiver.unread == []
    trail.journal_is_down = False
    push.step()
    assert len(receiver.read) == 1


def test_it_may_begin_with_what_comes(trail: Trail, receiver: Receiver, pushing: Pushing) -> None:
    say(trail, "old")
    push = pushing(begin_now=True)
    push.step()
    wanted = say(trail, "new")
    pushing(begin_now=True).step()
    assert receiver.sequences() == wanted


def test_a_place_in_another_log_is_none(
    trail: Trail, receiver: Receiver, pushing: Pushing, tmp_path: Path
) -> None:
    said = say(trail, "a", "b")
    (tmp_path / "push").mkdir()
    place = tmp_path / "push" / "siem.json"
    place.write_text('{"origin": "other", "position": 1}')
    pushing().step()
    assert receiver.sequences() == said
    place.write_text("{")
    with pytest.raises(StorageError, match="mend it"):
        pushing().step()


def test_a_journal_restored_from_a_backup_is_pushed_from_its_end(
    trail: Trail, receiver: Receiver, pushing: Pushing, tmp_path: Path
) -> None:
    say(trail, "a", "b")
    (tmp_path / "push").mkdir()
    place = tmp_path / "push" / "siem.json"
    place.write_text(f'{{"origin": "{trail.reader.origin}", "position": 99}}')
    pushing().step()
    wanted = say(trail, "c")
    pushing().step()
    assert receiver.sequences() == wanted


def test_an_index_that_fails_is_waited_for(
    trail: Trail, receiver: Receiver, pushing: Pushing
) -> None:
    push = pushing()
    push.step()
    trail.index.fault = IndexUnavailable("gone")
    with running(push):
        until(lambda: push.counters.failures > 1)
        assert push.counters.last_failure == "gone"
        trail.index.fault = None
        said = say(trail, "a")
        until(lambda: receiver.sequences() == said)
    assert push.counters.last_failure == ""


def test_pauses_grow_while_the_receiver_is_away(
    trail: Trail, receiver: Receiver, pushing: Pushing
) -> None:
    say(trail, "a")
    receiver.is_up = False
    push = pushing(first_backoff_s=0.001, longest_backoff_s=0.003)
    with running(push):
        until(lambda: push.counters.failures > 4)
        assert push._backoff_s == 0.003
        receiver.is_up = True
        until(lambda: receiver.read)
        until(lambda: push.counters.confirmed)
        assert push._backoff_s == 0.0


def test_at_the_end_what_was_sent_is_confirmed(
    trail: Trail, receiver: Receiver, pushing: Pushing
) -> None:
    say(trail, "a")
    push = pushing(confirm_records=100)
    with running(push):
        until(lambda: receiver.unread)
    assert len(receiver.read) == 1
    assert push.counters.confirmed > 0


def test_a_receiver_that_is_gone_at_the_end_is_noted(
    trail: Trail, receiver: Receiver, pushing: Pushing
) -> None:
    say(trail, "a")
    push = pushing(confirm_records=100)
    with running(push):
        until(lambda: receiver.unread)
        receiver.answers = False
    assert "did not confirm" in push.counters.last_failure


class Outages(RuleBasedStateMachine):
    """Receiver and push die at any moment: each record comes, none before an earlier one."""

    @initialize()
    def begin(self) -> None:
        self._made = ExitStack()
        self._folder = Path(self._made.enter_context(TemporaryDirectory()))
        writer = self._made.enter_context(open_writer(self._folder))
        position = self._folder / "run" / "journal.position"
        reader = JournalReader(self._folder / "journal", position)
        self._trail = Trail(writer, self._made.enter_context(reader))
        self._shared = self._trail.service().trail
        self._receiver = Receiver()
        self._said: list[int] = []
        self.the_push_restarts()

    @rule()
    def the_push_restarts(self) -> None:
        self._receiver.is_open = False
        options: dict[str, Any] = {"batch_records": 3, "confirm_records": 5, "confirm_s": 3600.0}
        self._push = push_to(self._receiver, self._shared, self._folder / "push", **options)

    @rule(count=st.integers(0, 4), steps=st.integers(0, 2), read=st.integers(0, 6))
    def messages_come(self, count: int, steps: int, read: int) -> None:
        self._said += say(self._trail, *(f"{len(self._said)}-{n}" for n in range(count)))
        for _ in range(steps):
            self.step()
        self._receiver.reads(read)

    def step(self) -> None:
        try:
            self._push.step()
        except ConnectionFailed as error:
            self._push._note_failure(error)

    @rule(noticed=st.booleans(), outage=st.integers(0, 2))
    def the_receiver_dies(self, noticed: bool, outage: int) -> None:
        self._receiver.dies(noticed=noticed)
        for _ in range(outage):
            self.step()
        self._receiver.is_up, self._receiver.is_open = True, False

    @rule(answers=st.booleans())
    def the_receiver_answers_or_not(self, answers: bool) -> None:
        self._receiver.answers = answers

    @override
    def teardown(self) -> None:
        if not hasattr(self, "_made"):
            return
        with self._made:
            self._receiver.is_up = self._receiver.answers = True
            self._receiver.is_open = False
            for _ in range(3 * len(self._said) + 6):
                self.step()
            self._receiver.reads(len(self._receiver.unread))
            assert list(dict.fromkeys(self._receiver.sequences())) == self._said


TestOutages = Outages.TestCase
TestOutages.settings = examples(15, stateful_step_count=15)
