"""The web process's options, made from the settings."""

import os
import secrets
import socket
import ssl
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from zoneinfo import ZoneInfo

from cryptography import x509

from audit import __version__
from audit.dashboard.options import PageOptions
from audit.errors import ConfigurationError
from audit.service.paths import PRIVATE_FILE
from audit.service.reports import report_options
from audit.settings import Settings
from audit.state.options import StateOptions
from audit.transport.tls import CIPHERS
from audit.web.options import WebOptions

OWN_KEY_OCTETS = 32


def web_options(settings: Settings) -> WebOptions:
    """Limits and host names of the listener.

    Raises:
        ConfigurationError: plain HTTP is asked for on an address that others can reach.
    """
    web = settings.web
    if web.plain_http and not is_loopback(web.host):
        raise ConfigurationError(
            f"web.plain_http is for loopback addresses only, and web.host is {web.host}; "
            "use HTTPS, or web.host = 127.0.0.1 behind a proxy that speaks HTTPS"
        )
    return WebOptions(
        allowed_hosts=tuple(sorted(allowed_hosts(settings))),
        https=not web.plain_http,
        header_timeout_s=web.header_timeout_s,
        body_timeout_s=web.body_timeout_s,
        max_body_octets=web.max_body_octets,
        requests_per_s=web.requests_per_s,
        request_burst=max(1, round(web.requests_per_s * 2)),
        max_exports=web.max_exports,
        max_exports_per_principal=web.max_exports_per_caller,
        max_tails=web.max_tails,
        max_tails_per_principal=web.max_tails_per_caller,
        shutdown_timeout_s=1,
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def allowed_hosts(settings: Settings) -> frozenset[str]:
    """The names that requests may carry: those configured, else this machine's own."""
    if settings.web.allowed_hosts:
        return frozenset(name.lower() for name in settings.web.allowed_hosts)
    names = {"localhost", "127.0.0.1", "[::1]", socket.gethostname().lower()}
    certificate, _ = certificate_files(settings)
    if certificate is not None:
        names |= names_in(certificate)
    return frozenset(names - {""})


def names_in(certificate: Path) -> set[str]:
    """DNS names and addresses that a certificate was issued for; none when it can't be read."""
    try:
        parsed = x509.load_pem_x509_certificate(certificate.read_bytes())
        names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return set()
    hosts = {name.lower() for name in names.get_values_for_type(x509.DNSName)}
    for address in names.get_values_for_type(x509.IPAddress):
        hosts.add(f"[{address}]" if address.version == 6 else str(address))  # noqa: PLR2004
    return hosts


def certificate_files(settings: Settings) -> tuple[Path | None, Path | None]:
    """Certificate and key of the web listener: its own, else those of the syslog listener."""
    web, trust = settings.web, settings.trust
    if web.certificate is not None:
        return web.certificate, web.private_key
    return trust.certificate, trust.private_key


def web_tls(settings: Settings) -> ssl.SSLContext | None:
    """TLS of the web listener; None for plain HTTP.

    Raises:
        ConfigurationError: there is no certificate, or it can't be used.
    """
    if settings.web.plain_http:
        return None
    certificate, key = certificate_files(settings)
    if certificate is None or key is None:
        raise ConfigurationError(
            "HTTPS needs web.certificate and web.private_key, or trust.certificate and "
            "trust.private_key; make a set with arr pki init"
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"{certificate} with {key} can't be used: {error}") from error
    return context


def page_options(settings: Settings) -> PageOptions:
    """How the pages present themselves.

    Raises:
        ConfigurationError: the time zone is not known.
    """
    try:
        zone = ZoneInfo(settings.web.time_zone)
    except (KeyError, ValueError, OSError) as error:
        raise ConfigurationError(
            f"web.time_zone: {settings.web.time_zone} is no IANA time zone; "
            "use one like Europe/Zurich"
        ) from error
    return PageOptions(
        https=not settings.web.plain_http,
        zone=zone,
        repository_name=settings.source.enterprise_site_id or "Audit Record Repository",
        version=__version__,
        day_begins=settings.web.usual_from_hour,
        day_ends=settings.web.usual_until_hour,
        session_gap_s=int(settings.web.pause_min * 60),
        reports=report_options(settings),
    )


def state_options(settings: Settings) -> StateOptions:
    """Limits of sessions and of identities."""
    web = settings.web
    return StateOptions(
        session_idle_s=web.session_idle_min * 60,
        session_absolute_s=web.session_absolute_h * 3600,
        max_identities=settings.identities.max_names,
        max_names_of_one=settings.identities.max_names_of_one,
    )


def own_key(path: Path) -> bytes:
    """A secret of this repository, made at first use; all its processes share it."""
    if not path.exists():
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        with os.fdopen(file, "wb") as written:
            written.write(secrets.token_bytes(OWN_KEY_OCTETS))
        with suppress(FileExistsError):  # another process was faster
            path.hardlink_to(fresh)
        fresh.unlink()
    return path.read_bytes()
