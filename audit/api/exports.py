"""Exports as jobs: asked for, made in the background, fetched when they are done."""

from base64 import b64encode
from hashlib import sha256
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Security
from pydantic import Field, StringConstraints
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from audit.api.access import Doorkeeper
from audit.api.events import COMMON, json_answer
from audit.api.questions import text_of
from audit.api.schemas import IncludeRepeats, NamedQuestion, Sort, Strict
from audit.query.access import Principal, Scope
from audit.query.audited_trail import Details, rows_seen
from audit.query.export_forms import ExportMaker, media_type_of, scopes_of, suffix_of
from audit.query.exports.job import ExportJob as Job
from audit.query.exports.jobs import ExportJobs
from audit.query.exports.record_export import ExportOrder, Form
from audit.web.declared import Leaves, scoped
from audit.web.openapi import problem_answers
from audit.web.uses import Uses

PREFIX = "/api/v1/exports"
_LONGEST_REASON = 1_000

ExportId = Annotated[
    str,
    Path(
        pattern="^[0-9a-f]{32}$",
        description="Id of an export of yours.",
        examples=["0123456789abcdef0123456789abcdef"],
    ),
]
ExportForm = Annotated[
    Form,
    Field(
        description="ndjson: lines of JSON; csv: RFC 4180, safe for spreadsheets; original: the "
        "messages as received, octet-counted; evidence: a bundle that anybody can check offline."
    ),
]
Reason = Annotated[
    str,
    StringConstraints(max_length=_LONGEST_REASON),
    Field(description="Why; recorded, and part of an evidence bundle, which needs one."),
]


class ExportAsked(NamedQuestion):
    """Which records, in which form."""

    format: ExportForm = "ndjson"
    reason: Reason = ""
    include_repeats: IncludeRepeats = False
    sort: Sort = "newest"


class ExportJob(Strict):
    """One export and how it stands."""

    id: str
    format: ExportForm
    query: str
    reason: str
    include_repeats: bool
    identities: bool = Field(description="Whether it was asked for by all names.")
    sort: Literal["newest", "oldest"]
    state: Literal["waiting", "running", "interrupted", "done", "failed"] = Field(
        description="interrupted: the server was restarted; asking for the export begins it anew."
    )
    count: int = Field(ge=0, description="Records so far.")
    octets: int = Field(ge=0, description="Octets of the content so far.")
    sha256: str = Field(description="Of the content, hexadecimal; empty until it is done.")
    error: str = Field(description="Why it failed; else empty.")
    created_at: str
    expires_at: str = Field(description="When it is deleted.")


class ExportList(Strict):
    """Your exports."""

    items: list[ExportJob]


class Deleted(Strict):
    """What was deleted."""

    id: str


def create_export_routes(
    maker: ExportMaker, jobs: ExportJobs, doorkeeper: Doorkeeper, session_s: float = 900.0
) -> APIRouter:
    """The routes below ``/api/v1/exports``, for ``audit.web.application.create_app``.

    Args:
        maker: makes exports and journals that they began and ended.
        jobs: keeps them.
        doorkeeper: lets callers in; one for all interfaces of a listener, so that the rate is one.
        session_s: the state of an export asked for again within this is the same use, with one
            record of it.
    """
    routes = APIRouter(prefix=PREFIX, tags=["exports"])

    shown = _ExportRoutes(maker, jobs, Uses(session_s))
    shown.add_to(routes, Annotated[Principal, Security(doorkeeper.admitted)])
    return routes


def owner_of(request: Request, principal: Principal) -> str:
    """Under which name a caller's exports are kept; no account is named so.

    Whoever has come to see other records, or patients otherwise, has to ask for them anew: what
    was made with other rights is not theirs any more.
    """
    rights = f"{principal.identified} {rows_seen(principal)!r}"
    return f"api-token:{request.state.token_id}:{sha256(rights.encode()).hexdigest()[:16]}"


def _use(request: Request, job: Job) -> str:
    return f"{request.state.token_id} {job.id}"


class _ExportRoutes:
    def __init__(self, maker: ExportMaker, jobs: ExportJobs, uses: Uses) -> None:
        self._maker = maker
        self._jobs = jobs
        self._uses = uses

    def add_to(self, routes: APIRouter, caller: Any) -> None:
        self._add_create(routes, caller)
        self._add_looks(routes, caller)
        self._add_content(routes, caller)

    def _add_create(self, routes: APIRouter, caller: Any) -> None:
        @routes.post(
            "",
            operation_id="exports_create",
            summary="Ask for an export",
            response_model=ExportJob,
            responses=problem_answers(*COMMON, 413, 422),
            openapi_extra=scoped(Scope.EVENTS_EXPORT, leaves=Leaves.EXPORT),
        )
        def create(request: Request, principal: caller, asked: ExportAsked) -> Response:
            """Made in the background; original and evidence need the scope events:raw as well.

            Begin and end are recorded, the begin before this is answered.
            """
            order = ExportOrder(
                include_repeats=asked.include_repeats,
                oldest_first=asked.sort == "oldest",
                reason=asked.reason.strip(),
                by_all_names=asked.identities,
            )
            with text_of(asked) as query:
                job = self._jobs.submit(
                    owner_of(request, principal),
                    query,
                    order,
                    lambda: self._maker.make(principal, asked.format, query, order),
                )
            return json_answer(job.as_dict())

        @routes.get(
            "",
            operation_id="exports_list",
            summary="Your exports",
            response_model=ExportList,
            responses=problem_answers(*COMMON),
            openapi_extra=scoped(Scope.EVENTS_EXPORT),
        )
        def listed(request: Request, principal: caller) -> Response:
            """Newest first; those of others are not shown to anybody."""
            looked: Details = (("view", "own exports"),)
            self._maker.trail.require(principal, Scope.EVENTS_EXPORT, looked)
            self._maker.trail.audit.used(principal, looked)
            items = [job.as_dict() for job in self._jobs.of(owner_of(request, principal))]
            return json_answer({"items": items})

    def _add_looks(self, routes: APIRouter, caller: Any) -> None:
        @routes.get(
            "/{export_id}",
            operation_id="exports_get",
            summary="How an export stands",
            response_model=ExportJob,
            responses=problem_answers(*COMMON, 404, 422),
            openapi_extra=scoped(Scope.EVENTS_EXPORT, leaves=Leaves.USE),
        )
        def look(request: Request, principal: caller, export_id: ExportId) -> Response:
            """State and progress; one that a restart interrupted begins anew by this."""
            job = self._find(request, principal, export_id)
            self._looked(request, principal, job)
            form, order = job.form, job.order
            again = self._jobs.resume(
                job, lambda: self._maker.make(principal, form, job.query, order)
            )
            return json_answer(again.as_dict())

        @routes.delete(
            "/{export_id}",
            operation_id="exports_delete",
            summary="Delete an export",
            response_model=Deleted,
            responses=problem_answers(*COMMON, 404, 422),
            openapi_extra=scoped(Scope.EVENTS_EXPORT),
        )
        def delete(request: Request, principal: caller, export_id: ExportId) -> Response:
            """Forgets it and its content; one that runs is cut short."""
            job = self._find(request, principal, export_id)
            self._used(principal, ("view", "deletion of an export"), ("export", job.id))
            self._uses.end(_use(request, job))
            self._jobs.delete(job)
            return json_answer({"id": export_id})

    def _add_content(self, routes: APIRouter, caller: Any) -> None:
        binary = {"schema": {"type": "string", "format": "binary"}}

        @routes.get(
            "/{export_id}/content",
            operation_id="exports_content",
            summary="What was exported",
            response_class=Response,
            responses=problem_answers(*COMMON, 404, 422)
            | {
                200: {
                    "description": "The content.",
                    "content": {"application/octet-stream": binary},
                }
            },
            openapi_extra=scoped(Scope.EVENTS_EXPORT),
        )
        def content(request: Request, principal: caller, export_id: ExportId) -> Response:
            """The file, whole or by Range; Repr-Digest has its SHA-256. Each fetch is recorded."""
            job = self._find(request, principal, export_id)
            path = self._jobs.content(job)
            told = (("export", job.id), ("sha256", job.sha256))
            self._used(principal, ("view", "content of an export"), *told)
            digest = b64encode(bytes.fromhex(job.sha256)).decode()
            return FileResponse(
                path,
                media_type=media_type_of(job.form),
                filename=f"export-{job.id[:8]}{suffix_of(job.form)}",
                headers={"Repr-Digest": f"sha-256=:{digest}:", "Cache-Control": "no-store"},
            )

    def _used(self, principal: Principal, *told: tuple[str, str]) -> None:
        self._maker.trail.audit.used(principal, told)

    def _looked(self, request: Request, principal: Principal, job: Job) -> None:
        """Journal that somebody asks how an export stands, once for all the time they do."""
        use = _use(request, job)
        if not self._uses.goes_on(use):
            self._used(principal, ("view", "state of an export"), ("export", job.id))
        self._uses.see(use)

    def _find(self, request: Request, principal: Principal, export_id: str) -> Job:
        trail, looked = self._maker.trail, (("export", export_id),)
        trail.require(principal, Scope.EVENTS_EXPORT, looked)
        job = self._jobs.find(owner_of(request, principal), export_id)
        for scope in scopes_of(job.form):
            trail.require(principal, scope, looked)
        return job
