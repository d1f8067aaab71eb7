"""RFC 3161 timestamps on signed heads: that a head existed at a time, by an authority's word.

Needs the extra ``timestamp``. The stamped octets are the head's note as it is kept beside the
answer, so that ``openssl ts -verify -data HEAD -in ANSWER`` can check it too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography import x509

from audit.errors import ConfigurationError, IntegrityViolation
from audit.journal.timestamp_der import with_sorted_certificates

if TYPE_CHECKING:
    from rfc3161_client import TimeStampRequest, TimeStampResponse

REQUEST_MEDIA_TYPE = "application/timestamp-query"
ANSWER_MEDIA_TYPE = "application/timestamp-reply"
MAX_ANSWER_OCTETS = 65_536


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A timestamp that belongs to the stamped octets.

    Attributes:
        answer: the authority's answer (DER), to be kept.
        at: the time it vouches for.
        trusted: whether its signature was checked against a known authority.
    """

    answer: bytes
    at: datetime
    trusted: bool


class TimestampQuery:
    """A question to a timestamping authority about some octets, with a nonce of its own."""

    def __init__(self, octets: bytes) -> None:
        """Ask for SHA-256 and for the authority's certificate.

        Raises:
            ConfigurationError: the extra ``timestamp`` is not installed.
        """
        try:
            from rfc3161_client import HashAlgorithm, TimestampRequestBuilder
        except ImportError as error:
            raise ConfigurationError(
                "timestamps need an extra: pip install 'atna-audit-record-repository[timestamp]'"
            ) from error
        self._octets = octets
        self._request: TimeStampRequest = (
            TimestampRequestBuilder()
            .data(octets)
            .hash_algorithm(HashAlgorithm.SHA256)
            .cert_request(cert_request=True)
            .build()
        )

    @property
    def octets(self) -> bytes:
        """What to send (DER TimeStampReq)."""
        return self._request.as_bytes()

    def accept(self, answer: bytes, authorities: Sequence[x509.Certificate] = ()) -> Timestamp:
        """The timestamp in an answer, when it belongs to this question.

        Args:
            answer: what came back (DER TimeStampResp).
            authorities: roots that the authority's certificate must lead to; without any, the
                signature is not checked, and the timestamp says so.

        Raises:
            IntegrityViolation: it is no answer to this question, a refusal, or wrongly signed.
        """
        from rfc3161_client import PKIStatus, decode_timestamp_response

        try:
            response = decode_timestamp_response(with_sorted_certificates(answer))
            status = PKIStatus(response.status)
            if status not in {PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS}:
                raise IntegrityViolation(f"the authority refused: {status.name.lower()}")
            info = response.tst_info
            matches = info.message_imprint.message == sha256(self._octets).digest()
            at, nonce = info.gen_time, info.nonce
        except ValueError as error:
            raise IntegrityViolation(f"the authority's answer can't be read: {error}") from error
        if not matches or nonce != self._request.nonce:
            raise IntegrityViolation("the authority's answer belongs to another question")
        if authorities:
            self._require_signature(response, authorities)
        return Timestamp(answer, at, bool(authorities))

    def _require_signature(
        self, response: "TimeStampResponse", authorities: Sequence[x509.Certificate]
    ) -> None:
        from rfc3161_client import VerificationError, VerifierBuilder

        builder = VerifierBuilder.from_request(self._request)
        for certificate in authorities:
            builder = builder.add_root_certificate(certificate)
        try:
            builder.build().verify_message(response, self._octets)
        except VerificationError as error:
            raise IntegrityViolation(f"the authority's signature is wrong: {error}") from error
