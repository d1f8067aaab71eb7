"""Exports and evidence bundles, put together from settings and folders."""

from functools import partial

from audit import __version__
from audit.errors import ConfigurationError
from audit.journal.files import Files
from audit.journal.initialise import read_identity
from audit.journal.note import Signer
from audit.journal.signing_key import load_or_create_signing_key
from audit.query.audited_trail import AuditedTrail
from audit.query.evidence.options import EvidenceOptions
from audit.query.export_forms import ExportMaker
from audit.query.exports.jobs import ExportJobOptions, ExportJobs
from audit.service.clock import clock_state
from audit.service.paths import DataPaths
from audit.settings import Settings


def export_maker(trail: AuditedTrail, settings: Settings, paths: DataPaths) -> ExportMaker:
    """Makes exports of every form."""
    return ExportMaker(trail, partial(evidence_options, settings, paths))


def export_jobs(settings: Settings, paths: DataPaths) -> ExportJobs:
    """Keeps exports below the data folder."""
    chosen = settings.exports
    return ExportJobs(
        ExportJobOptions(
            folder=paths.exports,
            kept_h=chosen.kept_h,
            most_running=chosen.max_running,
            most_per_owner=chosen.max_per_caller,
            most_octets=chosen.max_octets,
        )
    )


def evidence_options(settings: Settings, paths: DataPaths) -> EvidenceOptions:
    """How bundles are made now; the exporter's key is made at first use.

    Raises:
        ConfigurationError: the exporter's key or the trusted certificates can't be read.
        JournalUnavailable: there is no journal.
    """
    name = read_identity(paths.journal).name
    key = load_or_create_signing_key(paths.exporter_key, Files())
    return EvidenceOptions(
        journal_dir=paths.journal,
        signer=Signer(f"{name}/exporter", key),
        cosigned=paths.cosigned if settings.journal.witnesses else None,
        timestamps=paths.timestamps,
        anchors=_anchors(settings),
        clock_state=lambda: str(clock_state()),
        software=f"arr {__version__}",
        timestamped_heads=settings.exports.timestamped_heads,
        clock_records=settings.exports.clock_records,
    )


def _anchors(settings: Settings) -> bytes:
    file = settings.trust.client_ca
    if file is None:
        return b""
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"trust.client_ca: {file} can't be read: {error.strerror}"
        ) from error
