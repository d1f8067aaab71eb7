"""A record as an Elasticsearch document and back. Pure."""

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

import orjson

from audit.index import tokens
from audit.index.document import IndexedRecord
from audit.index.elastic_mapping import ADDRESS_BITS, RECORD, TIMESTAMP
from audit.standards.fields import fields_of

SOURCE: Final = ["time", "received", "sequence", RECORD]
"""What of a document a record is made from."""

_MILLISECOND: Final = 1_000_000


@cache
def _keyword_names() -> tuple[str, ...]:
    return tuple(f.name for f in fields_of("keyword"))


def document_of(record: IndexedRecord) -> dict[str, Any]:
    """The document that is indexed for a record."""
    made: dict[str, Any] = {
        TIMESTAMP: record.time // _MILLISECOND,
        "time": record.time,
        "received": record.received,
        "sequence": record.sequence,
        RECORD: {"fields": record.fields, "body": record.body},
    }
    for name in _keyword_names():
        values = record.values(name)
        if values:
            made[name] = sorted({tokens.indexed_value(name, v) for v in values})
    for name in tokens.text_fields():
        values = record.values(name)
        if values:
            made[name] = [" ".join(tokens.word_tokens(v)) for v in values]
    bits = {tokens.address_token(v) for v in record.values("address")} - {None}
    if bits:
        made[ADDRESS_BITS] = sorted(b for b in bits if b is not None)
    return made


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
    return datetime.fromtimestamp(received // 1_000_000_000, UTC).strftime("%Y-%m")
