"""ReadyRecord: a record in the form in which a month file takes it, made in any process. Pure.

What costs most of a put, the document and the tokens, needs nothing of the file.
"""

import threading
from functools import cache
from typing import Final, NamedTuple

from audit.index import shapes
from audit.index.document import IndexedRecord
from audit.index.memo import Memo
from audit.index.sqlite_documents import DocumentCodec, dictionary
from audit.index.tokens import token_text
from audit.index.value_sets import SHAPE, Values, columns_to_keep


class ReadyRecord(NamedTuple):
    """All that a month file holds of a record.

    Attributes:
        id: ``ORIGIN-SEQUENCE``.
        sequence: the journal sequence.
        time: UTC nanoseconds; what a search by time means.
        received: UTC nanoseconds of receipt.
        document: compressed with `sqlite_documents.dictionary`.
        tokens: as `tokens.token_text` makes them.
        sets: the values of each of `columns_to_keep`, as sent.
    """

    id: str
    sequence: int
    time: int
    received: int
    document: bytes
    tokens: str
    sets: tuple[Values, ...]


class _Codecs(threading.local):
    """One for each thread."""

    def __init__(self) -> None:
        self.codec = DocumentCodec(dictionary())


_codecs = _Codecs()


_shapes: Final = Memo[Values, Values](tuple, 4_096)
"""The same object each time: between processes it goes once for all records of a batch."""


@cache
def _fields() -> tuple[str, ...]:
    return tuple(name for name in columns_to_keep() if name != SHAPE)


def ready(record: IndexedRecord) -> ReadyRecord:
    """The record as a month file takes it."""
    return ReadyRecord(
        record.id,
        record.sequence,
        record.time,
        record.received,
        _codecs.codec.encode(record),
        token_text(record),
        sets_of(record),
    )


def sets_of(record: IndexedRecord) -> tuple[Values, ...]:
    """The values that a record has in each of `columns_to_keep`."""
    fields = record.fields
    return (_shapes[shapes.values_of(record)], *[fields.get(name, ()) for name in _fields()])
