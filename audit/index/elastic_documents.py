"""A record as an Elasticsearch document and back. Pure."""

import json
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

import orjson

from audit.index import tokens
from audit.index.document import IndexedRecord
from audit.index.elastic_mapping import ADDRESS_BITS, RECORD, TIMESTAMP
from audit.standards.fields import fields_of

SOURCE: Final = ["time", "received", "sequence", RECORD]
"""What of a document a record is made from."""

_MILLISECOND: Final = 1_000_000
_DAY: Final = 86_400 * 1_000_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


_CACHED: Final = 200
"""Characters of values up to which their indexed form is remembered: most come again and again."""


class ReadyDocument(NamedTuple):
    """All that Elasticsearch is sent of a record.

    Attributes:
        id: ``ORIGIN-SEQUENCE``.
        sequence: the journal sequence.
        received: UTC nanoseconds of receipt.
        repeat_of: id of the record that it repeats; empty for none.
        document: JSON of `document_of`.
    """

    id: str
    sequence: int
    received: int
    repeat_of: str
    document: bytes


def ready_document(record: IndexedRecord) -> ReadyDocument:
    """The record as it is sent; needs nothing of the cluster."""
    return ReadyDocument(
        record.id,
        record.sequence,
        record.received,
        record.first("repeat_of"),
        to_json(document_of(record)),
    )


@cache
def _keyword_names() -> frozenset[str]:
    return frozenset(f.name for f in fields_of("keyword"))


def document_of(record: IndexedRecord) -> dict[str, Any]:
    """The document that is indexed for a record."""
    made: dict[str, Any] = {
        TIMESTAMP: record.time // _MILLISECOND,
        "time": record.time,
        "received": record.received,
        "sequence": record.sequence,
        RECORD: {"fields": record.fields, "body": record.body},
    }
    keywords, texts = _keyword_names(), tokens.text_fields()
    for name, values in record.fields.items():
        if values and name in keywords:
            made[name] = _indexed(name, values)
        elif values and name in texts:
            made[name] = [_words(value) for value in values]
    bits = {tokens.address_token(v) for v in record.values("address")} - {None}
    if bits:
        made[ADDRESS_BITS] = sorted(b for b in bits if b is not None)
    return made


def _indexed(name: str, values: tuple[str, ...]) -> tuple[str, ...]:
    """What stands in a keyword field: each folded value once."""
    return (_cached_values if sum(map(len, values)) <= _CACHED else _values)(name, values)


def _values(name: str, values: tuple[str, ...]) -> tuple[str, ...]:
    if len(values) == 1:
        return (tokens.indexed_value(name, values[0]),)
    return tuple(sorted({tokens.indexed_value(name, value) for value in values}))


def _words(value: str) -> str:
    return _cached_joined(value) if len(value) <= _CACHED else _joined(value)


def _joined(value: str) -> str:
    return " ".join(tokens.word_tokens(value))


_cached_values = lru_cache(maxsize=65536)(_values)
_cached_joined = lru_cache(maxsize=65536)(_joined)


def record_of(hit: dict[str, Any]) -> IndexedRecord:
    """The record of a search hit that holds `SOURCE`."""
    source = hit["_source"]
    record = source[RECORD]
    return IndexedRecord(
        id=hit["_id"],
        sequence=source["sequence"],
        time=source["time"],
        received=source["received"],
        fields={name: tuple(values) for name, values in record["fields"].items()},
        body=record["body"],
    )


def to_json(value: Any) -> bytes:
    """JSON as Elasticsearch reads it; a lone surrogate, which it refuses, becomes U+FFFD."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        text = json.dumps(value, ensure_ascii=False)
        return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode()


def month_of(received: int) -> str:
    """The month (UTC) of a time in nanoseconds, for example ``2026-02``."""
    return _month_of_day(received // _DAY)


@lru_cache(maxsize=1024)
def _month_of_day(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).strftime("%Y-%m")
