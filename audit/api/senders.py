"""Conformance of the senders."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Security
from pydantic import Field
from starlette.responses import Response

from audit.api.events import COMMON, json_answer
from audit.api.schemas import IndexLag, Strict
from audit.query.access import Principal, Scope
from audit.query.search import SearchService
from audit.query.senders import SenderOptions
from audit.web.declared import scoped
from audit.web.openapi import problem_answers

LONGEST_DAYS = SenderOptions().days
DEFAULT_DAYS = 7

Days = Annotated[
    int,
    Query(ge=1, le=LONGEST_DAYS, description="How far back, by time of receipt.", examples=[7]),
]
Counts = dict[str, int]


class BrokenRuleExample(Strict):
    """One record that breaks a rule."""

    id: str = Field(description="Id of the record.", examples=["k3f9x2ab-1042"])
    message: str = Field(description="What was found and what was expected.")
    path: str = Field(description="Where in the message; may be empty.")
    line: int = Field(ge=0, description="Line of the message, 0 when unknown.")
    excerpt: str = Field(description="Empty here; see arr report senders --sender.")


class BrokenRule(Strict):
    """One rule that a sender broke."""

    rule: str = Field(examples=["user-is-requestor"])
    severity: str = Field(description="error, warning or info.")
    clause: str = Field(description="Where the standard says it.")
    title: str = Field(description="What must hold.")
    fix: str = Field(description="How the sender mends it.")
    records: int = Field(ge=0, description="How many records break it.")
    examples: list[BrokenRuleExample]


class ClockSkew(Strict):
    """Time of receipt less time of the event, in seconds: below zero, the clock is ahead."""

    records: int = Field(ge=1, description="How many records it was taken from, the newest.")
    median_s: float
    last_s: float = Field(description="Of the record received last.")
    least_s: float
    greatest_s: float


class Sender(Strict):
    """An AuditSourceID with the certificate and the application it sends by."""

    node: str = Field(description="AuditSourceID; empty when the messages name none.")
    peer: str = Field(description="SHA-256 of the peer's certificate; empty without TLS.")
    app: str = Field(description="APP-NAME of the syslog header; may be empty.")
    subject: str = Field(description="Subject of the certificate; may be empty.")
    hosts: list[str] = Field(description="HOSTNAMEs of its newest records.")
    addresses: list[str] = Field(description="Where its newest records came from.")
    messages: int = Field(ge=0, description="Records, repeats left out.")
    repeats: int = Field(ge=0, description="Byte-identical re-deliveries beside them.")
    verdicts: Counts = Field(description="Records by verdict.")
    tiers: Counts = Field(description="Records by tier.")
    dialects: Counts = Field(description="Records by dialect.")
    severities: Counts = Field(description="Records by their gravest finding.")
    rules: list[BrokenRule] = Field(description="Rules it broke, gravest first.")
    clock_skew: ClockSkew | None
    first_seen: str = Field(description="Receipt of its first record in the period.")
    last_seen: str = Field(description="Receipt of its last record in the period.")


class SendersReport(Strict):
    """Conformance of every sender, those with most unsound records first."""

    from_: str = Field(alias="from", description="First time of receipt, RFC 3339 UTC.")
    to: str = Field(description="End of the period, RFC 3339 UTC.")
    items: list[Sender]
    index_lag: IndexLag
    partial: bool = Field(description="A part of the index did not answer.")
    warnings: list[str] = Field(description="What was left out.")


def add_sender_routes(
    routes: APIRouter, search: SearchService, admitted: Callable[..., Principal]
) -> None:
    """Add ``/senders``."""
    caller = Annotated[Principal, Security(admitted)]

    @routes.get(
        "/senders",
        tags=["senders"],
        operation_id="senders_report",
        summary="Conformance of each sender",
        response_model=SendersReport,
        responses=problem_answers(*COMMON, 422),
        openapi_extra=scoped(Scope.EVENTS_READ),
    )
    def senders_report(principal: caller, days: Days = DEFAULT_DAYS) -> Response:
        """What each sender sent, how good it was, its clock, and the rules it broke."""
        return json_answer(search.senders(principal, days).as_dict())
