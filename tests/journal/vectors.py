"""Writes the test vectors of schemas/journal: ``python -m tests.journal.vectors``.

Fixed salts, key, origin and times, so that every run writes the same octets. The vectors are
final: a change that alters them is a change of the format, which has a new version number.
"""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.journal.entry import (
    Entry,
    EntryKind,
    Received,
    decode_body,
    decode_header,
    encode,
    removed_form,
)
from audit.journal.epoch_seal import handed_over, next_seal
from audit.journal.files import Files
from audit.journal.heads import encode_record
from audit.journal.identity import Identity, LogKey
from audit.journal.master_keys import MasterKey, MasterKeys
from audit.journal.merkle import Tree
from audit.journal.note import Checkpoint, Signer
from audit.journal.removal import Removal
from audit.journal.seal import seal_segment
from audit.journal.segment import (
    ENCODING_ENCRYPTED,
    ENCODING_SEALED,
    SegmentFoot,
    SegmentHead,
    encode_foot,
    encode_head,
)
from audit.journal.segment_cipher import SegmentCipher
from audit.journal.segment_file import SegmentFile

MASTER = MasterKey(bytes(range(64, 96)))
OTHER_FORMS = {
    "segment-sealed.bin": 1,
    "segment-encrypted.bin": 2,
    "segment-encrypted-sealed.bin": 3,
}
"""segment-closed.bin in its other encodings; each can be written in many ways."""
FOLDER = Path(__file__).parents[2] / "schemas" / "journal"
ORIGIN = "k3f9x2ab"
SIGNER = Signer(f"example.org/{ORIGIN}", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
NEXT = Signer(SIGNER.name, Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64))))
AT = 1_770_000_000_123_456_789
ENTRIES = {
    "message": Received(
        b"<85>1 2026-02-02T02:40:00Z ct1 app 1 IHE+RFC-3881 - \xef\xbb\xbf<AuditMessage/>",
        AT,
        "tls",
        "192.0.2.7:40112",
        bytes(range(32)),
    ),
    "certificate": Received(
        b"\x30\x03\x02\x01\x07",
        AT + 1,
        "tls",
        "192.0.2.7:40112",
        bytes(range(32)),
        EntryKind.CERTIFICATE,
    ),
    "truncated": Received(
        b"<85>1 - - - - - - head of a long one",
        AT + 2,
        "tcp",
        "[2001:db8::1]:514",
        kind=EntryKind.TRUNCATED,
        original_length=20_000_000,
    ),
    "empty": Received(b"", AT + 3, "udp", ""),
    "attributes": Received(
        "Ärzte".encode(),
        AT + 4,
        "import",
        "archive-2019.xml",
        flags=0x81,
        attributes=((1, b""), (0xFFFF, b"\x00value")),
    ),
}


def entries() -> dict[str, Entry]:
    """The entries by name, at sequence 0, 1, 2 …"""
    return {
        name: Entry(sequence, bytes([0xA0 + sequence]) * 16, received)
        for sequence, (name, received) in enumerate(ENTRIES.items())
    }


def files() -> dict[str, bytes]:
    """Every vector file's octets by name."""
    encoded = {name: encode(entry) for name, entry in entries().items()}
    tree = Tree()
    for one in encoded.values():
        tree.append(one.leaf_hash)
    first = encode_head(SegmentHead(first_sequence=0, created_at=AT, origin=ORIGIN))
    offsets = [len(first)]
    for one in encoded.values():
        offsets.append(offsets[-1] + len(one.head) + len(one.body))
    foot = SegmentFoot(
        offsets=tuple(offsets[:-1]), earliest=AT, latest=AT + len(encoded) - 1, root=tree.root()
    )
    body = b"".join(one.head + one.body for one in encoded.values())
    second = SegmentHead(
        first_sequence=tree.size,
        created_at=AT + 9,
        origin=ORIGIN,
        peaks=tree.peaks,
        certificates=((bytes(range(32)), 1),),
    )
    note = SIGNER.sign(Checkpoint(SIGNER.name, tree.size, tree.root()).text)
    identity = Identity(ORIGIN, SIGNER.name, (LogKey(0, SIGNER.verifier),))
    result = {f"entry-{name}.bin": one.head + one.body for name, one in encoded.items()}
    message = encoded["message"].head + encoded["message"].body
    removed = removed_form(decode_body(message, 0, decode_header(message)))
    removal = Removal(
        log=SIGNER.name,
        number=0,
        size=tree.size,
        time=AT + 10,
        reason="kept for ten years, as the law asks",
        segment=0,
        spans=((0, 0),),
        digest=sha256(removed).digest(),
    )
    head = Checkpoint(SIGNER.name, tree.size, tree.root())
    seal = next_seal(identity, (), head, NEXT.verifier, time=AT + 11, overlap=AT + 12)
    result |= {
        "seal.txt": seal.signed(SIGNER, NEXT).encode(),
        "identity-after.txt": handed_over(identity, seal).text.encode(),
        "removed-entry.bin": removed,
        "removal.txt": removal.signed(SIGNER).encode(),
        "segment-closed.bin": first + body + encode_foot(foot),
        "segment-second-head.bin": encode_head(second),
        "identity.txt": identity.text.encode(),
        "checkpoint.txt": note.encode(),
        "history.txt": encode_record(3, note),
    }
    result["vectors.json"] = json.dumps(described(), indent=2).encode() + b"\n"
    return result


def described() -> dict[str, Any]:
    """What a reader must make of the files."""
    tree = Tree()
    told = []
    for name, entry in entries().items():
        received = entry.received
        tree.append(entry.leaf_hash)
        told.append(
            {
                "file": f"entry-{name}.bin",
                "sequence": entry.sequence,
                "kind": int(received.kind),
                "flags": received.flags,
                "received_at": received.received_at,
                "salt": entry.salt.hex(),
                "sent_length": received.sent_length,
                "certificate_sha256": received.certificate_sha256.hex(),
                "listener": received.listener,
                "peer": received.peer,
                "attributes": [[tag, value.hex()] for tag, value in received.attributes],
                "body": received.raw.hex(),
                "envelope": entry.envelope.hex(),
                "leaf_hash": entry.leaf_hash.hex(),
                "root_after": tree.root().hex(),
            }
        )
    return {
        "source": "docs/journal-format.md, format version 1; written by tests/journal/vectors.py",
        "private_key": bytes(range(32)).hex(),
        "next_private_key": bytes(range(32, 64)).hex(),
        "master_key": MASTER.octets.hex(),
        "other_forms": OTHER_FORMS,
        "verifier_key": SIGNER.verifier.text,
        "entries": told,
    }


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, octets in files().items():
        (FOLDER / name).write_bytes(octets)
    for name, encoding in OTHER_FORMS.items():
        if not (FOLDER / name).exists():
            (FOLDER / name).write_bytes(other_form(encoding))


def other_form(encoding: int) -> bytes:
    """The closed segment, sealed, encrypted, or both."""
    keys = MasterKeys([MASTER] if encoding & ENCODING_ENCRYPTED else [])
    with TemporaryDirectory() as folder:
        path = Path(folder) / "segment"
        path.write_bytes(files()["segment-closed.bin"])
        if encoding & ENCODING_SEALED:
            seal_segment(Files(), path, keys=keys)
            return path.read_bytes()
        with SegmentFile(path) as plain:
            head = encode_head(replace(plain.head, encoding=encoding))
            cipher = SegmentCipher.create(MASTER, head)
            start, foot = plain.entries_start, plain.foot_start()
            parts = (plain.octets(start, foot - start), plain.octets(foot, plain.size() - foot))
        return b"".join((head, cipher.key_block, *map(cipher.frame, (start, foot), parts)))


if __name__ == "__main__":
    main()
