"""What a bundle is made with; the service builds it from settings and folders."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from audit.journal.note import Signer


def _nothing_known() -> str:
    return "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceOptions:
    """How evidence bundles are made.

    Attributes:
        journal_dir: the journal.
        signer: the exporter's key; its name is the log's with ``/exporter``.
        cosigned: folder of heads with cosignatures; may be missing.
        timestamps: folder of heads with RFC 3161 timestamps; may be missing.
        anchors: PEM certificates by which senders are trusted; may be empty.
        clock_state: what the kernel says of this machine's clock now.
        software: name and version of the program, as the bundle names it.
        head_patience_s: how long to wait for a head over the record of the export's beginning;
            heads follow each second.
        chunk_records: most records in one member of the archive.
        chunk_octets: about how many octets of messages in one member; a single longer message
            makes a longer one.
        timestamped_heads: most heads with a timestamp that go into a bundle, the newest.
        clock_records: most records about the repository's clock that go into a bundle.
    """

    journal_dir: Path
    signer: Signer
    cosigned: Path | None = None
    timestamps: Path | None = None
    anchors: bytes = b""
    clock_state: Callable[[], str] = _nothing_known
    software: str = "arr"
    head_patience_s: float = 5.0
    chunk_records: int = 256
    chunk_octets: int = 8 * 1024 * 1024
    timestamped_heads: int = 16
    clock_records: int = 100
