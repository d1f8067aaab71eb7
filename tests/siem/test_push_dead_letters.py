"""What a receiver can't be sent: made shorter, else named, and kept as a dead letter."""

from dataclasses import replace
from pathlib import Path

import pytest

from audit.errors import ConnectionFailed
from audit.siem import formats
from audit.siem.disclosure import Discloser, Disclosure
from audit.siem.formats import Formatter, SiemFormat
from audit.siem.kept_place import dead_letters
from audit.siem.shown import Shown
from audit.siem.syslog import SyslogForm, syslog_line
from tests.projector.messages import ORIGIN
from tests.query.trail import Trail
from tests.siem.push_receiver import Receiver, say
from tests.siem.pushing import Pushing
from tests.siem.records import PSEUDONYMS


def test_what_is_too_long_is_shortened_and_then_a_dead_letter(
    trail: Trail, receiver: Receiver, pushing: Pushing, tmp_path: Path
) -> None:
    said = say(trail, "a", "b")
    pushing(max_octets=100).step()
    assert receiver.sequences() == said
    assert all(b"could not be mapped" in one and b"listener" not in one for one in receiver.read)
    letters = list(dead_letters(tmp_path / "push" / "siem.dead.ndjson"))
    assert [letter.sequence for letter in letters] == said
    assert letters[0].id == f"{ORIGIN}-{said[0]}" or letters[0].id.endswith(f"-{said[0]}")
    assert "too long" in letters[0].reason
    assert pushing().counters.dead == 2


def test_a_record_that_cannot_be_mapped_is_a_dead_letter_once(
    trail: Trail,
    receiver: Receiver,
    pushing: Pushing,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = say(trail, "a", "b")

    def odd(shown: Shown, form: SyslogForm) -> bytes:
        if shown.facts["sequence"] == (first,) and "host" in shown.facts:
            raise ValueError("no")
        return syslog_line(shown, form)

    monkeypatch.setattr(formats, "syslog_line", odd)
    receiver.answers = False
    push = pushing()
    with pytest.raises(ConnectionFailed):
        push.step()
    receiver.answers = True
    push.step()
    assert list(dict.fromkeys(receiver.sequences())) == [first, second]
    (letter,) = dead_letters(tmp_path / "push" / "siem.dead.ndjson")
    assert (letter.sequence, push.counters.dead) == (first, 1)
    assert "ValueError" in letter.reason


def test_lists_are_cut_for_a_receiver_of_short_messages(
    trail: Trail, receiver: Receiver, pushing: Pushing
) -> None:
    push = pushing()
    made: list[tuple[int | None, bool]] = []
    message = push._parts.formatter.message

    class Cut:
        format = SiemFormat.SYSLOG

        def message(self, record: object, most: int | None, *, original: bool) -> bytes:
            made.append((most, original))
            return b"x" * (9000 if most != 3 else 100) + message(record)  # type: ignore[arg-type]

    object.__setattr__(push._parts, "formatter", Cut())
    say(trail, "a")
    push.step()
    assert made == [(None, True), (None, False), (20, False), (3, False)]
    assert len(receiver.read) == 1


def test_without_its_original_it_may_be_short_enough(
    trail: Trail, receiver: Receiver, pushing: Pushing
) -> None:
    push = pushing(max_octets=2_000)
    whole = Discloser(PSEUDONYMS, Disclosure(original=True))
    formatter = Formatter(SiemFormat.ECS, whole, read_original=lambda _: b"long " * 1_000)
    push._parts = replace(push._parts, formatter=formatter)
    say(trail, "a")
    push.step()
    (message,) = receiver.read
    assert b"event.original" not in message
    assert b'"hostname":"host"' in message
    assert push.counters.dead == 0


@pytest.mark.parametrize("form", SiemFormat)
def test_what_stands_in_for_it_is_short_in_every_format(
    trail: Trail, receiver: Receiver, pushing: Pushing, form: SiemFormat
) -> None:
    push = pushing(max_octets=10)
    formatter = Formatter(form, Discloser(PSEUDONYMS, Disclosure()))
    push._parts = replace(push._parts, formatter=formatter)
    (said,) = say(trail, "a")
    push.step()
    (message,) = receiver.read
    assert f"{trail.reader.origin}-{said}".encode() in message
    assert len(message) < 1_024
