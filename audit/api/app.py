"""create_api_routes: the web API as one router."""

from typing import Annotated

from fastapi import APIRouter, Security
from starlette.requests import Request
from starlette.responses import Response

from audit.api import schemas
from audit.api.access import Doorkeeper
from audit.api.events import add_event_routes, bearer, json_answer, scoped
from audit.api.feeds import Feeds, add_feed_routes
from audit.api.overview import add_overview_routes
from audit.api.pivots import add_pivot_routes
from audit.api.reference import add_reference_routes
from audit.api.senders import add_sender_routes
from audit.query.access import Principal
from audit.query.search import SearchService
from audit.state.store import StateStore
from audit.web.openapi import problem_answers
from audit.web.options import WebOptions

PREFIX = "/api/v1"


def create_api_routes(search: SearchService, state: StateStore, options: WebOptions) -> APIRouter:
    """The routes of ``/api/v1``, for ``audit.web.application.create_app``.

    Args:
        search: answers questions and journals that they were asked.
        state: knows the API tokens.
        options: the listener's limits; each principal has its own rate.
    """
    doorkeeper = Doorkeeper.of(state, options)

    def admitted(request: Request, _token: Annotated[object, Security(bearer)]) -> Principal:
        return doorkeeper.admit(request)

    routes = APIRouter(prefix=PREFIX)
    caller = Annotated[Principal, Security(admitted)]

    @routes.get(
        "/me",
        operation_id="access_me",
        tags=["access"],
        summary="Who you are",
        response_model=schemas.Me,
        responses=problem_answers(401, 429, 500),
        openapi_extra=scoped(None),
    )
    def access_me(principal: caller) -> Response:
        """Name, kind and scopes of the token's principal."""
        return json_answer(
            {
                "name": principal.name,
                "display_name": principal.display_name,
                "kind": principal.kind,
                "scopes": sorted(principal.scopes),
            }
        )

    add_feed_routes(routes, Feeds.of(search, doorkeeper, options), admitted)
    add_overview_routes(routes, search, admitted)
    add_event_routes(routes, search, admitted)
    add_pivot_routes(routes, search, admitted)
    add_sender_routes(routes, search, admitted)
    add_reference_routes(routes, PREFIX)
    return routes
