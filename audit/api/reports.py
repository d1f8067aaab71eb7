"""Reports: asked for with a body, so that no address names anybody."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Security
from pydantic import Field, StringConstraints
from starlette.responses import Response

from audit.api.access import Doorkeeper
from audit.api.events import COMMON, json_answer
from audit.api.schemas import Strict
from audit.query.access import Principal, Scope
from audit.query.reports.asked import MOST_PATIENTS, PatientIdentity, ReportAsked
from audit.query.reports.period import period_of
from audit.query.reports.report import Kind, Report
from audit.query.reports.report_file import file_of
from audit.query.reports.service import LONGEST_STATEMENT, ReportService, SignOff
from audit.web.declared import scoped
from audit.web.openapi import problem_answers

PREFIX = "/api/v1/reports"
_LONGEST = 1_000

Text = Annotated[str, StringConstraints(max_length=_LONGEST)]
Time = Annotated[
    Annotated[str, StringConstraints(max_length=40)],
    Field(description="RFC 3339, with its offset.", examples=["2026-01-01T00:00:00Z"]),
]
ReportKind = Annotated[
    Kind,
    Path(
        description="disclosures: accounting by 45 CFR 164.528; access: who accessed a patient's "
        "records; patients: those of many; user: what a user did; study: its trail across nodes; "
        "activity: review of system activity; senders: their conformance."
    ),
]


class PatientAsked(Strict):
    """One identifier of a patient."""

    identifier: Text = Field(min_length=1)
    assigner: Text = Field(
        default="", description="Name or OID of who assigned it; empty for anybody."
    )


class ReportRequest(Strict):
    """What is asked for; each kind needs what it is about."""

    format: Literal["json", "csv", "pdf"] = "json"
    from_: Time | None = Field(
        default=None,
        alias="from",
        description="First time it covers; by default 30 days back, six years for disclosures.",
    )
    to: Time | None = Field(default=None, description="End of the period; by default now.")
    patients: list[PatientAsked] = Field(
        default_factory=list,
        max_length=MOST_PATIENTS,
        description="access and disclosures: identifiers of one and the same patient, merged ones "
        "too; patients: one for each.",
    )
    user: Text = ""
    study: Text = Field(default="", description="Study Instance UID.")
    pseudonymised: bool = Field(
        default=False, description="access: for the patient; staff are numbered (GDPR Art. 15)."
    )
    revealed: bool = Field(
        default=False, description="Name the staff behind the numbers; needs a reason."
    )
    reason: Text = Field(default="", description="Why; recorded, and part of the report.")


class Pair(Strict):
    """Something that was asked."""

    name: str
    value: str


class ReportSection(Strict):
    """One table; its rows are objects by column name."""

    name: str
    title: str
    note: str
    rows: list[dict[str, str]]


class ReportAnswer(Strict):
    """One report."""

    kind: Kind
    title: str
    basis: str = Field(description="The law or norm that it serves.")
    from_: str = Field(alias="from")
    to: str
    made_at: str
    made_by: str
    reason: str
    asked: list[Pair]
    record: str | None = Field(description="Id of the record that it was made.")
    sections: list[ReportSection]
    reliance: list[ReportSection] = Field(description="Identities and sources that were used.")
    qualifications: list[str] = Field(description="How far it can be relied on.")
    partial: bool = Field(description="Something that should be in it is not.")


class SignOffRequest(Strict):
    """That a period was reviewed."""

    from_: Time = Field(alias="from")
    to: Time
    record: Annotated[str, StringConstraints(max_length=40)] = Field(
        description="record of the report that was reviewed.", examples=["k3f9x2ab-1042"]
    )
    statement: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_STATEMENT)] = (
        Field(description="What is signed: what was found, and what is done about it.")
    )


class SignedOff(Strict):
    """The sign-off's own record."""

    record: str


def create_report_routes(reports: ReportService, doorkeeper: Doorkeeper) -> APIRouter:
    """The routes below ``/api/v1/reports``, for ``audit.web.application.create_app``.

    Args:
        reports: makes them and journals that they were made.
        doorkeeper: lets callers in; one for all interfaces of a listener, so that the rate is one.
    """
    routes = APIRouter(prefix=PREFIX, tags=["reports"])

    caller = Annotated[Principal, Security(doorkeeper.admitted)]

    @routes.post(
        "/activity/sign-offs",
        operation_id="reports_sign_off",
        summary="Sign a review off",
        response_model=SignedOff,
        responses=problem_answers(*COMMON, 404, 413, 422),
        openapi_extra=scoped(Scope.REPORTS_READ),
    )
    def sign_off(principal: caller, asked: SignOffRequest) -> Response:
        """The sign-off is a record of the journal; reviews of the period list it."""
        start, end = period_of("activity", asked.from_, asked.to, reports.now())
        signed = SignOff(start=start, end=end, record=asked.record, statement=asked.statement)
        return json_answer({"record": reports.sign_off(principal, signed)})

    _add_making(routes, reports, caller)
    return routes


def _add_making(routes: APIRouter, reports: ReportService, caller: Any) -> None:
    binary = {"schema": {"type": "string", "format": "binary"}}

    @routes.post(
        "/{kind}",
        operation_id="reports_make",
        summary="Have a report made",
        response_model=ReportAnswer,
        responses=problem_answers(*COMMON, 413, 422)
        | {
            200: {
                "description": "The report in the format that was asked for.",
                "content": {"application/pdf": binary, "text/csv": binary},
            }
        },
        openapi_extra=scoped(Scope.REPORTS_READ),
    )
    def make(principal: caller, kind: ReportKind, asked: ReportRequest) -> Response:
        """Recorded before it is given. Those about patients need patients:identify as well."""
        start, end = period_of(kind, asked.from_, asked.to, reports.now())
        report = reports.make(
            principal,
            ReportAsked(
                kind=kind,
                start=start,
                end=end,
                patients=tuple(
                    PatientIdentity(one.identifier.strip(), one.assigner.strip())
                    for one in asked.patients
                ),
                user=asked.user.strip(),
                study=asked.study.strip(),
                pseudonymised=asked.pseudonymised,
                revealed=asked.revealed,
                reason=asked.reason,
            ),
        )
        return answered(report, asked.format)


def answered(report: Report, form: Literal["json", "csv", "pdf"]) -> Response:
    """The report in that form."""
    if form == "json":
        return json_answer(report.as_dict())
    made = file_of(report, form)
    headers = {
        "Content-Disposition": f'attachment; filename="{made.name}"',
        "Cache-Control": "no-store",
    }
    return Response(made.octets, media_type=made.media_type, headers=headers)
