"""The event page: sentences first, then everything the record holds, then the message itself."""

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from audit.dashboard import raw_text
from audit.dashboard.context import PageContext
from audit.dashboard.details import NO_HEADER, code_name, event_page
from audit.dashboard.visitors import Visitor
from audit.query.access import Scope
from audit.query.answers import MessageAnswer
from audit.query.presentation import sentences

_NO_PEER = {"address": "", "listener": "", "certificate_sha256": "", "certificate_subject": ""}


@dataclass(frozen=True, slots=True)
class RawMessage:
    """What a page shows of a message's octets.

    Attributes:
        size: octets kept.
        shown: octets of them on the page.
        header: the syslog header as text.
        pretty: the audit message laid out.
        rows: offset, hexadecimal and text of each sixteen octets shown.
    """

    size: int
    shown: int
    header: str
    pretty: Markup
    rows: tuple[tuple[str, str, str], ...]

    @property
    def cut(self) -> bool:
        """Whether the page shows only the beginning."""
        return self.shown < self.size


def one_event(context: PageContext, request: Request, event_id: str) -> Response:
    """The page of one record; looking at it, and at its octets, is journaled first."""
    visitor = context.visitor(request)
    answer = context.search.event(visitor.principal, event_id, with_message=True)
    record = answer.record
    body = record.body
    message: dict[str, Any] | None = body.get("message")
    raw, missing = _raw(context, visitor, answer.message)
    values = {
        "record": record,
        "view": event_page(record),
        "sentences": sentences(record),
        "message": message,
        "event": message["event"] if message else None,
        "findings": body.get("findings", ()),
        "peer": _NO_PEER | body.get("peer", {}),
        "header": NO_HEADER | body.get("header", {}),
        "code_name": code_name,
        "raw": raw,
        "raw_missing": missing,
        "raw_awaits_proof": _awaits_proof(context, visitor),
    }
    return context.page("event.html", values, visitor=visitor)


def download(context: PageContext, request: Request, event_id: str) -> Response:
    """The message's exact octets as a file; needs ``events:raw``."""
    visitor = context.visitor(request)
    message = context.search.message(visitor.principal, event_id)
    return Response(
        message.received,
        media_type="application/octet-stream",
        headers={"Content-Disposition": f'attachment; filename="{message.id}.bin"'},
    )


def _awaits_proof(context: PageContext, visitor: Visitor) -> bool:
    """Whether the octets would be shown after a fresh proof of identity, or with a reason."""
    raw = Scope.EVENTS_RAW
    has_it = visitor.principal.may(raw) and not context.search.trail.permits(
        visitor.principal, raw
    )
    return raw in visitor.principal.withheld or has_it


def _raw(
    context: PageContext, visitor: Visitor, message: MessageAnswer | None
) -> tuple[RawMessage | None, str]:
    if not context.search.trail.permits(visitor.principal, Scope.EVENTS_RAW):
        return None, ""
    if message is None:
        return None, "The journal no longer holds this message."
    kept = message.received[: context.options.max_shown_octets]
    return RawMessage(
        size=len(message.received),
        shown=len(kept),
        header=raw_text.decoded(kept[: message.msg_offset]),
        pretty=raw_text.pretty_xml(raw_text.decoded(kept[message.msg_offset :])),
        rows=tuple(raw_text.hex_rows(kept)),
    ), ""
