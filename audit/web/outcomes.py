"""Errors as FHIR clients expect them: an OperationOutcome for every path below ``/fhir``.

Source: FHIR R4 OperationOutcome; FHIR R4 3.1.0.1.4 (HTTP status codes).
"""

from collections.abc import Iterable, Mapping
from typing import Any

MEDIA_TYPE = "application/fhir+json"
_PATH = "/fhir"
_KINDS = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    413: "too-long",
    415: "not-supported",
    422: "invalid",
    429: "throttled",
    503: "transient",
}


def is_fhir(path: str) -> bool:
    """Whether a path belongs to the FHIR interface."""
    return path == _PATH or path.startswith(f"{_PATH}/")


def operation_outcome(
    status: int, detail: str, request_id: str, errors: Iterable[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """The error as FHIR R4 tells it.

    Args:
        status: HTTP status.
        detail: what is wrong, in words; never content of the request.
        request_id: by which the operator finds it.
        errors: faults of single members, each with ``detail``.
    """
    texts = [detail, *(str(error["detail"]) for error in errors)]
    kind = _KINDS.get(status, "exception")
    return {
        "resourceType": "OperationOutcome",
        "id": request_id,
        "issue": [
            {"severity": "error", "code": kind, "diagnostics": text}
            for text in dict.fromkeys(texts)
        ],
    }
