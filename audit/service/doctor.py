"""Looks at this machine the way the repository will use it, and says what to mend."""

import errno
import os
import shutil
import socket
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from audit.errors import ConfigurationError, IncompleteCheck
from audit.service.clock import clock_state
from audit.service.ops import readiness
from audit.service.paths import DataPaths
from audit.settings import Settings
from audit.transport.revocation import read_revocations
from audit.transport.tls import enrolled_files

CERTIFICATE_WARNING = timedelta(days=14)


class Grade(StrEnum):
    """How an examination ended."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One thing looked at: what was found, and the cure when it isn't well."""

    subject: str
    grade: Grade
    found: str
    cure: str = ""

    def as_dict(self) -> dict[str, str]:
        """The JSON form."""
        return {
            "subject": self.subject,
            "grade": str(self.grade),
            "found": self.found,
            "cure": self.cure,
        }


def examine(settings: Settings) -> tuple[Diagnosis, ...]:
    """Everything that can be looked at without changing anything.

    When the repository runs, its ports are taken by itself; that is well.
    """
    paths = DataPaths(settings.data)
    running = paths.run.exists() and readiness(paths).ready
    parts: tuple[Callable[[], Iterator[Diagnosis]], ...] = (
        lambda: _folders(paths),
        lambda: _disk(settings),
        _clock,
        lambda: _certificates(settings),
        lambda: _trusted(settings),
        lambda: _ports(settings, running),
        lambda: _processes(paths),
    )
    return tuple(diagnosis for part in parts for diagnosis in part())


def check_live(settings: Settings) -> None:
    """For health checks of containers.

    Raises:
        IncompleteCheck: the repository doesn't run, or takes no records.
    """
    now = readiness(DataPaths(settings.data))
    if not now.ready:
        raise IncompleteCheck(
            f"not ready: {now.checks['receive'].get('reason', 'see arr doctor')}"
        )


def _folders(paths: DataPaths) -> Iterator[Diagnosis]:
    if not paths.root.exists():
        yield Diagnosis(
            "data folder",
            Grade.WARNING,
            f"{paths.root} does not exist yet",
            "it is made at first start; check that its parent is the disk you mean",
        )
        return
    for path in (paths.root, paths.journal, paths.signing_key.parent, paths.state.parent):
        if path.exists():
            yield _private(path)
    for path in (paths.signing_key, paths.cursor_key, paths.pseudonym_key, paths.state):
        if path.exists():
            yield _private(path)


def _private(path: Path) -> Diagnosis:
    about = path.stat()
    mode = stat.S_IMODE(about.st_mode)
    if about.st_uid != os.geteuid():
        return Diagnosis(
            str(path),
            Grade.ERROR,
            f"belongs to user id {about.st_uid}",
            f"chown {os.geteuid()} {path}",
        )
    if mode & 0o077:
        return Diagnosis(
            str(path), Grade.ERROR, f"others may use it (mode {mode:04o})", f"chmod go= {path}"
        )
    return Diagnosis(str(path), Grade.OK, f"private (mode {mode:04o})")


def _disk(settings: Settings) -> Iterator[Diagnosis]:
    folder = _existing(settings.data)
    usage = shutil.disk_usage(folder)
    found = f"{usage.free / 2**30:.1f} GiB free of {usage.total / 2**30:.1f} GiB at {folder}"
    if usage.free < settings.journal.reserve_octets:
        yield Diagnosis(
            "disk",
            Grade.ERROR,
            found,
            "free some space or lower journal.reserve_octets: no records are taken",
        )
    elif usage.free < 4 * settings.journal.reserve_octets:
        yield Diagnosis(
            "disk",
            Grade.WARNING,
            found,
            "intake stops at journal.reserve_octets; add space in time",
        )
    else:
        yield Diagnosis("disk", Grade.OK, found)


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def _clock() -> Iterator[Diagnosis]:
    state = clock_state()
    if state.synchronised:
        yield Diagnosis("clock", Grade.OK, str(state))
    else:
        yield Diagnosis(
            "clock",
            Grade.WARNING,
            str(state),
            "run chrony, ntpd or systemd-timesyncd: audit times are evidence (IHE ITI-1)",
        )


def _certificates(settings: Settings) -> Iterator[Diagnosis]:
    trust, web = settings.trust, settings.web
    if settings.syslog.tls_enabled:
        yield from _certificate("syslog certificate", trust.certificate, trust.private_key)
    if not web.plain_http and web.certificate is not None:
        yield from _certificate("web certificate", web.certificate, web.private_key)


def _certificate(subject: str, certificate: Path | None, key: Path | None) -> Iterator[Diagnosis]:
    if certificate is None or key is None:
        yield Diagnosis(
            subject,
            Grade.ERROR,
            "none is configured",
            "set trust.certificate and trust.private_key; arr pki init makes a set",
        )
        return
    try:
        parsed = x509.load_pem_x509_certificate(certificate.read_bytes())
        secret = load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        yield Diagnosis(
            subject,
            Grade.ERROR,
            f"can't be used: {error}",
            "give PEM files that this user can read; the key without a passphrase",
        )
        return
    if parsed.public_key() != secret.public_key():
        yield Diagnosis(
            subject,
            Grade.ERROR,
            f"{key} is not the key of {certificate}",
            "configure the pair that belongs together",
        )
    yield _validity(subject, parsed)
    yield _private(key)


def _validity(subject: str, certificate: x509.Certificate) -> Diagnosis:
    end = certificate.not_valid_after_utc
    left = end - datetime.now(UTC)
    found = f"valid until {end:%Y-%m-%d %H:%M} UTC ({certificate.subject.rfc4514_string()})"
    if left < timedelta(0):
        return Diagnosis(
            subject,
            Grade.ERROR,
            f"expired on {end:%Y-%m-%d %H:%M} UTC",
            "renew it: no node can connect",
        )
    if left < CERTIFICATE_WARNING:
        return Diagnosis(subject, Grade.WARNING, found, f"renew it: {left.days} days are left")
    return Diagnosis(subject, Grade.OK, found)


def _trusted(settings: Settings) -> Iterator[Diagnosis]:
    trust = settings.trust
    if not settings.syslog.tls_enabled:
        return
    enrolled = settings.trust.enrolled or DataPaths(settings.data).enrolled
    count = len(enrolled_files(enrolled))
    if trust.client_ca is None and count == 0:
        yield Diagnosis(
            "who may send",
            Grade.ERROR,
            "nobody: no CA and no enrolled certificate",
            "set trust.client_ca, or enrol certificates with arr pki enrol",
        )
        return
    if trust.client_ca is not None and not trust.client_ca.is_file():
        yield Diagnosis(
            "who may send",
            Grade.ERROR,
            f"{trust.client_ca} is not a file",
            "set trust.client_ca to a PEM file",
        )
        return
    yield Diagnosis(
        "who may send",
        Grade.OK,
        f"CA: {trust.client_ca or 'none'}; enrolled certificates: {count}",
    )
    yield from _revocations(trust.crl)


def _revocations(files: tuple[Path, ...]) -> Iterator[Diagnosis]:
    for file in files:
        subject = f"revocation list {file}"
        try:
            lists = read_revocations((file,)).lists
        except ConfigurationError as error:
            yield Diagnosis(subject, Grade.ERROR, str(error), "give PEM or DER lists in trust.crl")
            continue
        if any(one.is_outdated for one in lists):
            mend = "fetch the authority's new one; until then this one counts"
            yield Diagnosis(subject, Grade.WARNING, "a newer list is due", mend)
            continue
        count = sum(len(one.revoked) for one in lists)
        yield Diagnosis(subject, Grade.OK, f"{count} certificates are revoked")


def _ports(settings: Settings, running: bool) -> Iterator[Diagnosis]:
    syslog, web, ops = settings.syslog, settings.web, settings.ops
    wanted = [
        ("web.port", web.host, web.port, socket.SOCK_STREAM),
        ("ops.port", ops.host, ops.port, socket.SOCK_STREAM),
    ]
    if syslog.tls_enabled:
        wanted.append(("syslog.tls_port", syslog.host, syslog.tls_port, socket.SOCK_STREAM))
    if syslog.udp_enabled:
        wanted.append(("syslog.udp_port", syslog.host, syslog.udp_port, socket.SOCK_DGRAM))
    if syslog.tcp_enabled:
        wanted.append(("syslog.tcp_port", syslog.host, syslog.tcp_port, socket.SOCK_STREAM))
    for name, host, port, kind in wanted:
        yield _port(name, (host, port), kind, running)


def _port(
    name: str, address: tuple[str, int], kind: socket.SocketKind, running: bool
) -> Diagnosis:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and running:
                return Diagnosis(
                    name, Grade.OK, f"port {address[1]} is in use by the running repository"
                )
            return Diagnosis(
                name,
                Grade.ERROR,
                f"port {address[1]} on {address[0]}: {error.strerror}",
                f"choose another with {name}, or end what holds it",
            )
    return Diagnosis(name, Grade.OK, f"port {address[1]} on {address[0]} is free")


def _processes(paths: DataPaths) -> Iterator[Diagnosis]:
    if not paths.run.exists():
        return
    for role, check in readiness(paths).checks.items():
        if isinstance(check, dict) and "ready" in check:
            if check["ready"]:
                yield Diagnosis(f"process {role}", Grade.OK, f"runs (pid {check['pid']})")
            else:
                yield Diagnosis(
                    f"process {role}",
                    Grade.WARNING,
                    str(check.get("reason", "not ready")),
                    "start it with arr serve, or read its log",
                )
