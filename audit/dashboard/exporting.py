"""The export from a page: the records of a search, streamed as a file."""

from contextlib import ExitStack
from typing import cast

from starlette.requests import Request
from starlette.responses import Response

from audit.dashboard.context import PageContext
from audit.dashboard.forms import Form
from audit.dashboard.query_form import WAS
from audit.dashboard.review_view import ReviewView
from audit.dashboard.visitors import check_own_form
from audit.index.criteria import Criteria
from audit.query.access import Principal
from audit.query.export_forms import ExportMaker, media_type_of, scopes_of, suffix_of
from audit.query.exports.record_export import ExportOrder
from audit.query.exports.record_export import Form as ExportForm
from audit.web.errors import BadRequest
from audit.web.streaming import StreamedResponse

FORMS: dict[ExportForm, str] = {
    "csv": "CSV, for spreadsheets",
    "ndjson": "NDJSON, lines of JSON",
    "original": "Messages as received",
}
"""Forms that a page offers, in words."""

_LONGEST_REASON = 1_000


def forms_for(principal: Principal) -> dict[str, str]:
    """The forms of which the principal may have an export."""
    return {
        form: words
        for form, words in FORMS.items()
        if all(principal.may(scope) for scope in scopes_of(form))
    }


def posted_export(context: PageContext, request: Request, form: Form) -> Response:
    """Every record that matches, as a file; begin and end are recorded.

    Raises:
        BadRequest: there is no such form of export.
        Denied, QuerySyntaxError, JournalUnavailable: as ``RecordExport`` does.
    """
    visitor = context.visitor(request)
    check_own_form(request, form, visitor.session_token)
    if form.get("format") not in FORMS:
        raise BadRequest("there is no such form of export")
    wanted = cast("ExportForm", form["format"])
    view = ReviewView.of(form, context.options.rows)
    order = ExportOrder(
        include_repeats=view.repeats,
        oldest_first=view.oldest,
        reason=form.get("reason", "").strip()[:_LONGEST_REASON],
    )
    maker = ExportMaker(context.search.trail)
    with ExitStack() as opening:
        query = _asked(context, visitor.principal, form.get(WAS, ""), by_all_names=view.names)
        export = maker.make(visitor.principal, wanted, query, order)
        opening.callback(export.close)
        answer = StreamedResponse(export.chunks(), media_type_of(wanted), opening.pop_all())
    name = f"records-{export.begun}{suffix_of(wanted)}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _asked(
    context: PageContext, principal: Principal, query: str, *, by_all_names: bool
) -> str | Criteria:
    """What the page showed: with all names of patients and people where it did so."""
    trail, identities = context.search.trail, context.search.identities
    if not by_all_names or identities is None:
        return query
    found = trail.criteria(query, trail.options.clock())
    asked, _ = identities.applied(
        trail.view(principal), found, trail.index.position(), identified=principal.identified
    )
    return asked
