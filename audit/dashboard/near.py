"""The page of a record's neighbours in time."""

from starlette.requests import Request
from starlette.responses import Response

from audit.dashboard.context import PageContext
from audit.dashboard.rows import rows_of
from audit.query.access import Scope
from audit.query.neighbours import Neighbourhood

WINDOWS = ((60, "1 minute"), (300, "5 minutes"), (900, "15 minutes"), (3_600, "1 hour"))
SHARED = {
    "requestor": "the same user",
    "patient": "about the same patient",
    "study": "about the same study",
    "node": "from the same sender",
    "address": "at the same address",
}
_LIMIT = 100


def neighbours_page(context: PageContext, request: Request, event_id: str) -> Response:
    """The records nearest in time to one, journaled as a look at them."""
    visitor = context.visitor(request)
    trail = context.search.trail
    trail.require(visitor.principal, Scope.EVENTS_READ, (("neighbours of", event_id),))
    record, _ = trail.record(visitor.principal, event_id)
    asked = request.query_params.get("window", "")
    window = next((seconds for seconds, _ in WINDOWS if asked == str(seconds)), WINDOWS[1][0])
    shared = [(name, words) for name, words in SHARED.items() if record.values(name)]
    same = request.query_params.get("same", "")
    same = same if same in dict(shared) else ""
    near = Neighbourhood(window_s=window, same=(same,) if same else ())
    answer = context.search.neighbours(visitor.principal, record.id, near, limit=_LIMIT)
    values = {
        "record": record,
        "answer": answer,
        "rows": rows_of(answer.records),
        "windows": WINDOWS,
        "window": window,
        "shared": shared,
        "same": same,
    }
    return context.page("neighbours.html", values, visitor=visitor)
