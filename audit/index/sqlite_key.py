"""The key that a generation of the embedded index is encrypted with, and how it is kept.

Each generation has a data key of its own (256 bits, random), which lies in it wrapped by a key of
the operator's: AES-256-GCM under HMAC-SHA-256(operator's key, context). Another operator's key
wraps it anew, and no file has to be written again.

    octets 0-7    MAGIC
    octets 8-15   id of the operator's key
    octets 16-27  nonce
    octets 28-75  data key, encrypted, and tag; associated data: octets 0-15
"""

import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audit.errors import IndexUnavailable

MAGIC: Final = b"ARRIXK1\x00"
KEY_ID_OCTETS: Final = 8
DATA_KEY_OCTETS: Final = 32

_CONTEXT: Final = b"arr-index-key\x00"
_NONCE_OCTETS: Final = 12
_HEAD_OCTETS: Final = len(MAGIC) + KEY_ID_OCTETS
_TAG_OCTETS: Final = 16
_FILE_OCTETS: Final = _HEAD_OCTETS + _NONCE_OCTETS + DATA_KEY_OCTETS + _TAG_OCTETS


@dataclass(frozen=True, slots=True, repr=False)
class OperatorKey:
    """A key of the operator's: 32 octets, and an id of 8 octets that tells nothing about it."""

    key_id: bytes
    octets: bytes

    def wrapping(self) -> bytes:
        """What this key wraps data keys of an index with; it serves for nothing else."""
        return hmac.digest(self.octets, _CONTEXT, "sha256")


class IndexKeys:
    """The operator's keys: the first wraps, the others still unwrap; none leaves all plain."""

    def __init__(self, keys: Sequence[OperatorKey] = ()) -> None:
        self.current = keys[0] if keys else None
        self._by_id = {key.key_id: key for key in keys}

    def find(self, key_id: bytes) -> OperatorKey:
        """The key of that id.

        Raises:
            IndexUnavailable: it is not among them.
        """
        key = self._by_id.get(key_id)
        if key is None:
            raise IndexUnavailable(
                f"the search index is encrypted with the key {key_id.hex()}, which "
                "journal.key_file does not hold"
            )
        return key


def create_data_key(file: Path, master: OperatorKey) -> bytes:
    """Make a data key and write it, wrapped, to a file that isn't there; on disk at return."""
    data_key = os.urandom(DATA_KEY_OCTETS)
    _write(file, wrapped(data_key, master))
    return data_key


def read_data_key(file: Path, keys: IndexKeys) -> bytes:
    """The data key in a file.

    Raises:
        IndexUnavailable: the file is missing or damaged, or its key is not configured.
    """
    octets = _read(file)
    return _unwrapped(octets, keys.find(_key_id(octets)), file)


def wrap_anew(file: Path, keys: IndexKeys) -> bool:
    """Have the current key wrap what another one did; whether there was anything to do.

    Raises:
        IndexUnavailable: as `read_data_key`.
    """
    if keys.current is None or _key_id(_read(file)) == keys.current.key_id:
        return False
    _write(file, wrapped(read_data_key(file, keys), keys.current))
    return True


def wrapped(data_key: bytes, master: OperatorKey) -> bytes:
    """What stands in a key's file."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    head = MAGIC + master.key_id
    nonce = os.urandom(_NONCE_OCTETS)
    return head + nonce + AESGCM(master.wrapping()).encrypt(nonce, data_key, head)


def _unwrapped(octets: bytes, master: OperatorKey, file: Path) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    head, rest = octets[:_HEAD_OCTETS], octets[_HEAD_OCTETS:]
    try:
        return AESGCM(master.wrapping()).decrypt(rest[:_NONCE_OCTETS], rest[_NONCE_OCTETS:], head)
    except InvalidTag as error:
        raise IndexUnavailable(f"{file} is damaged: its key can't be unwrapped") from error


def _key_id(octets: bytes) -> bytes:
    return octets[len(MAGIC) : _HEAD_OCTETS]


def _read(file: Path) -> bytes:
    try:
        octets = file.read_bytes()
    except FileNotFoundError as error:
        raise IndexUnavailable(f"{file} is missing: the index can't be read without it") from error
    if len(octets) != _FILE_OCTETS or not octets.startswith(MAGIC):
        raise IndexUnavailable(f"{file} is damaged: it holds no wrapped key")
    return octets


def _write(file: Path, octets: bytes) -> None:
    unfinished = file.with_suffix(".new")
    opened = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(opened, "wb") as stream:
        stream.write(octets)
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.replace(file)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
