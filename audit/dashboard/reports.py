"""Reports: an officer picks one, reads it, and takes it away as PDF or CSV.

What is asked is posted, so that no address names anybody; the answer is the page itself. Taking a
report away has it made anew, which is recorded like its reading.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from audit.dashboard.context import PageContext
from audit.dashboard.forms import Form, read_form
from audit.dashboard.visitors import Visitor, check_own_form
from audit.errors import RequestError
from audit.query.access import Scope
from audit.query.reports.asked import SUBJECTS, PatientIdentity, ReportAsked
from audit.query.reports.period import period_of
from audit.query.reports.report import Report
from audit.query.reports.report_file import FileForm, file_of
from audit.query.reports.service import KINDS, ReportService, SignOff, title_of
from audit.web.declared import Leaves, scoped

_FILES = frozenset({"pdf", "csv", "json"})
ASKED: Mapping[str, frozenset[str]] = {
    kind: frozenset({SUBJECTS[kind]} if kind in SUBJECTS else ())
    | ({"staff"} if kind == "access" else set())
    for kind in KINDS
}
"""What each kind is asked for, besides period and reason; fields of others are left out."""
_KEPT = ("kind", "patients", "user", "study", "from", "to", "staff", "reason")
STAFF = {
    "named": "named",
    "numbered": "numbered, for the patient (GDPR Art. 15)",
    "revealed": "numbered, with who the numbers are (needs a reason)",
}


def add_report_pages(routes: APIRouter, context: PageContext) -> None:
    """Add the pages below ``/reports``."""

    async def form_of(request: Request) -> Form:
        return await read_form(request, context.options)

    posted = Annotated[Form, Depends(form_of)]

    @routes.get("/reports", openapi_extra=scoped(Scope.REPORTS_READ, leaves=Leaves.NOTHING))
    def reports_form(request: Request) -> Response:
        visitor = context.visitor(request)
        looked = (("view", "form of reports"),)
        context.search.trail.require(visitor.principal, Scope.REPORTS_READ, looked)
        return _page(context, visitor, {})

    @routes.post("/reports", openapi_extra=scoped(Scope.REPORTS_READ))
    def reports_make(request: Request, form: posted) -> Response:
        visitor = context.visitor(request)
        check_own_form(request, form, visitor.session_token)
        request.state.back = "/reports"
        return _made(context, visitor, form)

    @routes.post("/reports/sign-off", openapi_extra=scoped(Scope.REPORTS_READ))
    def reports_sign_off(request: Request, form: posted) -> Response:
        visitor = context.visitor(request)
        check_own_form(request, form, visitor.session_token)
        request.state.back = "/reports"
        return _signed_off(context, visitor, form)


def _service(context: PageContext) -> ReportService:
    options = context.options.reports
    return ReportService(context.search.trail, options, context.state.aliases)


def _made(context: PageContext, visitor: Visitor, form: Form) -> Response:
    try:
        reports = _service(context)
        report = reports.make(visitor.principal, _asked(context, form, reports.now()))
    except RequestError as error:
        if type(error) is not RequestError:
            raise
        return _page(context, visitor, form, fault=str(error))
    if form.get("form") in _FILES:
        made = file_of(report, cast("FileForm", form["form"]))
        headers = {
            "Content-Disposition": f'attachment; filename="{made.name}"',
            "Cache-Control": "no-store",
        }
        return Response(made.octets, media_type=made.media_type, headers=headers)
    return _page(context, visitor, form, report=report)


def _signed_off(context: PageContext, visitor: Visitor, form: Form) -> Response:
    try:
        reports = _service(context)
        start, end = period_of("activity", form.get("begin"), form.get("end"), reports.now())
        signed = SignOff(
            start=start,
            end=end,
            record=form.get("record", ""),
            statement=form.get("statement", ""),
        )
        record = reports.sign_off(visitor.principal, signed)
    except RequestError as error:
        if type(error) is not RequestError:
            raise
        return _page(context, visitor, {"kind": "activity"}, fault=str(error))
    return _page(context, visitor, {"kind": "activity"}, signed=record)


def _asked(context: PageContext, form: Form, now: int) -> ReportAsked:
    kind = form.get("kind", "")
    if kind not in KINDS:
        raise RequestError("pick a report")
    days = (_day(context, form.get("from", ""), 0), _day(context, form.get("to", ""), 1))
    start, end = period_of(kind, *days, now)
    given = {name: form.get(name, "") for name in ASKED[kind]}
    staff = given.get("staff") or "named"
    lines = given.get("patients", "").splitlines()
    return ReportAsked(
        kind=kind,
        start=start,
        end=end,
        patients=tuple(PatientIdentity.parse(line) for line in lines if line.strip()),
        user=given.get("user", "").strip(),
        study=given.get("study", "").strip(),
        pseudonymised=staff != "named",
        revealed=staff == "revealed",
        reason=form.get("reason", ""),
    )


def _of_kinds() -> dict[str, str]:
    """The classes of a field that only some kinds are asked for; the others hide it."""
    return {
        name: " ".join(["only", *(f"only-{kind}" for kind in KINDS if name in ASKED[kind])])
        for name in frozenset().union(*ASKED.values())
    }


def _day(context: PageContext, text: str, more: int) -> str | None:
    """The beginning of the day, or of one ``more`` days later, where the pages' clock is."""
    if not text.strip():
        return None
    try:
        day = datetime.fromisoformat(text.strip()).replace(tzinfo=context.options.zone)
    except ValueError as error:
        raise RequestError("a day is written like 2026-01-31") from error
    return (day + timedelta(days=more)).isoformat()


def _page(
    context: PageContext,
    visitor: Visitor,
    form: Mapping[str, str],
    *,
    report: Report | None = None,
    fault: str = "",
    signed: str = "",
) -> Response:
    values: dict[str, Any] = {
        "kinds": [(kind, title_of(kind)) for kind in KINDS],
        "given": {name: form.get(name, "") for name in _KEPT},
        "of_kinds": _of_kinds(),
        "staff": STAFF,
        "report": report,
        "fault": fault,
        "signed": signed,
    }
    status = 400 if fault else 200
    return context.page("reports.html", values, visitor=visitor, status=status)
