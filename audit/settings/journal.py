"""Settings of the evidence journal."""

from pathlib import Path

from pydantic import Field

from audit.settings.section import Section


class JournalSettings(Section):
    """The evidence journal."""

    max_delay_ms: float = Field(
        10.0, ge=0, le=1000, description="how long a record may wait for others to share its sync"
    )
    max_queue_octets: int = Field(
        128 * 1024 * 1024, ge=1024 * 1024, description="octets waiting to be made durable"
    )
    segment_octets: int = Field(
        256 * 1024 * 1024, ge=65536, description="a segment is closed at this size"
    )
    segment_entries: int = Field(
        65_536, ge=1, le=10_000_000, description="a segment is closed at this many entries"
    )
    segment_age_s: float = Field(86_400.0, gt=0, description="a segment is closed at this age")
    log_name_prefix: str = Field(
        "audit-record-repository",
        description="begins the log's name in signed heads, by habit a domain of the operator; "
        "counts only when the journal is made",
    )
    key_file: Path | None = Field(
        None,
        description="keys that encrypt the journal and the embedded index at rest, the first for "
        "what is written; by default the systemd credential arr-journal-key, if there is one",
    )
    seal: bool = Field(True, description="compress closed segments in the background")
    seal_level: int = Field(6, ge=1, le=22, description="zstd level of sealed segments")
    seal_poll_s: float = Field(
        5.0, gt=0, description="how often closed segments are looked for to be sealed"
    )
    reserve_octets: int = Field(
        256 * 1024 * 1024, ge=0, description="free disk space below which no data is taken"
    )
    lock_wait_s: float = Field(
        10.0, ge=0, description="how long to wait for a predecessor that is just ending"
    )
    checkpoint_interval_s: float = Field(
        1.0, gt=0, description="time between signed heads while records arrive"
    )
    witnesses: tuple[str, ...] = Field(
        (), description="who cosigns heads: 'URL VERIFIERKEY' each (C2SP tlog-witness)"
    )
    witness_interval_s: float = Field(
        10.0, gt=0, description="time between heads that witnesses are asked to cosign"
    )
    publish_to: tuple[str, ...] = Field(
        (),
        description="where copies of heads go: a folder, an http(s) URL to PUT to, or post:URL",
    )
    publish_interval_s: float = Field(3600.0, gt=0, description="time between such copies")
    retention_policy: Path | None = Field(
        None,
        description="TOML file of retention rules; with it what is due is removed on a schedule, "
        "without it only by arr retention run",
    )
    retention_interval_h: float = Field(
        24.0, gt=0, le=8784, description="time between two runs of retention by that policy"
    )
    outside_timeout_s: float = Field(
        5.0, gt=0, description="time that a witness or a place outside has to answer"
    )
    outside_ca: Path | None = Field(
        None, description="PEM file of the CAs of witnesses and places outside; else the system's"
    )
