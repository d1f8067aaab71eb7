"""create_api_routes: the web API as one router."""

from typing import Annotated

from fastapi import APIRouter, Security
from starlette.responses import Response

from audit.api import schemas
from audit.api.access import Doorkeeper
from audit.api.events import add_event_routes, json_answer
from audit.api.feeds import Feeds, add_feed_routes
from audit.api.overview import add_overview_routes
from audit.api.pivots import add_pivot_routes
from audit.api.reference import add_reference_routes
from audit.api.senders import add_sender_routes
from audit.query.access import Principal
from audit.query.search import SearchService
from audit.web.declared import Leaves, scoped
from audit.web.openapi import problem_answers
from audit.web.options import WebOptions

PREFIX = "/api/v1"


def create_api_routes(
    search: SearchService, doorkeeper: Doorkeeper, options: WebOptions
) -> APIRouter:
    """The routes of ``/api/v1``, for ``audit.web.application.create_app``.

    Args:
        search: answers questions and journals that they were asked.
        doorkeeper: lets callers in; one for all interfaces of a listener, so that the rate is one.
        options: the listener's limits.
    """
    routes = APIRouter(prefix=PREFIX)
    caller = Annotated[Principal, Security(doorkeeper.admitted)]

    @routes.get(
        "/me",
        operation_id="access_me",
        tags=["access"],
        summary="Who you are",
        response_model=schemas.Me,
        responses=problem_answers(401, 429, 500),
        openapi_extra=scoped(leaves=Leaves.NOTHING),
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

    add_feed_routes(routes, Feeds.of(search, doorkeeper, options), doorkeeper.admitted)
    add_overview_routes(routes, search, doorkeeper.admitted)
    add_event_routes(routes, search, doorkeeper.admitted)
    add_pivot_routes(routes, search, doorkeeper.admitted)
    add_sender_routes(routes, search, doorkeeper.admitted)
    add_reference_routes(routes, PREFIX)
    return routes
