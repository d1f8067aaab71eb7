"""``/fhir``: Retrieve ATNA Audit Event [ITI-81] and the FHIR feed of Record Audit Event [ITI-20].

Clients of these transactions put identifying values into addresses: that is the one exception to
the rule that no address names anybody. Addresses are never logged, and paging links are opaque.
"""

from collections.abc import Callable
from time import time_ns
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Security
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from audit import __version__
from audit.api.access import Doorkeeper
from audit.api.fhir_http import (
    PREFIX,
    base_of,
    demand_json,
    fhir_answer,
    form_of,
    json_body,
    pairs_of,
    preference,
)
from audit.errors import RequestError
from audit.fhir import bundles
from audit.fhir.capability import capability_statement
from audit.fhir.feed import AppendAll, FhirFeed, Taken
from audit.fhir.options import FhirOptions
from audit.fhir.question import Pairs
from audit.fhir.trail import FhirTrail, Found
from audit.fhir.values import Json
from audit.query.access import Principal, Scope
from audit.query.audited_trail import AuditedTrail
from audit.web.declared import Leaves, open_to_all, scoped

_STATUS = {"created": "201 Created", "refused": "400 Bad Request"}


def create_fhir_routes(
    trail: AuditedTrail,
    append_all: AppendAll,
    doorkeeper: Doorkeeper,
    options: FhirOptions,
) -> APIRouter:
    """The routes of ``/fhir``, for ``audit.web.application.create_app``.

    Args:
        trail: index, journal and the record of every look.
        append_all: makes messages of the feed durable.
        doorkeeper: lets callers in; one for all interfaces of a listener, so that the rate is one.
        options: those of FHIR.
    """
    routes = APIRouter(prefix=PREFIX, include_in_schema=False)
    _add_searches(routes, FhirTrail(trail, options), doorkeeper.admitted)
    _add_metadata(routes, options)
    _add_reads(routes, FhirTrail(trail, options), doorkeeper.admitted)
    _add_feed(routes, FhirFeed(trail, append_all, options), options, doorkeeper.admitted)
    return routes


def _add_metadata(routes: APIRouter, options: FhirOptions) -> None:
    @routes.get("/metadata", openapi_extra=open_to_all())
    async def fhir_metadata(request: Request) -> Response:
        """What this server does; shows no record, so needs no token."""
        asked = pairs_of(request.url.query)
        demand_json(request, asked)
        return fhir_answer(
            capability_statement(base_of(request, options.base_url), __version__), asked
        )


def _add_searches(
    routes: APIRouter, events: FhirTrail, admitted: Callable[..., Principal]
) -> None:
    caller = Annotated[Principal, Security(admitted)]

    @routes.get("/AuditEvent", openapi_extra=scoped(Scope.EVENTS_READ))
    async def fhir_search(request: Request, principal: caller) -> Response:
        """A search, or a further page of one."""
        asked = pairs_of(request.url.query)
        demand_json(request, asked)
        pages = [value for name, value in asked if name == bundles.PAGE]
        if pages:
            found = await run_in_threadpool(events.page, principal, pages[0])
        else:
            found = await _searched(request, events, principal, asked)
        return _answer(request, events, found, asked, opaque=bool(pages))

    @routes.post("/AuditEvent/_search", openapi_extra=scoped(Scope.EVENTS_READ))
    async def fhir_search_posted(request: Request, principal: caller) -> Response:
        """A search whose address names nobody."""
        asked = pairs_of(request.url.query) + await form_of(request)
        demand_json(request, asked)
        found = await _searched(request, events, principal, asked)
        return _answer(request, events, found, asked, opaque=True)


async def _searched(
    request: Request, events: FhirTrail, principal: Principal, asked: Pairs
) -> Found:
    handling = preference(request, "handling")
    if handling not in {"", "lenient", "strict"}:
        raise RequestError("Prefer: handling is strict or lenient")
    is_strict = handling == "strict"
    return await run_in_threadpool(events.search, principal, asked, strict=is_strict)


def _answer(
    request: Request, events: FhirTrail, found: Found, asked: Pairs, *, opaque: bool
) -> Response:
    base = base_of(request, events.options.base_url)
    self_link = bundles.page_link(base, found.this_page)
    if not opaque:
        self_link = f"{base}/AuditEvent?{urlencode(found.question.pairs)}"
    return fhir_answer(bundles.searchset(found, base, self_link, time_ns()), asked)


def _add_reads(routes: APIRouter, events: FhirTrail, admitted: Callable[..., Principal]) -> None:
    caller = Annotated[Principal, Security(admitted)]

    @routes.get("/AuditEvent/{record_id}", openapi_extra=scoped(Scope.EVENTS_READ))
    async def fhir_read(request: Request, principal: caller, record_id: str) -> Response:
        """One AuditEvent."""
        asked = pairs_of(request.url.query)
        demand_json(request, asked)
        resource = await run_in_threadpool(events.read, principal, record_id)
        told = dict(asked)
        elements = tuple(filter(None, told.get("_elements", "").split(",")))
        shown = bundles.shown_part(resource, told.get("_summary", "false"), elements)
        return fhir_answer(shown, asked)


def _add_feed(
    routes: APIRouter, feed: FhirFeed, options: FhirOptions, admitted: Callable[..., Principal]
) -> None:
    caller = Annotated[Principal, Security(admitted)]

    @routes.post("/AuditEvent", openapi_extra=scoped(Scope.EVENTS_WRITE, leaves=Leaves.RECORDS))
    async def fhir_create(request: Request, principal: caller) -> Response:
        """One event; answered once it is durable."""
        octets = await json_body(request)
        demand_json(request)
        record_id = await run_in_threadpool(feed.create, principal, octets)
        location = bundles.resource_link(base_of(request, options.base_url), record_id)
        headers = {"Location": location}
        if preference(request, "return") == "operationoutcome":
            told = bundles.outcome("information", "informational", ("The event is journaled.",))
            return fhir_answer(told, status=201, headers=headers)
        return Response(status_code=201, headers=headers)

    @routes.post("", openapi_extra=scoped(Scope.EVENTS_WRITE, leaves=Leaves.RECORDS))
    @routes.post("/", openapi_extra=scoped(Scope.EVENTS_WRITE, leaves=Leaves.RECORDS))
    async def fhir_batch(request: Request, principal: caller) -> Response:
        """Many events; what became of each."""
        octets = await json_body(request)
        demand_json(request)
        taken = await run_in_threadpool(feed.batch, principal, octets)
        base = base_of(request, options.base_url)
        entries = [{"response": _response(one, base)} for one in taken]
        bundle: Json = {"resourceType": "Bundle", "type": "batch-response"}
        return fhir_answer(bundle | ({"entry": entries} if entries else {}))


def _response(taken: Taken, base: str) -> Json:
    if taken.refused:
        told = bundles.outcome("error", "invalid", (taken.refused,))
        return {"status": _STATUS["refused"], "outcome": told}
    return {
        "status": _STATUS["created"],
        "location": bundles.resource_link(base, taken.record_id),
    }
