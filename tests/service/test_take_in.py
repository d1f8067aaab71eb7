from collections.abc import Sequence

import pytest

from audit.errors import JournalBusy
from audit.query.message_stream import StreamedMessage
from audit.service.take_in import TakeIn, TakeInOptions


class Door:
    """Stands in for the append socket; busy a few times first."""

    def __init__(self, busy: int = 0) -> None:
        self.batches: list[list[bytes]] = []
        self.busy = busy

    def append_all(self, raws: Sequence[bytes], listener: str) -> tuple[int, ...]:
        assert listener == "import"
        if self.busy:
            self.busy -= 1
            raise JournalBusy("the queue is full")
        start = sum(map(len, self.batches))
        self.batches.append(list(raws))
        return tuple(range(start, start + len(raws)))


def messages(*raws: bytes) -> list[StreamedMessage]:
    return [StreamedMessage(raw, n, len(raw)) for n, raw in enumerate(raws, start=1)]


def test_messages_are_batched_in_their_order() -> None:
    door = Door()
    taking = TakeIn(door.append_all, TakeInOptions(batch_octets=10))
    taking.take("a", messages(b"12345", b"67890", b"1", b"x" * 30, b"2"))
    taking.take("b", messages(*[b""] * 300))
    assert door.batches[:4] == [[b"12345", b"67890"], [b"1"], [b"x" * 30], [b"2"]]
    assert [len(batch) for batch in door.batches[4:]] == [256, 44]
    assert (taking.taken.messages, taking.taken.first, taking.taken.last) == (305, 0, 304)
    assert taking.taken.octets == 42


def test_a_message_that_is_too_long_is_named_and_the_others_are_taken() -> None:
    door = Door()
    options = TakeInOptions(max_message_octets=4, max_refusals_named=1)
    taking = TakeIn(door.append_all, options)
    taking.take("archive", messages(b"a", b"12345", b"b", b"123456"))
    assert door.batches == [[b"a", b"b"]]
    assert taking.taken.refused == 2
    assert taking.taken.refusals == [
        "archive: message 2 has 5 octets; at most 4 are taken (syslog.max_message_octets)"
    ]


def test_a_full_queue_is_waited_for_so_long() -> None:
    door = Door(busy=2)
    TakeIn(door.append_all, TakeInOptions(busy_pause_s=0.001)).take("a", messages(b"a"))
    assert door.batches == [[b"a"]]
    with pytest.raises(JournalBusy):
        TakeIn(Door(busy=2).append_all, TakeInOptions(busy_timeout_s=-1)).take("a", messages(b"a"))
