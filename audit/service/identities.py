"""Joins the alias table to search, API and trail."""

from collections.abc import Callable

from fastapi import APIRouter

from audit.api.access import Doorkeeper
from audit.api.identities import create_identity_routes
from audit.index.port import SearchIndex
from audit.query.access import Principal
from audit.query.audited_trail import AuditedTrail
from audit.query.merges import MergeOptions
from audit.query.self_audit import Append
from audit.record.build import Alert
from audit.service.identity_learning import BY, learn_identities
from audit.service.own_records import OwnRecords
from audit.state.aliases import Aliases
from audit.state.store import StateStore


def identity_routes(
    trail: AuditedTrail,
    aliases: Aliases,
    doorkeeper: Doorkeeper,
    append: Append,
    own: OwnRecords,
) -> APIRouter:
    """The routes below ``/api/v1/identities``; each change is journaled before it is made."""

    def record_change(principal: Principal, what: str) -> None:
        append(own.configuration(principal.name, what, Alert.SOFTWARE_CONFIGURATION))

    return create_identity_routes(trail, aliases, doorkeeper, record_change)


def learner(
    index: SearchIndex,
    state: StateStore,
    append: Append,
    own: OwnRecords,
    options: MergeOptions | None = None,
) -> Callable[[], int]:
    """Learns merges of patients from what became searchable since the last time."""

    def record(what: str) -> None:
        append(own.configuration(BY, what, Alert.SOFTWARE_CONFIGURATION))

    return lambda: learn_identities(index, state.aliases, record, options)
