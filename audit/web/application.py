"""create_app: routers → one FastAPI application with one error shape and one set of headers."""

from collections.abc import Callable, Iterable

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from audit.errors import AuditError
from audit.web.middleware import (
    BodyLimit,
    GivenUp,
    KnownHost,
    RateHeaders,
    RequestFacts,
    RequestRecord,
    SecurityHeaders,
)
from audit.web.openapi import document_of
from audit.web.options import WebOptions
from audit.web.outcomes import is_fhir
from audit.web.problems import Problem, problem_of

PageError = Callable[[Request, Exception, Problem], Response]
"""Makes the page a person sees for an error and its problem."""

TITLE = "ATNA Audit Record Repository"
API_VERSION = "1.0.0"
MACHINE_PREFIXES = ("/api/", "/siem/", "/log/", "/syslogsearch", "/openapi.json")
"""Below these a caller always gets problem+json, whatever it accepts."""

_TAGS = [
    {"name": "events", "description": "Search and read audit records."},
    {"name": "pivots", "description": "Turn from one thing to everything about it."},
    {"name": "access", "description": "Who you are and what you may do."},
]
_DESCRIPTION = (
    "Search and read the audit trail. Every answer is itself recorded as Audit Log Used "
    "(DICOM 110101) before it is given; when that record can't be made durable the answer "
    "is 503. Errors are RFC 9457 problems."
)


def create_app(
    options: WebOptions,
    routers: Iterable[APIRouter],
    *,
    page_error: PageError | None = None,
    observe: Callable[[RequestFacts], None] | None = None,
) -> FastAPI:
    """Compose routers into an application that no request gets past unlimited or unlogged.

    Args:
        options: limits and host names.
        routers: those of the API, the pages and whatever else this listener serves.
        page_error: renders problems for browsers; without it every error is problem+json.
        observe: called once a request with facts that name nobody (metrics).
    """
    answer = _answering(page_error)
    app = FastAPI(
        title=TITLE,
        version=API_VERSION,
        description=_DESCRIPTION,
        openapi_tags=_TAGS,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(SecurityHeaders, options=options),
            Middleware(RequestRecord, observe=observe, answer_escape=answer),
            Middleware(KnownHost, options=options),
            Middleware(BodyLimit, options=options),
            Middleware(GivenUp),
            Middleware(RateHeaders),
        ],
    )
    for router in routers:
        app.include_router(router)

    # Not a plain function: Starlette runs those in threads, behind requests that wait for one.
    async def handled(request: Request, error: Exception) -> Response:
        return answer(request, error)

    for kind in (AuditError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, handled)
    app.openapi = document_of(app)  # type: ignore[method-assign]  # FastAPI's own way to extend it
    return app


def _answering(page_error: PageError | None) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, error: Exception) -> Response:
        problem = problem_of(error)
        if page_error is not None and wants_page(request):
            return page_error(request, error, problem)
        return problem.response(request.state.request_id, request.url.path)

    return answer


def wants_page(request: Request) -> bool:
    """Whether a person's browser may be asking: HTML is accepted, the path isn't a program's."""
    accepted = request.headers.get("accept", "*/*")
    is_html = "text/html" in accepted or "*/*" in accepted
    path = request.url.path
    return is_html and not (path.startswith(MACHINE_PREFIXES) or is_fhir(path))
