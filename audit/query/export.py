"""Export: every record that matches, as lines of JSON, in constant memory.

The last line tells number and digest of what came before it; where it is missing, the export is
incomplete.
"""

from collections.abc import Iterator
from typing import ClassVar

import orjson
from typing_extensions import override

from audit.index.document import IndexedRecord
from audit.query.access import Principal
from audit.query.answers import item_found
from audit.query.audited_trail import AuditedTrail
from audit.query.exports.record_export import ExportOrder, Form, RecordExport
from audit.query.identities import Asked

TRAILER = "_trailer"
MEDIA_TYPE = "application/x-ndjson"


class NdjsonExport(RecordExport):
    """An export as lines of JSON; see ``RecordExport`` for what it promises and raises."""

    form: ClassVar[Form] = "ndjson"
    media_type = MEDIA_TYPE
    suffix = ".ndjson"

    @override
    def _piece(self, records: tuple[IndexedRecord, ...]) -> Iterator[bytes]:
        self.count += len(records)
        used = self.identities
        yield b"".join(orjson.dumps(item_found(record, used)) + b"\n" for record in records)

    @override
    def _trailer(self, count: int, digest: str) -> bytes:
        told = {"count": count, "sha256": digest, "complete": True}
        return orjson.dumps({TRAILER: told}) + b"\n"


class Export(NdjsonExport):
    """The export that a search offers; it takes its order as single arguments."""

    def __init__(
        self,
        trail: AuditedTrail,
        principal: Principal,
        query: Asked,
        *,
        include_repeats: bool = False,
        oldest_first: bool = False,
        reason: str = "",
    ) -> None:
        order = ExportOrder(
            include_repeats=include_repeats, oldest_first=oldest_first, reason=reason
        )
        super().__init__(trail, principal, query, order)
