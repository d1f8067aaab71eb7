"""The operator's keys for encryption at rest: read from a file, named by what they are.

The first key of the file encrypts, the others still open what they encrypted. A process has one
ring, set at its start by ``use``; whoever is given no other ring works with it.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from audit.errors import ConfigurationError, IncompleteCheck

KEY_OCTETS = 32
KEY_ID_OCTETS = 8
MAX_KEYS = 64
_ID_CONTEXT = b"arr-journal-key\x00"


class KeyMissing(IncompleteCheck):
    """A segment is encrypted with a key that is not configured."""


@dataclass(frozen=True, slots=True, repr=False)
class MasterKey:
    """One key; AES-256."""

    octets: bytes

    @property
    def key_id(self) -> bytes:
        """Which key it is; tells nothing about it."""
        return sha256(_ID_CONTEXT + self.octets).digest()[:KEY_ID_OCTETS]


class MasterKeys:
    """A ring of keys."""

    def __init__(self, keys: Sequence[MasterKey] = ()) -> None:
        self.keys = tuple(keys)
        self.current = keys[0] if keys else None
        self._by_id = {key.key_id: key for key in keys}

    def find(self, key_id: bytes) -> MasterKey:
        """The key of that id.

        Raises:
            KeyMissing: it is not in the ring.
        """
        key = self._by_id.get(key_id)
        if key is None:
            raise KeyMissing(
                f"encrypted with the key {key_id.hex()}, which journal.key_file does not hold"
            )
        return key


def load_master_keys(path: Path) -> MasterKeys:
    """The keys in a file: 32 raw octets, or one key a line in base64 or hexadecimal.

    Raises:
        ConfigurationError: it can't be read, is open to others, or holds something else.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigurationError(f"{path} is open to others; run: chmod 600 {path}")
        octets = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"journal.key_file {path} can't be read: {error.strerror}"
        ) from error
    return parse_master_keys(octets, str(path))


def parse_master_keys(octets: bytes, where: str) -> MasterKeys:
    """The keys in these octets, which are as a file's; ``where`` names them to the operator.

    Raises:
        ConfigurationError: they are no keys.
    """
    if len(octets) == KEY_OCTETS:
        return MasterKeys([MasterKey(octets)])
    keys = [_key(line) for line in octets.split(b"\n") if line.strip()]
    if not keys or len(keys) > MAX_KEYS or None in keys:
        raise ConfigurationError(f"{where} holds no keys; make one with: openssl rand -base64 32")
    return MasterKeys([key for key in keys if key is not None])


def _key(line: bytes) -> MasterKey | None:
    text = line.strip()
    try:
        octets = (
            bytes.fromhex(text.decode("ascii"))
            if len(text) == KEY_OCTETS * 2
            else base64.b64decode(text, validate=True)
        )
    except (ValueError, binascii.Error):
        return None
    return MasterKey(octets) if len(octets) == KEY_OCTETS else None


class _Process:
    keys = MasterKeys()


def use(keys: MasterKeys) -> None:
    """This process works with these keys from now on."""
    _Process.keys = keys


def in_use() -> MasterKeys:
    """The keys that this process works with; none before ``use``."""
    return _Process.keys
