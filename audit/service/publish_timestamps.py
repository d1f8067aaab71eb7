"""Obtains RFC 3161 timestamps on heads and keeps each beside the head it was made for."""

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from audit.errors import ConfigurationError, ConnectionFailed
from audit.journal.identity import Identity
from audit.journal.timestamp import (
    ANSWER_MEDIA_TYPE,
    MAX_ANSWER_OCTETS,
    REQUEST_MEDIA_TYPE,
    Timestamp,
    TimestampQuery,
)
from audit.journal.verify_heads import signed_head
from audit.service.publish import TIMESTAMP_SUFFIX, FolderOutlet
from audit.service.publish_http import HttpOptions, ask

_OK = 200


@dataclass(frozen=True, slots=True)
class KeptTimestamp:
    """A timestamp and the two files that show it."""

    head_file: Path
    timestamp_file: Path
    timestamp: Timestamp


def timestamp_head(
    note: str, identity: Identity, folder: Path, url: str, http: HttpOptions, ca: Path | None
) -> KeptTimestamp:
    """Have a head stamped; head and answer are kept under one name in the folder.

    Args:
        note: the head.
        identity: whose head it is.
        folder: where both are kept; a head of that size that is there already is stamped as it is.
        url: of the timestamping authority.
        http: how it is asked.
        ca: PEM file of its roots, to check its signature.

    Raises:
        IntegrityViolation: the answer does not belong to the head, or is wrongly signed.
        ConnectionFailed: the authority can't be reached or does not answer.
        ConfigurationError: the extra or the CA's file is missing.
        StorageError: the files can't be written.
    """
    authorities = () if ca is None else _authorities(ca)
    outlet = FolderOutlet(folder, identity.origin)
    head = signed_head(note, identity)
    head_file = Path(outlet.add(head, note))
    query = TimestampQuery(head_file.read_bytes())
    options = HttpOptions(
        timeout_s=http.timeout_s, max_answer_octets=MAX_ANSWER_OCTETS, ca_file=http.ca_file
    )
    headers = {"Content-Type": REQUEST_MEDIA_TYPE, "Accept": ANSWER_MEDIA_TYPE}
    answer = ask("POST", url, options, query.octets, headers)
    if answer.status != _OK:
        raise ConnectionFailed(f"{url} answered {answer.status}")
    timestamp = query.accept(answer.body, authorities)
    path = _free_name(outlet.path(head, TIMESTAMP_SUFFIX))
    outlet.put(path, answer.body)
    return KeptTimestamp(head_file, path, timestamp)


def _authorities(file: Path) -> tuple[x509.Certificate, ...]:
    try:
        return tuple(x509.load_pem_x509_certificates(file.read_bytes()))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{file} holds no certificates: {error}") from error


def _free_name(path: Path) -> Path:
    """The path, or with a number when an earlier timestamp has it."""
    free, number = path, 2
    while free.exists():
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return free
