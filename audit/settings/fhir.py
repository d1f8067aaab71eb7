"""Settings of the FHIR interfaces and of the search for syslog messages."""

from typing import Literal

from pydantic import Field

from audit.settings.section import Section


class FhirSettings(Section):
    """Retrieve ATNA Audit Event (ITI-81), the FHIR feed, Retrieve Syslog Event (ITI-82)."""

    base_url: str = Field(
        "",
        pattern=r"^(https?://[^\s?#]+)?$",
        description="address of /fhir for clients, when a proxy stands before this server; "
        "empty takes each request's own",
    )
    date_bounds: Literal["one", "both"] = Field(
        "one", description="bounds of the time that a search must name"
    )
    default_count: int = Field(
        50, ge=1, description="resources on a page when a client names none"
    )
    max_count: int = Field(500, ge=1, description="most resources on a page")
    max_examined: int = Field(
        2_000, ge=1, description="records looked at for one page; the next page goes on from there"
    )
    max_counted: int = Field(
        5_000, ge=0, description="records looked at to count what the index alone can't"
    )
    max_parameter_chars: int = Field(
        4_096, ge=64, description="characters of all parameters of a search together"
    )
    max_bundle_entries: int = Field(256, ge=1, le=256, description="most events of one batch")
    read_wait_s: float = Field(
        2.0, ge=0, le=30, description="how long a read waits for an event that is not indexed yet"
    )
