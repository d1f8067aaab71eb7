"""A record as a compressed document: two lines of JSON, the facts (id, exact values) and the rest.

Whoever only counts reads the first line. The dictionary is made from simulated records
(``schemas/index/documents.zdict``): one made from real ones would keep pieces of erased records.
"""

import json
from functools import cache
from typing import Any, Final

import orjson
import zstandard

from audit.index import tokens
from audit.index.document import IndexedRecord
from audit.standards import files

LEVEL: Final = 3
BLOCK_LEVEL: Final = 9


def to_json(value: Any) -> bytes:
    """Short JSON, also of what JSON can hold only with escapes."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:  # lone surrogates, integers beyond 64 bits
        return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()


def from_json(octets: bytes) -> Any:
    """What `to_json` made."""
    try:
        return orjson.loads(octets)
    except orjson.JSONDecodeError:
        return json.loads(octets)


@cache
def dictionary() -> bytes:
    """What new month files compress their documents with."""
    return files.schema_path("index/documents.zdict").read_bytes()


@cache
def _prepared(octets: bytes, level: int) -> zstandard.ZstdCompressionDict:
    made = zstandard.ZstdCompressionDict(octets)
    made.precompute_compress(level=level)
    return made


def plain(record: IndexedRecord) -> bytes:
    """The document of a record, not compressed."""
    facts = dict(record.fields)
    text = {name: facts.pop(name) for name in tokens.text_fields() if name in facts}
    return to_json([record.id, facts]) + b"\n" + to_json([text, record.body])


class DocumentCodec:
    """Records to documents and back. Not for two threads at once.

    Args:
        octets: the zstd dictionary of the month file.
    """

    def __init__(self, octets: bytes) -> None:
        made = _prepared(octets, LEVEL)
        self._compressor = zstandard.ZstdCompressor(dict_data=made, write_dict_id=False)
        self._block_compressor = zstandard.ZstdCompressor(
            dict_data=_prepared(octets, BLOCK_LEVEL), write_dict_id=False
        )
        self._decompressor = zstandard.ZstdDecompressor(dict_data=made)

    def encode(self, record: IndexedRecord) -> bytes:
        """The document of a record."""
        return self.compress(plain(record))

    def compress(self, octets: bytes) -> bytes:
        """A document that was plain."""
        return self._compressor.compress(octets)

    def encode_block(self, octets: bytes) -> bytes:
        """Many documents at once, for long: slower and smaller."""
        return self._block_compressor.compress(octets)

    def plain(self, octets: bytes) -> bytes:
        """What was compressed."""
        return self._decompressor.decompress(octets)

    def facts(self, line: bytes) -> dict[str, list[str]]:
        """The values of the keyword fields, from a document's first line."""
        facts: dict[str, list[str]] = from_json(line)[1]
        return facts

    def record(self, places: tuple[int, int, int], first: bytes, second: bytes) -> IndexedRecord:
        """The record of (time, sequence, received) and the two lines of its document."""
        time, sequence, received = places
        record_id, facts = from_json(first)
        text, body = from_json(second)
        return IndexedRecord(
            id=record_id,
            sequence=sequence,
            time=time,
            received=received,
            fields={name: tuple(values) for name, values in (facts | text).items()},
            body=body,
        )
