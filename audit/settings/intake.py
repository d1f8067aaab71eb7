"""Settings of what comes in: listeners, and who may send."""

from pathlib import Path

from pydantic import Field

from audit.settings.section import Port, Section


class SyslogSettings(Section):
    """Intake over syslog (IHE ITI-20: RFC 5425 over TLS, RFC 5426 over UDP)."""

    host: str = Field("0.0.0.0", description="address that the syslog listeners bind")  # noqa: S104 - senders are other machines
    tls_port: Port = Field(6514, description="TLS syslog port; 0 picks a free one")
    tls_enabled: bool = Field(True, description="listen for TLS syslog")
    udp_port: Port = Field(514, description="UDP syslog port; 0 picks a free one")
    udp_enabled: bool = Field(True, description="listen for UDP syslog")
    tcp_port: Port = Field(601, description="plain TCP syslog port; 0 picks a free one")
    tcp_enabled: bool = Field(
        False, description="listen for plain TCP syslog (RFC 6587); not an ITI-20 transport"
    )
    max_message_octets: int = Field(
        16 * 1024 * 1024, ge=8192, description="a longer message is kept as its head"
    )
    kept_head_octets: int = Field(
        64 * 1024, ge=1024, description="how much of a longer message is kept"
    )
    max_connections: int = Field(10_000, ge=1, description="connections at a time, all together")
    max_connections_per_address: int = Field(
        2_000, ge=1, description="connections at a time from one address"
    )
    max_octets_in_flight: int = Field(
        64 * 1024 * 1024,
        ge=1024 * 1024,
        description="octets read but not yet durable, over all connections, before reading stops",
    )
    handshake_timeout_s: float = Field(10.0, gt=0, description="time for a TLS handshake")
    idle_timeout_s: float = Field(
        3600.0, gt=0, description="a connection silent for so long is closed"
    )
    drain_timeout_s: float = Field(
        1.0,
        gt=0,
        le=2,
        description="time to finish connections at stop; short, for all is stopped within 6 s",
    )


class TrustSettings(Section):
    """Who may send (IHE ITI-19): by CA chain or by direct trust in an enrolled certificate."""

    certificate: Path | None = Field(None, description="PEM certificate chain of this repository")
    private_key: Path | None = Field(None, description="PEM private key of this repository")
    client_ca: Path | None = Field(
        None, description="PEM file of the CAs whose clients are accepted"
    )
    enrolled: Path | None = Field(
        None, description="folder of PEM certificates that are trusted directly"
    )
    crl: tuple[Path, ...] = Field(
        (), description="files of certificate revocation lists, PEM or DER; read anew when changed"
    )
    allow_weak_keys: bool = Field(False, description="accept RSA keys of 1024 bits")
