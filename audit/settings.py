"""Settings: flag > ``ARR_…`` > TOML file > default. The only reader of environment and file.

Nested names join with two underscores in the environment (``ARR_SYSLOG__TLS_PORT``) and with a dot
in words (``syslog.tls_port``). docs/settings.md is generated from the descriptions below.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from audit.errors import ConfigurationError

ENVIRONMENT_PREFIX = "ARR_"
SYSTEM_FILE = Path("/etc/arr/arr.toml")
KEY_CREDENTIAL = "arr-journal-key"

Port = Annotated[int, Field(ge=0, le=65535)]


class Section(BaseModel):
    """A group of settings; an unknown name is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
    drain_timeout_s: float = Field(3.0, gt=0, description="time to finish connections at stop")


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
    allow_weak_keys: bool = Field(False, description="accept RSA keys of 1024 bits")


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
        description="keys that encrypt the journal at rest, the first for what is written; by "
        "default the systemd credential arr-journal-key, if there is one",
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
    outside_timeout_s: float = Field(
        5.0, gt=0, description="time that a witness or a place outside has to answer"
    )
    outside_ca: Path | None = Field(
        None, description="PEM file of the CAs of witnesses and places outside; else the system's"
    )


class IndexSettings(Section):
    """The search index."""

    backend: Literal["embedded", "elasticsearch"] = Field(
        "embedded", description="where the search index lives"
    )
    elasticsearch_url: str = Field(
        "http://127.0.0.1:9200",
        description="addresses of Elasticsearch nodes, separated by commas",
    )
    elasticsearch_prefix: str = Field(
        "arr", description="what the names of all indices begin with"
    )
    elasticsearch_user: str | None = Field(None, description="user for basic authentication")
    elasticsearch_password_file: Path | None = Field(
        None, description="file holding the password of that user"
    )
    elasticsearch_api_key_file: Path | None = Field(
        None, description="file holding an Elasticsearch API key"
    )
    elasticsearch_ca: Path | None = Field(None, description="PEM file of Elasticsearch's CA")
    batch_records: int = Field(500, ge=1, le=10_000, description="records per index transaction")
    poll_interval_ms: float = Field(
        50.0, gt=0, le=10_000, description="how often the projector looks for new records"
    )
    workers: int = Field(
        0,
        ge=0,
        le=256,
        description="processes that parse and validate; 0 does it in the projector",
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


class Settings(Section):
    """All settings of one repository."""

    data: Path = Field(Path("arr-data"), description="folder that holds everything kept")
    syslog: SyslogSettings = SyslogSettings()
    trust: TrustSettings = TrustSettings()
    journal: JournalSettings = JournalSettings()
    index: IndexSettings = IndexSettings()
    web: WebSettings = WebSettings()
    ops: OpsSettings = OpsSettings()
    source: SourceSettings = SourceSettings()


def load(
    file: Path | None = None,
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Settings from flags, environment, file and defaults, in this order of weight.

    Args:
        file: a TOML file; without it ``ARR_CONFIG``, then ``/etc/arr/arr.toml`` where it exists.
        flags: values by dotted name; None values are left out.
        environment: defaults to the process environment.

    Raises:
        ConfigurationError: a name is unknown, a value does not fit, or the file can't be read; the
            text names file, setting and mend.
    """
    environment = os.environ if environment is None else environment
    path = file or _configured_file(environment)
    merged: dict[str, Any] = {}
    for name, value, origin in (
        *_credential_values(environment),
        *_file_values(path),
        *_environment_values(environment),
        *((name, value, "flag") for name, value in (flags or {}).items() if value is not None),
    ):
        _check_name(name, origin)
        _put(merged, name.split("."), value)
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        raise ConfigurationError(_explain(error)) from error


def names() -> tuple[str, ...]:
    """Every setting's dotted name, in order."""
    return tuple(name for name, _, _ in described())


def described(
    model: type[BaseModel] = Settings, prefix: str = ""
) -> Iterator[tuple[str, Any, str]]:
    """Dotted name, default and description of every setting."""
    for name, info in model.model_fields.items():
        annotation = info.annotation
        if isinstance(annotation, type) and issubclass(annotation, Section):
            yield from described(annotation, f"{prefix}{name}.")
        else:
            yield prefix + name, info.default, info.description or ""


def render_markdown() -> str:
    """docs/settings.md, generated."""
    lines = [
        "# Settings",
        "",
        "Generated from `audit/settings.py`. A flag beats the environment, the environment beats",
        "the TOML file (`--config FILE`, else `ARR_CONFIG`, else `/etc/arr/arr.toml`), the file",
        "beats the default. In the environment `syslog.tls_port` is `ARR_SYSLOG__TLS_PORT`; in a",
        "file it is `tls_port` under `[syslog]`. Unknown names are errors.",
        "",
        "| setting | default | meaning |",
        "|---|---|---|",
    ]
    for name, default, meaning in described():
        shown = "" if default is None or default in ("", (), {}) else f"`{default}`"
        lines.append(f"| `{name}` | {shown} | {meaning} |")
    return "\n".join(lines) + "\n"


def _configured_file(environment: Mapping[str, str]) -> Path | None:
    named = environment.get("ARR_CONFIG")
    if named:
        return Path(named)
    return SYSTEM_FILE if SYSTEM_FILE.exists() else None


def _file_values(path: Path | None) -> Iterator[tuple[str, Any, str]]:
    if path is None:
        return
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: is not TOML: {error}") from error
    for name, value in _flatten(content):
        yield name, value, str(path)


def _flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict) and prefix + name not in _TABLES:
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _credential_values(environment: Mapping[str, str]) -> Iterator[tuple[str, Any, str]]:
    """What systemd hands over by LoadCredential=; anything else that is configured beats it."""
    folder = environment.get("CREDENTIALS_DIRECTORY")
    if folder and (Path(folder) / KEY_CREDENTIAL).exists():
        yield "journal.key_file", Path(folder) / KEY_CREDENTIAL, "systemd credential"


def _environment_values(environment: Mapping[str, str]) -> Iterator[tuple[str, Any, str]]:
    for variable in sorted(environment):
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable in _OTHER_VARIABLES:
            continue
        name = variable.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", ".")
        value: Any = environment[variable]
        if name in _LISTS:
            value = tuple(part.strip() for part in value.split(",") if part.strip())
        yield name, value, f"environment variable {variable}"


_LISTS = frozenset({"web.allowed_hosts", "journal.witnesses", "journal.publish_to"})
"""Settings whose values commas separate in the environment."""
_TABLES = frozenset({"index.default_assigners", "index.destination_kinds"})
"""Settings that are tables of the operator's own names."""
_OTHER_VARIABLES = frozenset({"ARR_CONFIG", "ARR_LONG", "ARR_PASSWORD", "ARR_TOKEN"})


def _check_name(name: str, origin: str) -> None:
    known = names()
    if name in known:
        return
    close = get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    raise ConfigurationError(f"{origin}: there is no setting {name}{hint}")


def _put(tree: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
    tree[path[-1]] = value


def _explain(error: ValidationError) -> str:
    return "; ".join(
        f"setting {'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
        f" (found {fault['input']!r})"
        for fault in error.errors()
    )
