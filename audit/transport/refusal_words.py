"""Why a TLS handshake or connection failed, in words for the operator of a hospital."""

import ssl

_WORDS = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "no client certificate was sent",
    "UNSUPPORTED_PROTOCOL": "the peer offers only TLS versions older than those allowed",
    "NO_PROTOCOLS_AVAILABLE": "the peer offers only TLS versions older than those allowed",
    "VERSION_TOO_LOW": "the peer offers only TLS versions older than those allowed",
    "NO_SHARED_CIPHER": "the peer offers no cipher suite that is allowed",
    "NO_SHARED_SIGNATURE_ALGORITHMS": "the peer offers no signature algorithm that is allowed",
    "NO_SUITABLE_SIGNATURE_ALGORITHM": "the peer offers no signature algorithm that is allowed",
    "WRONG_VERSION_NUMBER": "not TLS: the peer sent something else",
    "HTTP_REQUEST": "not TLS: the peer sent an HTTP request",
    "HTTPS_PROXY_REQUEST": "not TLS: the peer sent an HTTP request",
    "UNEXPECTED_MESSAGE": "not a TLS handshake",
    "EE_KEY_TOO_SMALL": "certificate refused: its key is too weak",
    "TLSV1_ALERT_UNKNOWN_CA": "the peer refused our certificate: it doesn't know our authority",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "the peer refused our certificate",
    "SSLV3_ALERT_BAD_CERTIFICATE": "the peer refused our certificate",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "the peer refused our certificate: expired",
    "TLSV1_ALERT_PROTOCOL_VERSION": "the peer allows none of our TLS versions",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "the peer ended the handshake",
}

CERTIFICATE_WORDS = {
    "EE certificate key too weak": "its key is too weak (RSA needs 2048 bits or more)",
    "self-signed certificate": "it is self-signed and not enrolled",
    "self-signed certificate in certificate chain": "its root authority is not trusted",
    "unable to get local issuer certificate": "its issuer is not a trusted authority",
    "unable to verify the first certificate": "its issuer is not a trusted authority",
    "certificate has expired": "it has expired",
    "certificate is not yet valid": "it is not valid yet",
    "unsuitable certificate purpose": "its key usage doesn't allow this (extendedKeyUsage)",
    "CA md too weak": "its signature algorithm is too weak",
}


def refusal_words(error: ssl.SSLError) -> str:
    """The reason in words; OpenSSL's own where there are no better ones."""
    if isinstance(error, ssl.SSLCertVerificationError):
        found = error.verify_message
        return f"certificate refused: {CERTIFICATE_WORDS.get(found, found)}"
    reason: str = getattr(error, "reason", None) or ""
    return _WORDS.get(reason) or reason.replace("_", " ").lower() or str(error)
