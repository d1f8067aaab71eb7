"""FhirOptions: every limit of the FHIR interfaces, each with its unit and its reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from secrets import token_bytes
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class FhirOptions:
    """How the FHIR interfaces and ITI-82 answer.

    Attributes:
        base_url: address under which clients reach ``/fhir``, when a proxy stands before this
            server; empty takes the request's own.
        date_bounds: how many bounds of time a search must name: ``one`` or ``both``.
        default_count: resources on a page when the client doesn't say.
        max_count: most resources on a page.
        max_examined: records that one page may look at; a page that finds little among them
            ends there, and its next link goes on.
        max_counted: records that may be looked at to count what the index alone can't.
        max_parameter_chars: of all parameters of a search together.
        max_bundle_entries: events of one batch.
        read_wait_s: how long a read waits for a record that is journaled but not yet searchable.
        page_key: encrypts paging links; processes that serve the same clients share it.
        assigners: assigning authority of bare patient identifiers, by AuditSourceID.
    """

    base_url: str = ""
    date_bounds: Literal["one", "both"] = "one"
    default_count: int = 50
    max_count: int = 500
    max_examined: int = 2_000
    max_counted: int = 5_000
    max_parameter_chars: int = 4_096
    max_bundle_entries: int = 256
    read_wait_s: float = 2.0
    page_key: bytes = field(default_factory=lambda: token_bytes(32), repr=False)
    assigners: Mapping[str, str] = field(default_factory=dict)
