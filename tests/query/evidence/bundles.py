"""A small log with heads, and evidence bundles of it."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typing_extensions import override

from audit.journal.entry import EntryKind, Received
from audit.journal.note import Signer
from audit.journal.reader import JournalReader
from audit.journal.standalone import verify_evidence
from audit.query.access import ALL_SCOPES, Principal
from audit.query.audited_trail import AuditedTrail
from audit.query.evidence.bundle import EvidenceExport
from audit.query.evidence.options import EvidenceOptions
from audit.query.exports.record_export import ExportOrder
from audit.query.search_options import SearchOptions
from tests.journal.journals import open_writer
from tests.projector.messages import NOW, SECOND
from tests.query.trail import IDENTITY, Trail

OFFICER = Principal("mvoss", "Mara Voss", frozenset(ALL_SCOPES), "account", "10.1.2.3")
REASON = "Case 2026/17: “who looked?”"


@dataclass
class Log(Trail):
    """A trail whose every own record is covered by a head at once."""

    folder: Path = Path()

    @override
    def append(self, raw: bytes) -> int:
        sequence = super().append(raw)
        self.writer.publish_head()
        return sequence

    def options(self, **changes: Any) -> EvidenceOptions:
        name = f"{self.reader.identity.name}/exporter"
        given: dict[str, Any] = {
            "journal_dir": self.folder / "journal",
            "signer": Signer(name, Ed25519PrivateKey.from_private_bytes(bytes(32))),
            "head_patience_s": 0.0,
        }
        return EvidenceOptions(**(given | changes))

    def audited(self) -> AuditedTrail:
        options = SearchOptions(
            identity=IDENTITY, cursor_key=bytes(32), clock=lambda: self.now, export_page=3
        )
        return AuditedTrail(self.index, self.reader, self.append, options)

    def export(self, query: str = "number", **changes: Any) -> EvidenceExport:
        order = ExportOrder(reason=REASON, oldest_first=True)
        return EvidenceExport(
            self.audited(), OFFICER, query, order, options=self.options(**changes)
        )

    def export_by(self, asker: Principal, query: str, order: ExportOrder) -> EvidenceExport:
        return EvidenceExport(self.audited(), asker, query, order, options=self.options())

    def bundle(self, query: str = "number", **changes: Any) -> bytes:
        export = self.export(query, **changes)
        octets = b"".join(export.chunks())
        export.close()
        return octets

    @property
    def key(self) -> str:
        return self.reader.identity.current_key.text


def take_certificate(log: Log, der: bytes) -> bytes:
    """Journal a certificate; its fingerprint."""
    fingerprint = sha256(der).digest()
    arrival = Received(
        der, NOW, "tls", "192.0.2.9:1", certificate_sha256=fingerprint, kind=EntryKind.CERTIFICATE
    )
    log.writer.append([arrival])
    return fingerprint


@contextmanager
def opened(folder: Path, messages: int = 7) -> Iterator[Log]:
    """A log with some messages that are searchable."""
    with open_writer(folder) as writer:
        position = folder / "run" / "journal.position"
        with JournalReader(folder / "journal", position) as reader:
            log = Log(writer, reader, folder=folder)
            for n in range(messages):
                raw = f"<85>1 - host app - - - number {n} of Müller".encode()
                log.take(raw, at=NOW + n * SECOND)
            log.follow()
            yield log


def checked(folder: Path, octets: bytes, *more: str) -> int:
    """The stand-alone verifier's exit code."""
    file = folder / "bundle.zip"
    file.write_bytes(octets)
    return verify_evidence.main(["bundle", str(file), *more])


def members(octets: bytes) -> dict[str, bytes]:
    """The archive as any program reads it."""
    with zipfile.ZipFile(io.BytesIO(octets)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}
