"""Bundles by somebody who knows the form, has a key of his own, and may ask the repository."""

import json
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typing_extensions import override

from audit.journal.note import Signer, parse_checkpoint, split_note
from audit.journal.standalone import verify_evidence
from audit.query.access import Principal, Scope
from audit.query.evidence.chunk import Chunk, Prover
from audit.query.evidence.zip_form import ZipForm
from audit.query.exports.record_export import ExportOrder
from audit.query.roles import OUTSIDE
from tests.query.evidence.bundles import OFFICER, Log, checked, members, opened

FORGER = Ed25519PrivateKey.from_private_bytes(b"f" * 32)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with opened(tmp_path) as made:
        yield made


def sealed(held: dict[str, bytes], signer: Signer) -> bytes:
    """The members as an archive, its manifest made anew and signed by this key."""
    log_name = held["log/checkpoint"].decode().partition("\n")[0]
    rest = {name: content for name, content in held.items() if name != "MANIFEST"}
    lines = [f"{sha256(one).hexdigest()} {len(one)} {name}" for name, one in rest.items()]
    text = "\n".join(["arr-evidence 1", log_name, signer.verifier.text, *lines]) + "\n"
    form = ZipForm()
    octets = b"".join(form.member(name, content) for name, content in rest.items())
    return octets + form.member("MANIFEST", signer.sign(text).encode()) + form.end()


def with_facts(held: dict[str, bytes], **changes: object) -> dict[str, bytes]:
    """With some of the facts told otherwise."""
    facts = json.loads(held["export.json"]) | changes
    return held | {"export.json": json.dumps(facts).encode()}


def test_a_log_of_his_own_under_the_name_of_the_trusted_key(log: Log, tmp_path: Path) -> None:
    with opened(tmp_path / "forged") as other:
        held = members(other.bundle())
        assert checked(tmp_path, sealed(held, other.options().signer), "--key", other.key) == 0
        own = held["log/identity"].decode()
        for told in (f"{own}key 1 {log.key}\n", own.replace(other.key, log.key)):
            forged = held | {"log/identity": told.encode()}
            assert checked(tmp_path, sealed(forged, other.options().signer), "--key", log.key) == 4


def _beginning(log: Log, held: dict[str, bytes], sequence: int) -> dict[str, bytes]:
    """The bundle's members with another of the log's records as that of its beginning."""
    note = held["log/checkpoint"].decode()
    chunk = Chunk(Prover(log.folder / "journal", parse_checkpoint(split_note(note)[0])))
    chunk.add(log.reader.read(sequence))
    begin = dict(chunk.members("export", 1))
    return with_facts(held | begin, begin_record=f"{log.reader.origin}-{sequence}")


def test_a_key_that_he_wrote_into_a_search_or_a_reason(log: Log, tmp_path: Path) -> None:
    """Whatever anybody asks stands in the log's own records; only an export names its key."""
    forger = Signer(f"{log.reader.identity.name}/exporter", FORGER)
    key = forger.verifier.text
    asker = replace(OFFICER, name="suspect", scopes=frozenset({Scope.EVENTS_READ}))
    looks = [
        log.audited().audit.used(asker, (("query", key),)),
        log.audited().audit.used(asker, (("query", ""), ("reason", key))),
        log.export(key).begun,
        log.audited().audit.used(asker, (("exporter key", key), ("export", "ended"))),
    ]
    bundle = log.bundle()
    held = members(bundle)
    assert checked(tmp_path, bundle, "--key", log.key) == 0
    for sequence in looks:
        for query in (key, ""):
            told = with_facts(
                _beginning(log, held, sequence), query=query, reason="", exporter_key=key
            )
            assert checked(tmp_path, sealed(told, forger), "--key", log.key) == 4


@pytest.mark.parametrize(
    "changes",
    [
        {"person": "somebody else"},
        {"query": "numb"},
        {"query": ""},
        {"reason": ""},
        {"exporter_key": ""},
        {"begin_record": "x-3"},
    ],
)
def test_the_exporter_says_what_the_log_says(
    log: Log, tmp_path: Path, changes: dict[str, str]
) -> None:
    held = with_facts(members(log.bundle()), **changes)
    assert checked(tmp_path, sealed(held, log.options().signer), "--key", log.key) == 4


def test_a_beginning_that_came_from_outside(log: Log, tmp_path: Path) -> None:
    """Every way in from outside is one that the verifier knows as such."""
    assert set(verify_evidence.NETWORK) == set(OUTSIDE)
    own = log.reader.read(log.export().begun).received.raw
    bundle = log.bundle()
    for listener in OUTSIDE:
        sequence = log.take(own, listener=listener)
        log.writer.publish_head()
        told = _beginning(log, members(log.bundle()), sequence)
        assert checked(tmp_path, sealed(told, log.options().signer), "--key", log.key) == 4
    assert checked(tmp_path, bundle, "--key", log.key) == 0


def test_people_and_questions_of_any_spelling(log: Log, tmp_path: Path) -> None:
    for name, query in (("José \x07 <Ω> & \t“x”\n", ""), ("m", 'number "&<Ä>"')):
        asker = Principal(name, scopes=OFFICER.scopes, reason="r")
        export = log.export_by(asker, query, ExportOrder(reason=' a  "reason"\n<&>\t'))
        assert checked(tmp_path, b"".join(export.chunks()), "--key", log.key) == 0


def test_what_stands_beside_the_proofs_belongs_to_them(log: Log, tmp_path: Path) -> None:
    held = members(log.bundle(chunk_records=3))
    signer = log.options().signer
    for name in ("events/000003.ndjson", "events/000009.syslog"):
        told = dict(held)
        told[name] = told.pop(name, b"5 other")
        assert checked(tmp_path, sealed(told, signer), "--key", log.key) == 4, name
    twice = {**held, "log/second": b""}
    twice["log/checkpoint"] = held["log/checkpoint"]
    assert checked(tmp_path, sealed(twice, signer), "--key", log.key) == 4


def test_json_without_end_is_no_crash(
    log: Log, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = members(log.bundle())
    held["export.json"] = b'{"a":' + b"[" * 100_000
    assert checked(tmp_path, sealed(held, log.options().signer), "--key", log.key) == 4
    assert "ALTERED: export.json" in capsys.readouterr().out


def test_nothing_behind_the_archive_is_read(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much somebody hung on to it."""
    asked: list[int] = []
    bundle = log.bundle()
    file = tmp_path / "bundle.zip"
    file.write_bytes(bundle + bytes(5_000_000))

    class Counting(BytesIO):
        @override
        def read(self, size: int | None = -1, /) -> bytes:
            octets = super().read(size)
            asked.append(len(octets))
            return octets

    class Counted(verify_evidence.Bundle):
        @override
        def members(self, file: BinaryIO) -> Iterator[tuple[str, bytes]]:
            return super().members(Counting(file.read()))

    monkeypatch.setattr(verify_evidence, "Bundle", Counted)
    assert verify_evidence.main(["bundle", str(file), "--key", log.key]) == 4
    assert max(asked) < 1_000_000
