"""The log's private signing key: one PEM file outside the journal, for its owner only."""

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from audit.errors import ConfigurationError
from audit.journal.files import Files


def load_signing_key(path: Path) -> Ed25519PrivateKey:
    """The key in the file.

    Raises:
        ConfigurationError: missing, readable by others, or not an Ed25519 key in PKCS #8 PEM.
    """
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigurationError(f"{path} is open to others; run: chmod 600 {path}")
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise ConfigurationError(
            f"the log's signing key can't be read: {error}; restore it from its backup"
        ) from error
    except (ValueError, TypeError) as error:
        raise ConfigurationError(f"{path} holds no unencrypted PEM key: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError(f"{path} holds no Ed25519 key")
    return key


def create_signing_key(path: Path, files: Files) -> Ed25519PrivateKey:
    """Make a key and keep it, durable and for the owner only, before it is returned."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files.make_directory_durably(path.parent)
    files.replace_durably(path, pem)
    return key


def load_or_create_signing_key(path: Path, files: Files) -> Ed25519PrivateKey:
    """The key in the file, made first when there is no such file."""
    if os.path.lexists(path):
        return load_signing_key(path)
    return create_signing_key(path, files)
