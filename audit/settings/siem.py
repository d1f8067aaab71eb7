"""Settings of what a SIEM gets: the feed, and destinations that records are pushed to."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from audit.settings.section import Port, Section

Format = Literal["ecs", "ocsf", "cef", "syslog"]
Name = Annotated[str, StringConstraints(pattern="^[a-z0-9][a-z0-9-]{0,31}$")]
"""Of a destination: it stands in file names and metrics."""


class SiemDestination(Section):
    """One receiver of syslog over TLS that records are pushed to."""

    host: str = Field(description="name or address of the receiver")
    port: Port = Field(6514, description="its TLS syslog port")
    format: Format = Field("ecs", description="ecs, ocsf, cef or syslog")
    query: str = Field("", description="which records, in the query language; empty for all")
    begin: Literal["oldest", "now"] = Field(
        "oldest",
        description="where the first push begins: with the oldest record, or with the next",
    )
    ca: Path | None = Field(
        None, description="PEM file of the CAs that the receiver is trusted by"
    )
    enrolled: Path | None = Field(
        None, description="folder of PEM certificates of receivers that are trusted directly"
    )
    server_name: str | None = Field(
        None, description="name that the receiver's certificate must hold, when it isn't host"
    )
    certificate: Path | None = Field(None, description="PEM client certificate chain")
    private_key: Path | None = Field(None, description="PEM private key of it")
    max_octets: int = Field(
        8192, ge=1024, le=16 * 1024 * 1024, description="longest message that the receiver takes"
    )
    confirm_s: float = Field(
        30.0,
        gt=0,
        description="how often a connection is closed so that the receiver confirms what it has",
    )
    confirms: bool = Field(
        True,
        description="whether the receiver answers the end of a connection; when it never does, "
        "its kernel's acknowledgement has to do",
    )


class SiemSettings(Section):
    """What a SIEM gets, by the feed and by push."""

    patients: bool = Field(
        False,
        description="let what identifies patients leave as it is: pushed, and to callers with "
        "patients:identify; otherwise pseudonyms leave",
    )
    staff: bool = Field(True, description="let users' names leave as they are, not as pseudonyms")
    original: bool = Field(
        False,
        description="let messages leave as received: pushed, and to callers with events:raw",
    )
    repeats: bool = Field(False, description="include byte-identical re-deliveries")
    enterprise_number: int = Field(
        32473, ge=1, description="private enterprise number in structured data (RFC 5424 6.3.2)"
    )
    ocsf_version: Literal["1.4.0", "1.5.0", "1.6.0", "1.7.0", "1.8.0"] = Field(
        "1.8.0", description="version of OCSF; lakes lag behind"
    )
    max_values: int = Field(
        100,
        ge=1,
        le=10_000,
        description="most values of a list in a line; the others are left out",
    )
    max_limit: int = Field(1_000, ge=1, le=10_000, description="most records of one answer")
    max_answer_octets: int = Field(
        16 * 1024 * 1024,
        ge=1024,
        description="octets after which an answer ends; the next one goes on",
    )
    max_wait_s: float = Field(60.0, ge=0, le=600, description="longest wait of an answer")
    max_waiting: int = Field(64, ge=0, description="answers that wait at once")
    max_waiting_per_caller: int = Field(4, ge=0, description="of these, those of one caller")
    batch_records: int = Field(
        500, ge=1, le=10_000, description="records that are pushed at a time"
    )
    confirm_records: int = Field(
        5_000, ge=1, description="records after which a receiver is asked to confirm"
    )
    poll_s: float = Field(0.5, gt=0, le=60, description="how often new records are looked for")
    longest_backoff_s: float = Field(
        60.0, gt=0, description="longest wait between attempts to reach a receiver"
    )
    destinations: dict[Name, SiemDestination] = Field(
        {}, description="receivers that records are pushed to, by name: see docs/siem.md"
    )
