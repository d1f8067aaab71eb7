"""EvidenceExport: records with everything a stranger needs to check them, as one archive.

docs/exports.md has the form. Whatever the archive holds stands with its SHA-256 in MANIFEST, which
the exporter's key signs; that key is named by the journal's own record of the export's beginning,
which is proved like every other record. So the log's key alone has to be trusted.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property
from hashlib import sha256
from typing import Any, ClassVar

import orjson
from typing_extensions import override

from audit.index.criteria import And, Phrase, Range, Term
from audit.index.document import IndexedRecord
from audit.journal.entry import Entry
from audit.journal.initialise import read_identity
from audit.journal.standalone import VERIFIER_FILE, verifier_source
from audit.query.access import Principal, Scope
from audit.query.audited_trail import AuditedTrail, Details, words_of_query
from audit.query.evidence.certificates import SenderCertificates
from audit.query.evidence.chunk import Chunk, Member, Prover
from audit.query.evidence.heads import Head, covering_head, head_members
from audit.query.evidence.options import EvidenceOptions
from audit.query.evidence.readme import readme
from audit.query.evidence.zip_form import ZipForm
from audit.query.exports.record_export import DEFAULT_ORDER, ExportOrder, Form, RecordExport
from audit.query.identities import Asked
from audit.query.roles import OUTSIDE
from audit.record.build.wording import shown
from audit.record.times import format_ns

FORMAT = "arr-evidence 1"
MANIFEST = "MANIFEST"
EXPORTER_KEY = "exporter key"
"""Type of the detail that names the exporter's key in the record of the beginning."""

CLOCK_WORDS = "the clock is now"


class EvidenceExport(RecordExport):
    """An evidence bundle; see ``RecordExport`` for what it promises and raises.

    Raises:
        JournalUnavailable: besides, no signed head covers the beginning in time.
        IntegrityViolation: what is kept does not lead to the signed root.
    """

    form: ClassVar[Form] = "evidence"
    media_type = "application/zip"
    suffix = ".zip"
    scopes = (Scope.EVENTS_EXPORT, Scope.EVENTS_RAW)

    def __init__(
        self,
        trail: AuditedTrail,
        principal: Principal,
        query: Asked,
        order: ExportOrder = DEFAULT_ORDER,
        *,
        options: EvidenceOptions,
    ) -> None:
        self._options = options
        self._query = words_of_query(query)
        super().__init__(trail, principal, query, order)
        self._identity = read_identity(options.journal_dir)
        self._keys = tuple(key.verifier for key in self._identity.keys)
        self._zip = ZipForm()
        self._manifest: list[str] = []
        self._removed: list[str] = []
        self._senders: set[bytes] = set()

    @override
    def _begin(self) -> Details:
        return ((EXPORTER_KEY, self._options.signer.verifier.text),)

    @cached_property
    def _head(self) -> Head:
        return covering_head(self._options, self._identity.current_key, self.begun)

    @cached_property
    def _prover(self) -> Prover:
        return Prover(self._options.journal_dir, self._head.checkpoint)

    @override
    def _first(self) -> Iterator[bytes]:
        begin = Chunk(self._prover)
        begin.add(self._trail.reader.read(self.begun))
        yield from self._members(
            [
                ("README.txt", readme(self._identity.current_key.text)),
                (VERIFIER_FILE, verifier_source()),
                ("log/identity", self._identity.text.encode()),
                ("log/checkpoint", self._head.note.encode()),
                *begin.members("export", 1),
            ]
        )
        self._number = 0
        self._chunk = Chunk(self._prover)

    @override
    def _piece(self, records: tuple[IndexedRecord, ...]) -> Iterator[bytes]:
        for record in records:
            entry = self._trail.reader.read(record.sequence)
            if entry.is_removed:
                self._removed.append(record.id)
                continue
            self._note_sender(entry)
            self._chunk.add(entry, record)
            self.count += 1
            full = len(self._chunk) >= self._options.chunk_records
            if full or self._chunk.octets >= self._options.chunk_octets:
                yield from self._flush()

    @override
    def _last(self) -> Iterator[bytes]:
        yield from self._flush()
        yield from self._members(self._clock())
        certificates = SenderCertificates(self._trail.reader).chains(self._senders)
        yield from self._members((f"certificates/{name}.der", der) for name, der in certificates)
        if self._options.anchors:
            yield from self._members([("certificates/anchors.pem", self._options.anchors)])
        yield from self._members(head_members(self._options, self._keys, self._head))
        facts = orjson.dumps(self._facts(), option=orjson.OPT_INDENT_2)
        yield from self._members([("export.json", facts + b"\n")])

    @override
    def _trailer(self, count: int, digest: str) -> bytes:
        lines = [FORMAT, self._identity.name, self._options.signer.verifier.text]
        text = "\n".join([*lines, *self._manifest]) + "\n"
        return (
            self._zip.member(MANIFEST, self._options.signer.sign(text).encode()) + self._zip.end()
        )

    def _flush(self) -> Iterator[bytes]:
        if len(self._chunk):
            self._number += 1
            yield from self._members(self._chunk.members("events", self._number))
            self._chunk = Chunk(self._prover)

    def _members(self, members: Iterable[Member]) -> Iterator[bytes]:
        for name, content in members:
            self._manifest.append(f"{sha256(content).hexdigest()} {len(content)} {name}")
            yield self._zip.member(name, content)

    def _note_sender(self, entry: Entry) -> None:
        if entry.received.certificate_sha256:
            self._senders.add(entry.received.certificate_sha256)

    def _clock(self) -> Iterator[Member]:
        """The newest of the repository's own records about its clock."""
        size = self._head.checkpoint.size
        own = And((Term("category", "security"), Phrase(CLOCK_WORDS), Range("sequence", 0, size)))
        page = self._trail.index.search(own, limit=self._options.clock_records)
        chunk = Chunk(self._prover)
        for record in page.records:
            entry = self._trail.reader.read(record.sequence)
            if record.first("listener") not in OUTSIDE and not entry.is_removed:
                chunk.add(entry, record)
        return chunk.members("clock", 1) if len(chunk) else iter(())

    def _facts(self) -> dict[str, Any]:
        principal, identity = self._principal, self._identity
        return {
            "format": FORMAT,
            "software": self._options.software,
            "repository": self._trail.options.identity.source_id,
            "site": self._trail.options.identity.site,
            "log": identity.name,
            "origin": identity.origin,
            "person": shown(principal.name),
            "display_name": principal.display_name,
            "kind": principal.kind,
            "address": principal.address,
            "query": self._query,
            "identities": "" if self.identities is None else self.identities.words(),
            "reason": self._principal.reason,
            "include_repeats": self._order.include_repeats,
            "order": "oldest first" if self._order.oldest_first else "newest first",
            "asked_at": format_ns(self.asked_at),
            "begin_record": f"{identity.origin}-{self.begun}",
            "exporter_key": self._options.signer.verifier.text,
            "count": self.count,
            "removed": self._removed,
            "index_lag": self._trail.lag().as_dict(),
            "clock": self._options.clock_state(),
            "clock_at": format_ns(self._trail.options.clock()),
        }
