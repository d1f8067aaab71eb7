"""Certificates of senders, with those above them as far as the journal holds them."""

from collections.abc import Iterable, Iterator
from hashlib import sha256

from cryptography import x509

from audit.journal.reader import JournalReader

_MOST_ABOVE = 8


class SenderCertificates:
    """Reads certificates out of the journal, issuers too. One per bundle."""

    def __init__(self, reader: JournalReader) -> None:
        self._reader = reader

    def chains(self, fingerprints: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
        """Certificates (DER) by SHA-256 in hexadecimal, each once: senders', then those above."""
        given: set[str] = set()
        by_subject = self._by_subject()
        for fingerprint in sorted(fingerprints):
            der = self._reader.certificate(fingerprint)
            for one in () if der is None else _with_those_above(der, by_subject):
                name = sha256(one).hexdigest()
                if name not in given:
                    given.add(name)
                    yield name, one

    def _by_subject(self) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        for fingerprint, _ in self._reader.known_certificates().pairs():
            der = self._reader.certificate(fingerprint)
            parsed = None if der is None else _parsed(der)
            if der is not None and parsed is not None:
                found[parsed.subject.public_bytes()] = der
        return found


def _with_those_above(der: bytes, by_subject: dict[bytes, bytes]) -> Iterator[bytes]:
    for _ in range(_MOST_ABOVE):
        yield der
        parsed = _parsed(der)
        if parsed is None or parsed.issuer == parsed.subject:
            return
        above = by_subject.get(parsed.issuer.public_bytes())
        if above is None:
            return
        der = above


def _parsed(der: bytes) -> x509.Certificate | None:
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError:
        return None
