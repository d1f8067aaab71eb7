"""audit.journal.note and audit.journal.identity"""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.errors import IntegrityViolation
from audit.journal.identity import Identity, LogKey, new_origin, parse_identity
from audit.journal.layout import is_origin
from audit.journal.note import (
    Checkpoint,
    Signer,
    VerifierKey,
    is_key_name,
    open_note,
    parse_checkpoint,
)

SIGNER = Signer("example.org/log", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
OTHER = Signer("example.org/log", Ed25519PrivateKey.from_private_bytes(b"o" * 32))
TEXT = Checkpoint("example.org/log", 12, b"r" * 32).text

# The example of Go's golang.org/x/mod/sumdb/note documentation: a verifier that others wrote
# accepts this note.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZ"
    "b6KE6RyyBwJnAM=\n"
)


def test_a_note_that_others_signed() -> None:
    key = VerifierKey.parse(GO_KEY)
    assert open_note(GO_NOTE, [key]).startswith("If you think")
    assert key.text == GO_KEY


def test_signed_text_comes_back() -> None:
    note = SIGNER.sign(TEXT)
    assert open_note(note, [SIGNER.verifier]) == TEXT
    assert parse_checkpoint(TEXT) == Checkpoint("example.org/log", 12, b"r" * 32)


def test_unknown_keys_are_passed_over_but_one_must_be_known() -> None:
    both = SIGNER.sign(TEXT) + OTHER.sign(TEXT).rpartition("\n\n")[2]
    assert open_note(both, [SIGNER.verifier]) == TEXT
    assert open_note(both, [OTHER.verifier]) == TEXT
    with pytest.raises(IntegrityViolation, match="no known key"):
        open_note(SIGNER.sign(TEXT), [OTHER.verifier])


def test_a_wrong_signature_of_a_known_key_rejects_the_note() -> None:
    wrong = OTHER.sign(TEXT) + SIGNER.sign("another\n").rpartition("\n\n")[2]
    with pytest.raises(IntegrityViolation, match="does not match"):
        open_note(wrong, [SIGNER.verifier, OTHER.verifier])


def test_every_flipped_bit_of_a_note_is_found() -> None:
    note = SIGNER.sign(TEXT).encode()
    for bit in range(len(note) * 8):
        flipped = bytearray(note)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            text = flipped.decode()
        except UnicodeDecodeError:
            continue
        with pytest.raises(IntegrityViolation):
            open_note(text, [SIGNER.verifier])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\nno dash\n",
        "text\n\n— name\n",
        "text\n\n— name !!\n",
        "text\n\n— name AAAA\n",
        "text\n\n— na+me AAAAAAAA\n",
        "text\n\n" + "— name AAAAAAAA\n" * 65,
    ],
)
def test_what_is_no_note(note: str) -> None:
    with pytest.raises(IntegrityViolation):
        open_note(note, [SIGNER.verifier])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "o\n1\n",
        "o\n01\ncnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI=\n",
        "o\n1\nAAAA\n",
        "o\n1\n%%\n",
        "o\n-1\ncnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI=\n",
        "o\n" + "9" * 5000 + "\ncnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI=\n",
        "\n1\ncnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI=\n",
        "o\n1\ncnJycnJycnJycnJycnJycnJycnJycnJycnJycnJycnI=\nextra\n",
    ],
)
def test_what_is_no_checkpoint(text: str) -> None:
    with pytest.raises(IntegrityViolation):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    "text",
    [
        "no key",
        "na me+00000000+AAAA",
        "n+00000000+AAAA",
        f"n+00000000+{GO_KEY.rpartition('+')[2]}",
        "n+00000000+é",
    ],
)
def test_what_is_no_verifier_key(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        VerifierKey.parse(text)


def test_key_names() -> None:
    assert is_key_name("example.org/log")
    assert not any(is_key_name(name) for name in ("", "a b", "a+b", "a\nb", "a\u00a0b"))


def identity() -> Identity:
    old, new = LogKey(0, SIGNER.verifier), LogKey(10, OTHER.verifier)
    return Identity("k3f9x2ab", "example.org/log", (old, new))


def test_identity_comes_back_and_each_size_has_one_key() -> None:
    found = parse_identity(identity().text)
    assert found == identity()
    assert found.key_at(9) == SIGNER.verifier
    assert found.key_at(10) == found.current_key == OTHER.verifier


def test_every_flipped_bit_of_an_identity_is_found_or_names_another_log() -> None:
    octets = identity().text.encode()
    for bit in range(len(octets) * 8):
        flipped = bytearray(octets)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            found = parse_identity(flipped.decode())
        except (UnicodeDecodeError, IntegrityViolation):
            continue
        assert found.origin != identity().origin or found.keys[1].since != 10


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("arr-journal 1", "arr-journal 2"),
        ("origin k3f9x2ab", "origin K"),
        ("key 0 ", "key 1 "),
        ("key 10 ", "key 0 "),
        ("key 10 ", "key +10 "),
        ("name example.org/log", "name example.org/other"),
    ],
)
def test_an_identity_has_one_form(old: str, new: str) -> None:
    with pytest.raises(IntegrityViolation):
        parse_identity(identity().text.replace(old, new))


def test_new_origins_are_valid_and_differ() -> None:
    origins = {new_origin() for _ in range(50)}
    assert len(origins) == 50
    assert all(is_origin(origin) for origin in origins)
