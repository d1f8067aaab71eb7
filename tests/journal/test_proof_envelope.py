"""audit.journal.proof_envelope"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import IntegrityViolation
from audit.journal.proof_envelope import read_envelope
from tests.journal import vectors


@pytest.mark.parametrize("name", vectors.ENTRIES)
def test_an_envelope_tells_what_its_entry_holds(name: str) -> None:
    entry = vectors.entries()[name]
    received = entry.received
    facts = read_envelope(entry.envelope)
    assert (facts.sequence, facts.kind) == (entry.sequence, received.kind)
    assert (facts.received_at, facts.listener, facts.peer, facts.certificate_sha256) == (
        received.received_at,
        received.listener,
        received.peer,
        received.certificate_sha256,
    )
    assert (facts.sent_length, facts.stored_length) == (received.sent_length, len(received.raw))
    facts.require_message(received.raw)
    with pytest.raises(IntegrityViolation):
        facts.require_message(received.raw + b".")


@pytest.mark.parametrize(
    "wrong",
    [
        lambda e: e[:88],
        lambda e: b"ARRM" + e[4:],
        lambda e: e[:4] + b"\x02" + e[5:],
        lambda e: e[:5] + b"\x09" + e[6:],
        lambda e: e + b".",
        lambda e: e[:51] + b"\x01" + e[52:],
        lambda e: e.replace(b"192", b"\xff92"),
    ],
    ids=["short", "magic", "version", "kind", "longer", "fingerprint", "no-text"],
)
def test_what_is_no_envelope(wrong: object) -> None:
    assert callable(wrong)
    with pytest.raises(IntegrityViolation):
        read_envelope(wrong(vectors.entries()["message"].envelope))


@given(st.binary(max_size=300))
def test_no_octets_break_it(octets: bytes) -> None:
    for candidate in (octets, b"ARRL\x01\x01\x00" + octets):
        try:
            facts = read_envelope(candidate)
        except IntegrityViolation:
            continue
        assert facts.body_sha256 == candidate[-32:]
