"""Settings of API and pages."""

from pathlib import Path

from pydantic import Field

from audit.settings.section import Port, Section


class WebSettings(Section):
    """The API and the pages."""

    host: str = Field("0.0.0.0", description="address that the web listener binds")  # noqa: S104 - officers work from other machines
    port: Port = Field(8443, description="HTTPS port; 0 picks a free one")
    certificate: Path | None = Field(
        None, description="PEM certificate chain; trust.certificate when not given"
    )
    private_key: Path | None = Field(
        None, description="PEM private key; trust.private_key when not given"
    )
    plain_http: bool = Field(
        False, description="serve plain HTTP; allowed on a loopback address only"
    )
    allowed_hosts: tuple[str, ...] = Field(
        (), description="host names that requests may name; empty allows this machine's own"
    )
    time_zone: str = Field("UTC", description="IANA time zone in which pages show times")
    usual_from_hour: int = Field(
        6, ge=0, le=23, description="work on weekdays is usual from this hour of the day on"
    )
    usual_until_hour: int = Field(
        22, ge=1, le=24, description="and until this; pages mark what was done outside"
    )
    pause_min: float = Field(
        30.0, gt=0, description="a longer pause ends a session on the page of a user"
    )
    session_idle_min: float = Field(15.0, gt=0, description="a silent session ends after this")
    session_absolute_h: float = Field(8.0, gt=0, description="any session ends after this")
    header_timeout_s: float = Field(10.0, gt=0, description="time for a request's header")
    body_timeout_s: float = Field(30.0, gt=0, description="time for a request's body")
    max_body_octets: int = Field(
        256 * 1024, ge=1024, description="largest request body that is read"
    )
    requests_per_s: float = Field(100.0, gt=0, description="requests a second for one caller")
    max_exports: int = Field(4, ge=0, description="exports that run at once")
    max_exports_per_caller: int = Field(2, ge=0, description="of these, those of one caller")
    max_tails: int = Field(32, ge=0, description="live tails that are open at once")
    max_tails_per_caller: int = Field(4, ge=0, description="of these, those of one caller")
