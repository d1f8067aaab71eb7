"""The simulated messages that are measured with, as the stages of the product take them."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TypeVar

from audit.frame.syslog import read_header
from audit.journal.entry import SALT_OCTETS, Entry, Received
from audit.simulate.hospital import simulate

T = TypeVar("T")

SEED = 1
TWO_YEARS = 730
"""Days."""
PEER = "127.0.0.1:6514"
_SALT = bytes(SALT_OCTETS)
_BOM = b"\xef\xbb\xbf"


def recent(events: int, seed: int = SEED) -> Iterator[bytes]:
    """Syslog messages of the last day, exactly so many: none is set aside for its time."""
    start = datetime.now(UTC) - timedelta(days=1)
    return (one.syslog for one in simulate(seed, start, days=0.9, events=events))


def received(events: int, days: float, seed: int = SEED) -> Iterator[Received]:
    """Messages spread over so many days until now, each received when it was sent."""
    start = datetime.now(UTC) - timedelta(days=days)
    for message in simulate(seed, start, days=days, events=events):
        yield Received(raw=message.syslog, received_at=message.time, listener="tls", peer=PEER)


def entries(arrived: Iterable[Received], first: int = 0) -> Iterator[Entry]:
    """As they stand in a journal."""
    for sequence, one in enumerate(arrived, first):
        yield Entry(sequence, _SALT, one)


def msg_of(raw: bytes) -> bytes:
    """The MSG part of a syslog message, without byte order mark."""
    return raw[read_header(raw).msg_offset :].removeprefix(_BOM)


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of so many, the last one shorter."""
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch
