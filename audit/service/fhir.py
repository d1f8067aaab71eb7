"""The FHIR interfaces and ITI-82 of the web process, from the settings."""

from collections.abc import Sequence

from fastapi import APIRouter

from audit.api.access import Doorkeeper
from audit.api.fhir import create_fhir_routes
from audit.api.syslog_search import create_syslog_search_routes
from audit.fhir.feed import LISTENER
from audit.fhir.options import FhirOptions
from audit.query.audited_trail import AuditedTrail
from audit.settings import Settings
from audit.transport.append_socket import AppendClient


def fhir_options(settings: Settings, page_key: bytes) -> FhirOptions:
    """Limits and manners of the interfaces."""
    fhir = settings.fhir
    return FhirOptions(
        base_url=fhir.base_url,
        date_bounds=fhir.date_bounds,
        default_count=fhir.default_count,
        max_count=fhir.max_count,
        max_examined=fhir.max_examined,
        max_counted=fhir.max_counted,
        max_parameter_chars=fhir.max_parameter_chars,
        max_bundle_entries=fhir.max_bundle_entries,
        read_wait_s=fhir.read_wait_s,
        page_key=page_key,
        assigners=settings.index.default_assigners,
    )


def fhir_routes(
    trail: AuditedTrail,
    appends: AppendClient,
    doorkeeper: Doorkeeper,
    options: FhirOptions,
) -> tuple[APIRouter, APIRouter]:
    """The routes of ``/fhir`` and of ``/syslogsearch``."""

    def append_all(raws: Sequence[bytes], peer: str) -> tuple[int, ...]:
        return appends.append_all(raws, LISTENER, peer)

    return (
        create_fhir_routes(trail, append_all, doorkeeper, options),
        create_syslog_search_routes(trail, doorkeeper, options),
    )
