"""Every message of the tests' corpus, and what becomes of it as FHIR."""

from collections.abc import Iterator
from typing import Any

from audit.fhir.records import resource_of
from audit.fhir.values import Json
from audit.projector.project import project
from audit.record.serialise import serialise
from tests.conformance.corpus import EXAMPLES, MESSAGES
from tests.conformance.json_cases import JSON_CASES, QUERY, STUDY
from tests.conformance.rule_cases import CASES
from tests.projector.messages import ORIGIN, entry

_MOST_OCTETS = 200_000


def samples() -> Iterator[tuple[str, bytes]]:
    """Name and octets of each: all events, other dialects, broken ones, and no message at all."""
    for event, sizes in EXAMPLES.items():
        for size, message in sizes.items():
            yield f"{event}-{size}", serialise(message)
    for path in sorted(MESSAGES.glob("*.xml")):
        yield path.stem, path.read_bytes()
    yield "fhir-query", QUERY
    yield "fhir-study", STUDY
    for number, case in enumerate((*CASES, *JSON_CASES)):
        if len(case.broken) <= _MOST_OCTETS:
            yield f"{case.rule}-{number}", case.broken
    yield "nothing", b""


def as_fhir(received: bytes, **changes: Any) -> Json:
    """The AuditEvent of the message, as if it had been the first of a journal."""
    return resource_of(project(entry(received, **changes), ORIGIN), received)
