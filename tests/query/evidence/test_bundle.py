"""Evidence bundles, checked by the stand-alone verifier."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from audit.errors import Denied, IndexUnavailable, JournalUnavailable
from audit.index.criteria import Text
from audit.journal.checkpoint_cosigned import CosignedHeads
from audit.journal.entry import Entry
from audit.journal.heads import read_checkpoint
from audit.journal.note import Signer, parse_checkpoint, split_note
from audit.journal.proof import parse_proof
from audit.journal.witness_key import Cosigner
from audit.query.access import Principal, Scope
from audit.query.evidence.bundle import EvidenceExport
from audit.query.evidence.zip_form import ZipForm
from audit.record.build import Alert
from audit.service.own_records import OwnRecords
from tests import pki
from tests.projector.messages import NOW
from tests.query.evidence.bundles import (
    OFFICER,
    REASON,
    Log,
    checked,
    members,
    opened,
    take_certificate,
)
from tests.query.trail import IDENTITY

LONG = bool(os.environ.get("ARR_LONG"))
FLIPS = 4_000 if LONG else 200


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with opened(tmp_path) as made:
        yield made


def test_it_holds_all_that_a_stranger_needs(log: Log, tmp_path: Path) -> None:
    bundle = log.bundle(chunk_records=3, anchors=b"PEM", clock_state=lambda: "synchronised")
    held = members(bundle)
    facts = json.loads(held["export.json"])
    assert (facts["person"], facts["query"], facts["reason"]) == ("mvoss", "number", REASON)
    assert (facts["count"], facts["clock"]) == (7, "synchronised")
    assert [name for name in held if name.startswith("events/")] == [
        f"events/{n:06d}.{kind}" for n in (1, 2, 3) for kind in ("ndjson", "syslog", "proofs")
    ]
    first = json.loads(held["events/000001.ndjson"].splitlines()[0])
    raw = log.reader.read(first["sequence"]).received.raw
    assert held["events/000001.syslog"].startswith(b"%d %b" % (len(raw), raw))
    assert held["certificates/anchors.pem"] == b"PEM"
    assert checked(tmp_path, bundle, "--key", log.key) == 0


def test_without_a_key_nobody_knows_whose_log_it_is(log: Log, tmp_path: Path) -> None:
    assert checked(tmp_path, log.bundle()) == 5
    other = Signer("other.example/log", Ed25519PrivateKey.generate()).verifier.text
    assert checked(tmp_path, log.bundle(), "--key", other) == 4


def test_it_is_checked_without_our_code(log: Log, tmp_path: Path) -> None:
    bundle = tmp_path / "case.zip"
    bundle.write_bytes(log.bundle())
    script = tmp_path / "verify_evidence.py"
    script.write_bytes(members(bundle.read_bytes())["verify_evidence.py"])
    command = [sys.executable, "-I", "-S", str(script), "bundle", str(bundle), "--key", log.key]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (run.returncode, run.stdout.partition(":")[0]) == (0, "INTACT"), run.stdout + run.stderr


def test_a_proof_is_a_c2sp_proof(log: Log) -> None:
    held = members(log.bundle())
    block = held["events/000001.proofs"].decode().split("\n\n")[0]
    note = held["log/checkpoint"].decode()
    proof = parse_proof(f"c2sp.org/tlog-proof@v1\n{block}\n\n{note}")
    assert (
        proof.check([log.reader.identity.current_key]).size
        == parse_checkpoint(split_note(note)[0]).size
    )


def test_a_changed_octet_is_found_wherever_it_is(log: Log, tmp_path: Path) -> None:
    _with_heads_and_certificates(log)
    bundle = log.bundle(
        "", chunk_records=4, cosigned=log.folder / "cosigned", timestamps=log.folder / "stamped"
    )
    assert checked(tmp_path, bundle, "--key", log.key) == 0
    chance = random.Random(11)  # noqa: S311 - places to try
    places = {0, len(bundle) - 1} | {chance.randrange(len(bundle)) for _ in range(FLIPS)}
    for name in members(bundle):
        start = bundle.index(name.encode())
        places |= {start - 20, start, start + len(name) + 1, bundle.rindex(name.encode()) - 3}
    for place in sorted(places):
        altered = bytearray(bundle)
        altered[place] ^= 1 << chance.randrange(8)
        code = checked(tmp_path, bytes(altered), "--key", log.key)
        assert code == 4, f"octet {place} of {len(bundle)}"


def test_what_is_cut_or_added_is_found(log: Log, tmp_path: Path) -> None:
    bundle = log.bundle()
    for altered in (bundle[:-1], bundle[: len(bundle) // 2], b"", bundle + b"\0", b"\0" + bundle):
        assert checked(tmp_path, altered, "--key", log.key) == 4


def _zipped(held: dict[str, bytes]) -> bytes:
    form = ZipForm()
    return b"".join(form.member(name, content) for name, content in held.items()) + form.end()


def test_members_left_out_added_or_exchanged_are_found(log: Log, tmp_path: Path) -> None:
    held = members(log.bundle(chunk_records=3))
    assert checked(tmp_path, _zipped(held), "--key", log.key) == 0
    for name in held:
        rest = {other: content for other, content in held.items() if other != name}
        assert checked(tmp_path, _zipped(rest), "--key", log.key) == 4, name
    assert checked(tmp_path, _zipped({**held, "more": b"x"}), "--key", log.key) == 4
    manifest = held.pop("MANIFEST")
    swapped = {**held, "README.txt": b"All is well", "MANIFEST": manifest}
    assert checked(tmp_path, _zipped(swapped), "--key", log.key) == 4


def _signed_anew(held: dict[str, bytes], signer: Signer) -> bytes:
    """As somebody would who has a key, but not the log's."""
    old = held["MANIFEST"].decode().split("\n")
    lines = [f"{sha256(one).hexdigest()} {len(one)} {n}" for n, one in held.items()][:-1]
    text = "\n".join([*old[:2], signer.verifier.text, *lines]) + "\n"
    return _zipped({**held, "MANIFEST": signer.sign(text).encode()})


def test_only_the_exporter_that_the_log_names_can_sign(log: Log, tmp_path: Path) -> None:
    held = members(log.bundle())
    right = log.options().signer
    assert checked(tmp_path, _signed_anew(held, right), "--key", log.key) == 0
    wrong = Signer(right.name, Ed25519PrivateKey.generate())
    assert checked(tmp_path, _signed_anew(held, wrong), "--key", log.key) == 4
    facts = json.loads(held["export.json"])
    for name, value in (("query", "all of it"), ("reason", "none"), ("count", 6)):
        held["export.json"] = json.dumps({**facts, name: value}).encode()
        assert checked(tmp_path, _signed_anew(held, right), "--key", log.key) == 4, name


def _with_heads_and_certificates(log: Log) -> Cosigner:
    """A sender with a chain, a record of the clock, a cosigned head, a timestamped one."""
    credentials = pki.client()
    der = credentials.certificate.public_bytes(Encoding.DER)
    for above in credentials.chain:
        take_certificate(log, above.public_bytes(Encoding.DER))
    arrival = {"certificate_sha256": take_certificate(log, der)}
    log.take(b"<85>1 - host app - - - number 8", at=NOW, **arrival)  # type: ignore[arg-type]
    own = OwnRecords(IDENTITY, clock=lambda: NOW)
    clock = own.alert(Alert.SECURITY_CONFIGURATION, "The clock is now known", subject="arr")
    log.take(clock, at=NOW, listener="own", peer="")
    log.follow()
    log.writer.publish_head()
    note = read_checkpoint(log.folder / "journal")
    head = parse_checkpoint(split_note(note)[0])
    witness = Cosigner("witness.example", Ed25519PrivateKey.generate())
    stamped = log.folder / "stamped"
    stamped.mkdir()
    (stamped / "log-1.checkpoint").write_text(note, encoding="utf-8")
    (stamped / "log-1.tsr").write_bytes(b"DER" + sha256(note.encode()).digest() + b"TSA")
    (stamped / "other.checkpoint").write_bytes(b"\xff")
    cosigned = note + witness.cosign(head.text, 1_770_000_000).text
    CosignedHeads(log.folder / "cosigned").keep(cosigned, head.size, cosigned=True)
    return witness


def test_heads_certificates_and_clock(log: Log, tmp_path: Path) -> None:
    witness = _with_heads_and_certificates(log)
    bundle = log.bundle(cosigned=log.folder / "cosigned", timestamps=log.folder / "stamped")
    held = members(bundle)
    named = {name for name in held if name.startswith(("certificates/", "log/heads", "clock"))}
    assert {"log/heads/001.checkpoint", "log/heads/002.growth", "log/heads/002-1.tsr"} <= named
    assert sum(name.endswith(".der") for name in named) == 2
    assert {"clock/000001.syslog", "clock/000001.proofs"} <= named
    keys = ("--key", log.key, "--witness", witness.verifier.text)
    assert checked(tmp_path, bundle, *keys) == 0
    stranger = Cosigner("witness.example", Ed25519PrivateKey.generate())
    assert checked(tmp_path, bundle, "--key", log.key, "--witness", stranger.verifier.text) == 4


def test_what_was_lawfully_removed_is_named(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    read = log.reader.read

    def removed(sequence: int) -> Entry:
        entry = read(sequence)
        return replace(entry, removed_leaf=entry.leaf_hash) if sequence == 2 else entry

    monkeypatch.setattr(log.reader, "read", removed)
    facts = json.loads(members(log.bundle())["export.json"])
    assert (facts["count"], facts["removed"]) == (6, [f"{log.reader.origin}-2"])
    (told,) = {one["records exported"] for one in log.details() if one["export"] == "ended"}
    assert told == "6"


def test_certificates_that_cannot_be_read(log: Log, tmp_path: Path) -> None:
    root = pki.self_signed_client().certificate.public_bytes(Encoding.DER)
    for der in (b"no certificate", root):
        log.take(
            b"<85>1 - host app - - - number 9",
            at=NOW,
            certificate_sha256=take_certificate(log, der),  # type: ignore[arg-type]
        )
    unknown = {"certificate_sha256": sha256(b"never journaled").digest()}
    log.take(b"<85>1 - host app - - - number 10", at=NOW, **unknown)  # type: ignore[arg-type]
    log.follow()
    bundle = log.bundle("")
    named = [name for name in members(bundle) if name.startswith("certificates/")]
    assert len(named) == 2
    assert checked(tmp_path, bundle, "--key", log.key) == 0


def test_begin_and_end_are_journaled(log: Log) -> None:
    log.bundle()
    begun, ended = log.details()
    assert (begun["export"], begun["reason"], begun["format"]) == ("begun", REASON, "evidence")
    assert begun["exporter key"] == log.options().signer.verifier.text
    assert (ended["export"], ended["records exported"]) == ("ended", "7")


def test_no_bundle_without_the_right_or_the_journal(log: Log) -> None:
    for scopes in ({Scope.EVENTS_EXPORT}, {Scope.EVENTS_RAW}):
        asker = Principal("guest", scopes=frozenset(scopes))
        with pytest.raises(Denied):
            EvidenceExport(log.audited(), asker, "", options=log.options())
    log.journal_is_down = True
    with pytest.raises(JournalUnavailable):
        log.export()


def test_a_bundle_that_is_cut_has_no_manifest(log: Log, tmp_path: Path) -> None:
    export = log.export()
    pieces = export.chunks()
    octets = next(pieces)
    log.index.fault = IndexUnavailable("gone")
    with pytest.raises(IndexUnavailable):
        list(pieces)
    export.close()
    assert checked(tmp_path, octets, "--key", log.key) == 4
    assert log.details()[-1]["export"] == "cut short"


def test_no_proof_without_a_head(log: Log) -> None:
    log.writer.publish_head = lambda: None  # type: ignore[method-assign,assignment,return-value]
    with pytest.raises(JournalUnavailable, match="no signed head"):
        list(log.export().chunks())


def test_rows_that_somebody_may_not_see_are_not_exported(log: Log) -> None:
    asker = replace(OFFICER, rows=Text("3"))
    export = EvidenceExport(log.audited(), asker, "number", options=log.options())
    held = members(b"".join(export.chunks()))
    assert json.loads(held["export.json"])["count"] == 1
