"""The messages exactly as received, each behind its length: octet-counted syslog (RFC 5425 4.3.1).

A file of this form can be sent to another repository as it is. The last frame is the repository's
own: APP-NAME ``arr``, MSGID ``_trailer``, its MSG a JSON object with number and digest.
"""

from collections.abc import Iterator
from typing import ClassVar

import orjson
from typing_extensions import override

from audit.frame.octet_counting import encode
from audit.index.document import IndexedRecord
from audit.query.access import Scope
from audit.query.exports.record_export import Form, RecordExport

MEDIA_TYPE = "application/octet-stream"
_TRAILER_HEADER = b"<109>1 - - arr - _trailer - "


class OriginalExport(RecordExport):
    """An export of messages as received; those lawfully removed are left out, and counted.

    Attributes:
        removed: records of which the message is gone.
    """

    form: ClassVar[Form] = "original"
    media_type = MEDIA_TYPE
    suffix = ".syslog"
    scopes = (Scope.EVENTS_EXPORT, Scope.EVENTS_RAW)
    removed = 0

    @override
    def _piece(self, records: tuple[IndexedRecord, ...]) -> Iterator[bytes]:
        for record in records:
            entry = self._trail.reader.read(record.sequence)
            if entry.is_removed:
                self.removed += 1
            else:
                self.count += 1
                yield encode(entry.received.raw)

    @override
    def _trailer(self, count: int, digest: str) -> bytes:
        told = {"count": count, "removed": self.removed, "sha256": digest, "complete": True}
        return encode(_TRAILER_HEADER + orjson.dumps(told))
