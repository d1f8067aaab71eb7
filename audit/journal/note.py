"""C2SP signed notes and checkpoints with Ed25519; pure.

Source: C2SP signed-note and tlog-checkpoint. Stricter than them where it costs nothing: base64
must be in its one canonical form.
"""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from audit.errors import IntegrityViolation

ED25519 = 0x01
MAX_SIGNATURES = 64
_SIGNATURE_MARK = "— "
_KEY_ID_OCTETS = 4
_ROOT_OCTETS = 32
_VERIFIER_KEY_PARTS = 3
_MAX_SIZE_DIGITS = 20


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """The public half of a note key, written ``NAME+HEX8+BASE64``."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """First four octets of SHA-256(name ‖ newline ‖ algorithm ‖ key)."""
        return sha256(self.name.encode() + b"\n" + bytes([ED25519]) + self.public).digest()[
            :_KEY_ID_OCTETS
        ]

    @property
    def text(self) -> str:
        """The written form."""
        return f"{self.name}+{self.key_id.hex()}+{_base64(bytes([ED25519]) + self.public)}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read ``NAME+HEX8+BASE64``.

        Raises:
            ValueError: not an Ed25519 verifier key, or its key id does not belong to it.
        """
        parts = text.split("+", _VERIFIER_KEY_PARTS - 1)
        if len(parts) != _VERIFIER_KEY_PARTS or not is_key_name(parts[0]):
            raise ValueError("a verifier key is written NAME+HEX8+BASE64")
        octets = _from_base64(parts[2])
        if len(octets) != 1 + _ROOT_OCTETS or octets[0] != ED25519:
            raise ValueError("only Ed25519 verifier keys are known")
        key = cls(parts[0], octets[1:])
        if key.key_id.hex() != parts[1]:
            raise ValueError("the verifier key's id does not belong to it")
        return key

    def accepts(self, text: bytes, signature: bytes) -> bool:
        """Whether this key signed exactly this text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """The private half of a note key, with its name."""

    name: str
    private: Ed25519PrivateKey

    @property
    def verifier(self) -> VerifierKey:
        """The public half."""
        return VerifierKey(self.name, self.private.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """A signed note of the text, which ends in a newline."""
        signature = self.private.sign(text.encode())
        line = _base64(self.verifier.key_id + signature)
        return f"{text}\n{_SIGNATURE_MARK}{self.name} {line}\n"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log: its name, the size of its tree and the tree's root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """Its three lines."""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"


def is_key_name(name: str) -> bool:
    """Whether C2SP allows the name for a key: printable, no space, no plus."""
    return bool(name) and name.isprintable() and not any(c.isspace() or c == "+" for c in name)


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the three lines of a checkpoint.

    Raises:
        IntegrityViolation: not exactly such three lines.
    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:  # noqa: PLR2004 — three lines, each ended by a newline
        raise IntegrityViolation("a checkpoint has three lines")
    try:
        root = _from_base64(lines[2])
    except ValueError as error:
        raise IntegrityViolation(f"a checkpoint's root can't be read: {error}") from error
    size = lines[1]
    digits = size.isascii() and size.isdigit() and len(size) <= _MAX_SIZE_DIGITS
    if not digits or str(int(size)) != size:
        raise IntegrityViolation("a checkpoint's size is a plain decimal number")
    if not lines[0] or len(root) != _ROOT_OCTETS:
        raise IntegrityViolation("a checkpoint has an origin and a root of 32 octets")
    return Checkpoint(lines[0], int(size), root)


def open_note(note: str, keys: Iterable[VerifierKey]) -> str:
    """The note's text, when one of the keys signed it; lines of unknown keys are passed over.

    Raises:
        IntegrityViolation: no line of a known key, a wrong signature by a known key, or no note.
    """
    text, mark, lines = note.rpartition("\n\n")
    if not mark or not lines.endswith("\n"):
        raise IntegrityViolation("a signed note has a text, an empty line and signature lines")
    text += "\n"
    signatures = lines[:-1].split("\n")
    if len(signatures) > MAX_SIGNATURES:
        raise IntegrityViolation(f"a signed note has at most {MAX_SIGNATURES} signature lines")
    known = {(key.name, key.key_id): key for key in keys}
    signed = False
    for line in signatures:
        name, octets = _signature(line)
        key = known.get((name, octets[:_KEY_ID_OCTETS]))
        if key is None:
            continue
        if not key.accepts(text.encode(), octets[_KEY_ID_OCTETS:]):
            raise IntegrityViolation(f"the signature of {name} does not match the note")
        signed = True
    if not signed:
        raise IntegrityViolation("no known key signed the note")
    return text


def _signature(line: str) -> tuple[str, bytes]:
    if not line.startswith(_SIGNATURE_MARK):
        raise IntegrityViolation("a signature line begins with an em dash")
    name, space, encoded = line.removeprefix(_SIGNATURE_MARK).partition(" ")
    if not space or not is_key_name(name):
        raise IntegrityViolation("a signature line holds a name and a signature")
    try:
        octets = _from_base64(encoded)
    except ValueError as error:
        raise IntegrityViolation(f"a signature can't be read: {error}") from error
    if len(octets) <= _KEY_ID_OCTETS:
        raise IntegrityViolation("a signature is cut short")
    return name, octets


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


def _from_base64(text: str) -> bytes:
    try:
        octets = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("not base64") from error
    if _base64(octets) != text:
        raise ValueError("base64 in another than its canonical form")
    return octets
