from dataclasses import replace
from itertools import pairwise

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import IntegrityViolation
from audit.journal.identity import Identity, LogKey
from audit.journal.note import Signer
from audit.journal.removal import (
    MAX_REASON_LENGTH,
    Removal,
    parse_text,
    reason_in_one_line,
    signed_removal,
    spans_of,
)
from tests.properties import examples

NAME = "example.org/k3f9x2ab"
OLD = Signer(NAME, Ed25519PrivateKey.from_private_bytes(bytes(32)))
NEW = Signer(NAME, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
IDENTITY = Identity("k3f9x2ab", NAME, (LogKey(0, OLD.verifier), LogKey(50, NEW.verifier)))
REMOVAL = Removal(
    log=NAME,
    number=3,
    size=40,
    time=1_770_000_000_000_000_000,
    reason="ten years are over (§ 630f BGB)",
    segment=16,
    spans=((16, 18), (20, 20), (30, 31)),
    digest=bytes(range(32)),
)


def test_the_written_form_is_read() -> None:
    assert parse_text(REMOVAL.text) == REMOVAL
    assert REMOVAL.count == 6
    assert list(REMOVAL.sequences()) == [16, 17, 18, 20, 30, 31]
    assert signed_removal(REMOVAL.signed(OLD), IDENTITY) == REMOVAL


@examples(20)
@given(st.sets(st.integers(0, 60)))
def test_spans_hold_what_they_were_made_of(sequences: set[int]) -> None:
    spans = spans_of(sorted(sequences))
    assert [n for first, last in spans for n in range(first, last + 1)] == sorted(sequences)
    assert all(last + 1 < first for (_, last), (first, _) in pairwise(spans))


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": "two\nlines"},
        {"reason": ""},
        {"reason": "a bell\x07"},
        {"reason": "x" * (MAX_REASON_LENGTH + 1)},
        {"digest": b"short"},
        {"segment": 17},
        {"size": 31},
        {"spans": ((16, 18), (19, 20))},
        {"spans": ((18, 16),)},
        {"spans": ((20, 20), (16, 18))},
        {"spans": ()},
        {"log": "with\nbreak"},
        {"number": -1},
    ],
)
def test_what_can_not_be_written_is_not_signed(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="can't be written"):
        replace(REMOVAL, **changes).signed(OLD)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    ["", "arr-removal 2\n", REMOVAL.text + "\n", REMOVAL.text.replace("16-18", "16-16")],
)
def test_other_texts_are_no_statements(text: str) -> None:
    assert parse_text(text) is None


def test_a_digest_that_is_no_base64_is_refused() -> None:
    assert parse_text(REMOVAL.text.replace("digest AAEC", "digest AA=C")) is None


def test_only_the_key_in_force_at_the_size_may_sign() -> None:
    with pytest.raises(IntegrityViolation, match="just the keys"):
        signed_removal(REMOVAL.signed(NEW), IDENTITY)
    later = replace(REMOVAL, size=50)
    assert signed_removal(later.signed(NEW), IDENTITY) == later
    with pytest.raises(IntegrityViolation, match="just the keys"):
        signed_removal(later.signed(OLD), IDENTITY)


def test_another_logs_statement_does_not_count() -> None:
    with pytest.raises(IntegrityViolation, match="another log"):
        signed_removal(replace(REMOVAL, log="example.org/other").signed(OLD), IDENTITY)
    with pytest.raises(IntegrityViolation, match="canonical"):
        signed_removal("nothing", IDENTITY)


def test_an_altered_statement_does_not_count() -> None:
    note = REMOVAL.signed(OLD)
    with pytest.raises(IntegrityViolation, match="does not match"):
        signed_removal(note.replace("16-18", "16-17"), IDENTITY)


def test_reasons_are_brought_into_one_line() -> None:
    assert reason_in_one_line(" by\norder\t of\x00 the court ") == "by order of the court"
    assert len(reason_in_one_line("x" * 9000)) == MAX_REASON_LENGTH
