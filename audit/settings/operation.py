"""Settings of operations, and of the repository's own records."""

from typing import Literal

from pydantic import Field

from audit.settings.section import Port, Section


class OpsSettings(Section):
    """Health and metrics, for this machine only."""

    host: str = Field("127.0.0.1", description="loopback address of the operations listener")
    port: Port = Field(
        9614, description="port of /livez, /readyz and /metrics; 0 picks a free one"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="least level of the log lines written"
    )


class SourceSettings(Section):
    """How the repository names itself in its own audit messages."""

    audit_source_id: str = Field(
        "arr", description="AuditSourceID of the repository's own records"
    )
    enterprise_site_id: str = Field("", description="AuditEnterpriseSiteID of its own records")
