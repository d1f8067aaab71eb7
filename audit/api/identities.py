"""Identities over HTTP: which identifiers are of one patient or person, and who said so."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Security
from pydantic import Field, StringConstraints
from starlette.responses import Response

from audit.api.access import Doorkeeper
from audit.api.events import COMMON, json_answer
from audit.api.schemas import Strict
from audit.index.criteria import Or, Term
from audit.query.access import Principal, Scope
from audit.query.audited_trail import AuditedTrail, Details
from audit.query.patients_shown import PatientsShown
from audit.query.view import PrincipalView
from audit.record.times import format_ns
from audit.state.aliases import Aliases, Link, Name, Somebody
from audit.web.declared import Leaves, scoped
from audit.web.openapi import problem_answers

PREFIX = "/api/v1/identities"
MOST_LINKS = 1_000
_MOST_NAMES = 50
_HISTORY = 100
_FIELDS = {"patient": "patient", "person": "user"}
_LARGEST_VERSION = 10**15
"""Far beyond any, and exact as a JSON number."""

RecordChange = Callable[[Principal, str], None]
"""Journals what is about to be changed and by whom; raises JournalUnavailable."""

Kind = Annotated[
    Literal["patient", "person"], Field(description="Of a patient, or of a person who acts.")
]
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Assigner = Annotated[str, StringConstraints(max_length=256)]


class IdentityName(Strict):
    """An identifier, and who assigned it."""

    identifier: Identifier = Field(examples=["P48003"])
    assigner: Assigner = Field(default="", examples=["1.2.276.0.76"])


class IdentityQuestion(IdentityName):
    """Whose other names are asked for."""

    kind: Kind = "patient"
    version: int | None = Field(
        default=None, ge=0, le=_LARGEST_VERSION, description="As it was known then."
    )


class IdentityLink(Strict):
    """Names that are all of one patient or person."""

    names: Annotated[list[IdentityName], Field(min_length=2, max_length=_MOST_NAMES)]
    evidence: Annotated[str, StringConstraints(max_length=256)] = Field(
        default="", description="From where it is known."
    )


class IdentityLinks(Strict):
    """Links to make: all of them or, when one is refused, none."""

    kind: Kind = "patient"
    links: Annotated[list[IdentityLink], Field(min_length=1, max_length=MOST_LINKS)]


class IdentityRemoval(IdentityName):
    """A name to forget."""

    kind: Kind = "patient"


class IdentityChange(Strict):
    """What a change did."""

    version: int = Field(ge=0, description="From which on it holds.")
    changed: int = Field(ge=0, description="Names added, moved or forgotten.")


class KnownIdentity(IdentityName):
    """A name, from where and since when it is known."""

    source: Literal["csv", "api", "trail"]
    evidence: str
    since: int = Field(ge=0, description="Version.")


class KnownPerson(Strict):
    """All names of one patient or person."""

    names: list[KnownIdentity]


class IdentityAnswer(Strict):
    """Whoever has a name; several, when it is given without assigner and is of several."""

    version: int
    people: list[KnownPerson]


class IdentityVersion(Strict):
    """One change of the table."""

    version: int
    changed_at: str = Field(description="RFC 3339 UTC.")
    changed_by: str
    source: Literal["csv", "api", "trail"]
    names: int = Field(description="That it touched.")


class IdentityState(Strict):
    """The table's version and its latest changes, newest first."""

    version: int
    history: list[IdentityVersion]


def create_identity_routes(
    trail: AuditedTrail, aliases: Aliases, doorkeeper: Doorkeeper, record_change: RecordChange
) -> APIRouter:
    """The routes below ``/api/v1/identities``, for ``audit.web.application.create_app``.

    Args:
        trail: journals looks.
        aliases: the table.
        doorkeeper: lets callers in; one for all interfaces of a listener, so that the rate is one.
        record_change: journals changes before they are made.
    """
    routes = APIRouter(prefix=PREFIX, tags=["identities"])

    caller = Annotated[Principal, Security(doorkeeper.admitted)]
    _add_looks(routes, trail, aliases, caller)
    _add_changes(routes, trail, _Changes(aliases, record_change), caller)
    return routes


def _add_looks(routes: APIRouter, trail: AuditedTrail, aliases: Aliases, caller: Any) -> None:
    @routes.get(
        "",
        operation_id="identities_state",
        summary="Version and latest changes of the alias table",
        response_model=IdentityState,
        responses=problem_answers(*COMMON),
        openapi_extra=scoped(Scope.ADMIN),
    )
    def identities_state(principal: caller) -> Response:
        """Names nobody: only versions, when and by whom they were made."""
        asked: Details = (("view", "changes of identities"),)
        trail.require(principal, Scope.ADMIN, asked)
        told = {
            "version": aliases.version(),
            "history": [
                {
                    "version": one.version,
                    "changed_at": format_ns(one.changed_at),
                    "changed_by": one.changed_by,
                    "source": one.source,
                    "names": one.names,
                }
                for one in aliases.history(_HISTORY)
            ],
        }
        trail.audit.used(principal, asked)
        return json_answer(told)

    @routes.post(
        "/search",
        operation_id="identities_search",
        summary="Other names of a patient or person",
        response_model=IdentityAnswer,
        responses=problem_answers(*COMMON, 413, 422),
        openapi_extra=scoped(Scope.PATIENTS_IDENTIFY),
    )
    def identities_search(principal: caller, asked: IdentityQuestion) -> Response:
        """By identifier, and by assigner where it is given.

        Somebody who sees the records of some sites or sources alone gets whomever those name.
        """
        told: Details = (("view", f"identities of a {asked.kind}"), ("name", asked.identifier))
        trail.require(principal, Scope.PATIENTS_IDENTIFY, told)
        version = aliases.version() if asked.version is None else asked.version
        found = aliases.find(asked.kind, Name(asked.identifier, asked.assigner), version)
        if principal.rows is not None:
            view = trail.view(principal)
            found = tuple(one for one in found if _is_seen(view, asked.kind, one))
        shown = [one.name.identifier for somebody in found for one in somebody.names]
        patients = PatientsShown(identifiers=shown if asked.kind == "patient" else ())
        trail.audit.used(principal, told, patients)
        return json_answer({"version": version, "people": [_told(one) for one in found]})


def _is_seen(view: PrincipalView, kind: str, somebody: Somebody) -> bool:
    """Whether a record that may be seen names them, by whichever of their names."""
    named = Or(tuple(Term(_FIELDS[kind], one.name.identifier) for one in somebody.names))
    return view.count(named, at_most=1).value > 0


def _told(somebody: Somebody) -> dict[str, Any]:
    return {
        "names": [
            {
                "identifier": one.name.identifier,
                "assigner": one.name.assigner,
                "source": one.source,
                "evidence": one.evidence,
                "since": one.since,
            }
            for one in somebody.names
        ]
    }


class _Changes:
    """Changes of the table, each journaled before it is made."""

    def __init__(self, aliases: Aliases, record_change: RecordChange) -> None:
        self._aliases = aliases
        self._record_change = record_change

    def link(self, principal: Principal, asked: IdentityLinks) -> tuple[int, int]:
        links = [
            Link(tuple(Name(n.identifier, n.assigner) for n in one.names), one.evidence)
            for one in asked.links
        ]
        self._record_change(principal, f"{len(links)} identities of {asked.kind}s are linked")
        return self._aliases.link(asked.kind, links, by=principal.name, source="api")

    def forget(self, principal: Principal, asked: IdentityRemoval) -> tuple[int, int]:
        self._record_change(principal, f"An identity of a {asked.kind} is forgotten")
        name = Name(asked.identifier, asked.assigner)
        return self._aliases.unlink(asked.kind, name, by=principal.name)


def _add_changes(routes: APIRouter, trail: AuditedTrail, changes: _Changes, caller: Any) -> None:
    @routes.put(
        "",
        operation_id="identities_link",
        summary="Say which names are of one patient or person",
        response_model=IdentityChange,
        responses=problem_answers(*COMMON, 413, 422),
        openapi_extra=scoped(Scope.ADMIN, leaves=Leaves.CHANGE),
    )
    def identities_link(principal: caller, asked: IdentityLinks) -> Response:
        """All links or none; those who share a name become one. Asking again changes nothing."""
        trail.require(principal, Scope.ADMIN, (("view", "link identities"),))
        version, changed = changes.link(principal, asked)
        return json_answer({"version": version, "changed": changed})

    @routes.post(
        "/remove",
        operation_id="identities_remove",
        summary="Forget a name",
        response_model=IdentityChange,
        responses=problem_answers(*COMMON, 413, 422),
        openapi_extra=scoped(Scope.ADMIN, leaves=Leaves.CHANGE),
    )
    def identities_remove(principal: caller, asked: IdentityRemoval) -> Response:
        """The other names of the same patient or person stay together."""
        trail.require(principal, Scope.ADMIN, (("view", "forget an identity"),))
        version, changed = changes.forget(principal, asked)
        return json_answer({"version": version, "changed": changed})
