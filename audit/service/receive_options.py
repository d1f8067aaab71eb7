"""The receive process's options, made from the settings."""

from pathlib import Path

from audit.errors import ConfigurationError
from audit.journal.sealer import SealOptions
from audit.journal.writer import JournalOptions
from audit.service.paths import DataPaths
from audit.settings import Settings
from audit.transport.receiver_options import ReceiverOptions
from audit.transport.tls import ServerTls, Trust


def journal_options(settings: Settings, paths: DataPaths) -> JournalOptions:
    """The journal's options from the settings."""
    journal = settings.journal
    return JournalOptions(
        key_file=paths.signing_key,
        position_file=paths.position,
        segment_max_octets=journal.segment_octets,
        segment_max_entries=journal.segment_entries,
        segment_max_age_s=journal.segment_age_s,
        log_name_prefix=journal.log_name_prefix,
        reserve_octets=journal.reserve_octets,
        lock_wait_s=journal.lock_wait_s,
        close_request_file=close_request(paths),
    )


def close_request(paths: DataPaths) -> Path:
    """The file that asks the writer to close its segment."""
    return paths.run / "close-segment"


def seal_options(settings: Settings) -> SealOptions:
    """How closed segments are sealed, from the settings."""
    journal = settings.journal
    return SealOptions(
        level=journal.seal_level,
        poll_s=journal.seal_poll_s,
        reserve_octets=journal.reserve_octets,
    )


def server_tls(settings: Settings, paths: DataPaths) -> ServerTls:
    """The TLS listener's certificates and trust.

    Raises:
        ConfigurationError: the repository has no certificate, or nobody is trusted.
    """
    trust = settings.trust
    if trust.certificate is None or trust.private_key is None:
        raise ConfigurationError(
            "trust.certificate and trust.private_key are needed for TLS syslog; make a set with "
            "arr pki init, or set syslog.tls_enabled = false"
        )
    enrolled = trust.enrolled or paths.enrolled
    if trust.client_ca is None and trust.enrolled is None and not enrolled.is_dir():
        raise ConfigurationError(
            "nobody may send: set trust.client_ca, or enrol certificates with arr pki enrol"
        )
    return ServerTls(
        certificate=trust.certificate,
        private_key=trust.private_key,
        trust=Trust(
            ca_files=(trust.client_ca,) if trust.client_ca else (),
            enrolled_dir=enrolled if enrolled.is_dir() else None,
            crl_files=trust.crl,
            allow_rsa_1024=trust.allow_weak_keys,
        ),
    )


def receiver_options(settings: Settings, paths: DataPaths) -> ReceiverOptions:
    """The listeners' options from the settings."""
    syslog = settings.syslog
    return ReceiverOptions(
        host=syslog.host,
        tls=server_tls(settings, paths) if syslog.tls_enabled else None,
        tls_port=syslog.tls_port,
        udp_port=syslog.udp_port if syslog.udp_enabled else None,
        tcp_port=syslog.tcp_port if syslog.tcp_enabled else None,
        max_message_octets=syslog.max_message_octets,
        kept_head_octets=syslog.kept_head_octets,
        max_connections=syslog.max_connections,
        max_connections_per_address=syslog.max_connections_per_address,
        handshake_timeout_s=syslog.handshake_timeout_s,
        idle_timeout_s=syslog.idle_timeout_s,
        max_in_flight_octets=syslog.max_octets_in_flight,
    )
