"""A record as two compressed documents: its facts (id, exact values) and its body (the rest)."""

import json
from typing import Any

import orjson
import zstandard

from audit.index import tokens
from audit.index.document import IndexedRecord

LEVEL = 3


def _to_json(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:  # lone surrogates, integers beyond 64 bits
        return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()


def _from_json(octets: bytes) -> Any:
    try:
        return orjson.loads(octets)
    except orjson.JSONDecodeError:
        return json.loads(octets)


def dictionary() -> bytes:
    """What new month files compress their documents with; empty for nothing."""
    return b""


class DocumentCodec:
    """Records to documents and back. Not for two threads at once.

    Args:
        dictionary: a zstd dictionary, made from simulated records; empty for none.
    """

    def __init__(self, dictionary: bytes) -> None:
        made = zstandard.ZstdCompressionDict(dictionary) if dictionary else None
        self._compressor = zstandard.ZstdCompressor(level=LEVEL, dict_data=made)
        self._decompressor = zstandard.ZstdDecompressor(dict_data=made)

    def encode(self, record: IndexedRecord) -> tuple[bytes, bytes]:
        """The facts and the body of a record."""
        texts = tokens.text_fields()
        facts = {name: v for name, v in record.fields.items() if name not in texts}
        text = {name: v for name, v in record.fields.items() if name in texts}
        compress = self._compressor.compress
        return (
            compress(_to_json([record.id, facts])),
            compress(_to_json([text, record.body])),
        )

    def facts(self, octets: bytes) -> tuple[str, dict[str, list[str]]]:
        """The id and the values of the keyword fields."""
        record_id, facts = _from_json(self._decompressor.decompress(octets))
        return record_id, facts

    def decode(self, row: tuple[int, int, int, bytes, bytes]) -> IndexedRecord:
        """The record of (time, sequence, received, facts, body)."""
        time, sequence, received, facts_octets, body_octets = row
        record_id, facts = self.facts(facts_octets)
        text, body = _from_json(self._decompressor.decompress(body_octets))
        return IndexedRecord(
            id=record_id,
            sequence=sequence,
            time=time,
            received=received,
            fields={name: tuple(values) for name, values in (facts | text).items()},
            body=body,
        )
