"""The export from a page: the records of a search, streamed as a file."""

from contextlib import ExitStack
from typing import cast

from starlette.requests import Request
from starlette.responses import Response

from audit.dashboard.context import PageContext
from audit.dashboard.forms import Form
from audit.dashboard.query_form import WAS
from audit.dashboard.review_view import ReviewView
from audit.dashboard.visitors import Visitor, check_own_form
from audit.errors import Denied
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


def forms_for(visitor: Visitor) -> dict[str, str]:
    """The forms of which the visitor may have an export, perhaps after a fresh proof."""
    held = visitor.principal.scopes | visitor.principal.withheld
    return {form: words for form, words in FORMS.items() if held.issuperset(scopes_of(form))}


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
        by_all_names=view.names,
    )
    maker = ExportMaker(context.search.trail)
    with ExitStack() as opening:
        try:
            export = maker.make(visitor.principal, wanted, form.get(WAS, ""), order)
        except Denied:  # perhaps it may be had after a fresh proof: then the page leads back here
            saved = context.state.saved_searches.save(visitor.owner, form.get(WAS, ""))
            request.state.back = view.address(f"/s/{saved.id}")
            raise
        opening.callback(export.close)
        answer = StreamedResponse(export.chunks(), media_type_of(wanted), opening.pop_all())
    name = f"records-{export.begun}{suffix_of(wanted)}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
