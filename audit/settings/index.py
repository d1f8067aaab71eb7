"""Settings of the search index and the projector."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from audit.settings.section import Section


class IndexSettings(Section):
    """The search index."""

    backend: Literal["embedded", "elasticsearch"] = Field(
        "embedded", description="where the search index lives"
    )
    beside: Literal["none", "embedded", "elasticsearch"] = Field(
        "none", description="a second index that is kept filled beside the one that answers"
    )
    elasticsearch_url: str = Field(
        "http://127.0.0.1:9200",
        description="addresses of Elasticsearch nodes, separated by commas",
    )
    elasticsearch_prefix: str = Field(
        "arr",
        pattern=r"^[a-z0-9][a-z0-9_.-]{0,99}$",
        description="what the names of all indices begin with: small letters, digits, _ . -",
    )
    elasticsearch_user: str | None = Field(None, description="user for basic authentication")
    elasticsearch_password_file: Path | None = Field(
        None, description="file holding the password of that user"
    )
    elasticsearch_api_key_file: Path | None = Field(
        None, description="file holding an Elasticsearch API key"
    )
    elasticsearch_ca: Path | None = Field(None, description="PEM file of Elasticsearch's CA")
    elasticsearch_replicas: int = Field(
        0, ge=0, le=10, description="copies of each index on other nodes; 0 for a single node"
    )
    elasticsearch_timeout_s: float = Field(
        30.0, gt=0, le=600, description="how long one request to Elasticsearch may take"
    )
    elasticsearch_merge_timeout_s: float = Field(
        3600.0,
        gt=0,
        le=86_400,
        description="how long Elasticsearch may rewrite what held removed records",
    )
    elasticsearch_retry_s: float = Field(
        30.0,
        ge=0,
        le=3600,
        description="how long a write is tried again within one attempt; attempts go on for ever",
    )
    elasticsearch_bulk_octets: int = Field(
        8 * 1024 * 1024,
        ge=1024,
        le=100 * 1024 * 1024,
        description="size of one bulk request; what stands between may allow less",
    )
    elasticsearch_dead_letters: int = Field(
        10_000,
        ge=0,
        le=1_000_000,
        description="most refused records that are listed with their reason",
    )
    column_octets: int = Field(
        256 * 1024 * 1024,
        ge=0,
        description="memory of each process for columns that facets and histograms count by",
    )
    seal_after_h: float = Field(
        1.0,
        ge=0,
        description="a past month of the embedded index without a new record for so many hours "
        "is rewritten in its small, final form; 0 never",
    )
    batch_records: int = Field(1000, ge=1, le=10_000, description="records per index transaction")
    gather_ms: float = Field(
        200.0,
        ge=0,
        le=10_000,
        description="how long a batch that isn't full waits for more records",
    )
    poll_interval_ms: float = Field(
        50.0, gt=0, le=10_000, description="how often the projector looks for new records"
    )
    workers: int | None = Field(
        None,
        ge=0,
        le=256,
        description="processes that parse and validate; 0 does it in the projector; not set: one "
        "for each core beyond two, at most four",
    )
    repeat_window_h: float = Field(
        24.0, ge=0, description="a byte-identical message within this time is marked as a repeat"
    )
    default_assigners: dict[str, str] = Field(
        {}, description="assigning authority of bare patient identifiers, by AuditSourceID"
    )
    destination_kinds: dict[str, Literal["viewer", "archive", "outside"]] = Field(
        {}, description="what a transfer's destination is, by AE title, UserID or address"
    )
