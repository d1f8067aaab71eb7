import threading
import time
from collections.abc import Callable

import pytest

from audit.emit.outbox import Loss, Outbox, OutboxOptions
from audit.errors import AuditError, ConnectionFailed
from audit.transport.spool import SpoolFull
from tests.waiting import until


class KeptInMemory:
    """A sink that does as it is told."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.error: Callable[[tuple[bytes, ...]], AuditError | None] = lambda _: None
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.closed_with: float | None = None

    def send(self, *messages: bytes) -> None:
        self.entered.set()
        self.gate.wait(30)
        error = self.error(messages)
        if error is not None:
            raise error
        self.sent.extend(messages)

    def flush(self, timeout_s: float) -> bool:
        return timeout_s > 0

    def close(self, drain_s: float) -> int:
        self.closed_with = drain_s
        return 3


def told(loss: Loss) -> tuple[bytes, ...]:
    return (b"lost %d" % loss.count,)


@pytest.fixture
def sink() -> KeptInMemory:
    return KeptInMemory()


def test_messages_keep_their_order(sink: KeptInMemory) -> None:
    outbox = Outbox(sink, told, OutboxOptions(batch_messages=3))
    messages = [b"%d" % number for number in range(100)]
    assert all(outbox.put(message) for message in messages)
    assert outbox.flush(5)
    assert sink.sent == messages
    assert outbox.close(1) == 3
    assert outbox.waiting == outbox.lost == 0
    assert sink.closed_with is not None


def test_put_never_waits_and_what_has_no_room_is_counted(sink: KeptInMemory) -> None:
    sink.gate.clear()
    outbox = Outbox(sink, told, OutboxOptions(max_messages=5))
    began = time.monotonic()
    taken = [outbox.put(b"x") for _ in range(9)]
    assert time.monotonic() - began < 1
    assert taken == [True] * 5 + [False] * 4
    assert outbox.lost == 4
    sink.gate.set()
    assert outbox.flush(5)
    until(lambda: sink.sent[-1:] == [b"lost 4"])
    outbox.close(1)


def test_octets_are_limited_too(sink: KeptInMemory) -> None:
    sink.gate.clear()
    outbox = Outbox(sink, told, OutboxOptions(max_octets=10))
    assert outbox.put(b"x" * 10)
    assert not outbox.put(b"x")
    sink.gate.set()
    assert outbox.flush(5)
    assert outbox.put(b"y" * 10)
    outbox.close(1)


def test_a_full_sink_is_tried_again(sink: KeptInMemory) -> None:
    tries: list[int] = []

    def twice(messages: tuple[bytes, ...]) -> AuditError | None:
        tries.append(len(messages))
        return SpoolFull("full") if len(tries) < 3 else None

    sink.error = twice
    outbox = Outbox(sink, told, OutboxOptions(retry_s=0.01))
    outbox.put(b"x")
    assert outbox.flush(5)
    assert sink.sent == [b"x"]
    assert outbox.lost == 0
    assert outbox.last_error == ""
    outbox.close(1)


def test_why_nothing_goes_on_is_told(sink: KeptInMemory) -> None:
    sink.error = lambda _: SpoolFull("the disk is full")
    outbox = Outbox(sink, told, OutboxOptions(retry_s=0.01))
    outbox.put(b"x")
    until(lambda: outbox.last_error == "the disk is full")
    assert not outbox.flush(0.05)
    assert outbox.close(0.05) == 1 + 3
    assert outbox.lost == 1


def test_what_can_not_be_sent_is_given_up_and_told(sink: KeptInMemory) -> None:
    sink.error = lambda messages: ConnectionFailed("too long") if b"bad" in messages else None
    outbox = Outbox(sink, told, OutboxOptions(batch_messages=1))
    for message in (b"a", b"bad", b"b"):
        outbox.put(message)
    assert outbox.flush(5)
    until(lambda: b"lost 1" in sink.sent)
    assert sink.sent == [b"a", b"b", b"lost 1"]
    assert outbox.lost == 1
    outbox.close(1)


def test_news_of_a_loss_waits_for_room(sink: KeptInMemory) -> None:
    failures = iter([True, True, False])

    def error(messages: tuple[bytes, ...]) -> AuditError | None:
        if messages == (b"bad",):
            return ConnectionFailed("never")
        is_news = messages[0].startswith(b"lost")
        return SpoolFull("full") if is_news and next(failures) else None

    sink.error = error
    outbox = Outbox(sink, told, OutboxOptions(batch_messages=1))
    for message in (b"bad", b"a", b"bad", b"b", b"c"):
        outbox.put(message)
    assert outbox.flush(5)
    until(lambda: sink.sent == [b"a", b"b", b"c", b"lost 2"])
    outbox.close(1)


def test_close_keeps_its_deadline_where_the_sink_hangs(sink: KeptInMemory) -> None:
    sink.gate.clear()
    outbox = Outbox(sink, told)
    outbox.put(b"x")
    assert sink.entered.wait(5)
    began = time.monotonic()
    assert outbox.close(0.1) == 1
    assert time.monotonic() - began < 2
    assert outbox.lost == 1
    sink.gate.set()
    until(lambda: sink.closed_with is not None)


def test_a_closed_outbox_takes_nothing(sink: KeptInMemory) -> None:
    outbox = Outbox(sink, told)
    outbox.close(1)
    assert not outbox.put(b"x")
    assert outbox.lost == 1
