"""CertificateNames: the subjects of the peers' certificates, by SHA-256.

The journal holds each certificate once, from when it was first seen; it is read from there when a
record first needs its name.
"""

from collections.abc import Callable

from cryptography.x509 import load_der_x509_certificate


def subject_of(der: bytes) -> str:
    """The subject of a certificate as RFC 4514 writes it; empty when it can't be read."""
    try:
        return load_der_x509_certificate(der).subject.rfc4514_string()
    except ValueError:
        return ""


class CertificateNames:
    """Subjects by SHA-256, looked up when first needed and then remembered.

    Args:
        find: the certificate (DER) of a SHA-256, None when the journal has none.
        max_names: how many are remembered; the oldest give way.
    """

    def __init__(self, find: Callable[[bytes], bytes | None], max_names: int = 20_000) -> None:
        self._find = find
        self._max_names = max_names
        self._names: dict[bytes, str] = {}

    def name(self, digest: bytes) -> str:
        """The subject; empty for no certificate and for one that the journal doesn't hold."""
        if not digest:
            return ""
        if digest not in self._names:
            der = self._find(digest)
            if der is None:
                return ""
            self.add(digest, der)
        return self._names[digest]

    def add(self, digest: bytes, der: bytes) -> None:
        """Remember the certificate's subject."""
        self._names.pop(digest, None)
        self._names[digest] = subject_of(der)
        if len(self._names) > self._max_names:
            del self._names[next(iter(self._names))]
