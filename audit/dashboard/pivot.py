"""Pages about one patient, user, study, node or address, under addresses that name nobody."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response

from audit.dashboard.beside import course_of
from audit.dashboard.context import PageContext, see_other
from audit.dashboard.display import NS_PER_S, moment_of
from audit.dashboard.forms import Form
from audit.dashboard.names import PIVOT_KINDS
from audit.dashboard.query_terms import pieces_of
from audit.dashboard.review import own_search
from audit.dashboard.rows import Row, rows_of
from audit.dashboard.visitors import check_own_form
from audit.errors import NotFound
from audit.index.criteria import And, Criteria, Not, fold
from audit.index.document import IndexedRecord
from audit.query.about import About, AboutRequest, Kind, about
from audit.query.about_summary import (
    OfficeHours,
    broke_glass,
    by_day,
    by_user,
    sessions,
    week,
)
from audit.query.access import Principal, Scope
from audit.query.identities import ByAllNames
from audit.query.identities_used import IdentitiesUsed
from audit.query.language import quoted, term_text
from audit.query.one_patient import only_patient, other_patients
from audit.query.roles import OWN_USE
from audit.web.errors import BadRequest

LISTED = 100
"""Records listed on a page about one thing; all of them are a search away."""

_NAMED = frozenset({"patient", "user"})
_MOST_GROUPS = 100
_SESSIONS_LISTED = 30
_OUTSIDE_LISTED = 20


def posted_pivot(context: PageContext, request: Request, form: Form) -> Response:
    """Keep whom or what to turn to, and lead on to its page."""
    visitor = context.visitor(request)
    check_own_form(request, form, visitor.session_token)
    kind = next((one for one in PIVOT_KINDS if form.get(one, "").strip()), None)
    if kind is None:
        raise BadRequest("say what the page should be about")
    value = form[kind].strip()
    begins_so = value.endswith("*")
    query = _beginning(kind, value) if begins_so else f"{kind}:{quoted(value)}"
    context.search.trail.require(visitor.principal, Scope.EVENTS_READ, (("query", query),))
    saved = context.state.saved_searches.save(visitor.owner, query)
    return see_other(f"/s/{saved.id}" if begins_so else f"/{kind}/{saved.id}")


def _beginning(kind: str, value: str) -> str:
    """The query for whatever begins so: no page is about several."""
    stem = value.removesuffix("*")
    if term_text(kind, stem) != f"{kind}:{stem}":
        raise BadRequest(
            "a page is about one whole value, and beginnings are letters, digits and the like in "
            f"front of one *, as {kind}:P1*; search for others on the review page"
        )
    return f"{kind}:{value}"


def pivot_page(context: PageContext, request: Request, kind: str, search_id: str) -> Response:
    """The page about one thing; another's address is as unknown as none."""
    visitor = context.visitor(request)
    query = own_search(context, visitor, search_id)
    pieces = pieces_of(query)
    value = pieces[0].plain_value if len(pieces) == 1 and pieces[0].name == kind else None
    if value is None:
        raise NotFound("there is no such page")
    trail, zone = context.search.trail, context.options.zone
    now = moment_of(trail.options.clock(), zone)
    offset_ns = int((now.utcoffset() or timedelta()).total_seconds()) * NS_PER_S
    found, used = _by_all_names(context, visitor.principal, kind, query)
    asked = AboutRequest(
        kind=cast("Kind", kind),
        value=value,
        # Who looked at the trail is another question than who looked at the patient.
        criteria=And((found, Not(OWN_USE))) if kind == "patient" else found,
        also=tuple(name.identifier for name in used.names) if used else (),
        offset_ns=offset_ns,
    )
    answer = about(trail, visitor.principal, asked)
    values = _common(context, asked, answer, used) | _MORE[kind](context, asked, answer, used)
    return context.page(f"{kind}.html", {"query": query, **values}, visitor=visitor)


def _by_all_names(
    context: PageContext, principal: Principal, kind: str, query: str
) -> tuple[Criteria, IdentitiesUsed | None]:
    """What finds the thing: a patient or a user by every name they are known by."""
    trail = context.search.trail
    asked = ByAllNames(query) if kind in _NAMED else query
    return trail.asked(principal, asked, trail.options.clock())


def _common(
    context: PageContext, asked: AboutRequest, answer: About, used: IdentitiesUsed | None
) -> dict[str, Any]:
    return {
        "used": used,
        "kind": asked.kind,
        "value": asked.value,
        "answer": answer,
        "course": course_of(answer.bars, answer.span, context.options.zone),
        "facets": answer.facets,
        "rows": rows_of(answer.records[: LISTED // 2]),
        "name_query": f"{asked.kind}_name:{quoted(asked.value)}" if asked.kind in _NAMED else "",
    }


def _hours(context: PageContext) -> OfficeHours:
    options = context.options
    return OfficeHours(options.zone, options.day_begins, options.day_ends)


def _patient(
    context: PageContext, asked: AboutRequest, answer: About, used: IdentitiesUsed | None
) -> dict[str, Any]:
    known = used.identifiers(asked.value) if used else (asked.value,)
    studies = used.studies if used else ()
    records = [only_patient(record, known, studies) for record in answer.records]
    shares = by_user(records, _hours(context))
    emergencies = [record for record in records if broke_glass(record)]
    names = {
        one["name"]
        for record in records
        for one in (record.body.get("message") or {}).get("objects", ())
        if one["patients"] and one["name"] and fold(one["name"]) != fold(asked.value)
    }
    days = [
        (day, _rows(group, answer, known, used))
        for day, group in by_day(records[:LISTED], context.options.zone)
    ]
    return {
        "names": sorted(names)[:5],
        "shares": shares[:_MOST_GROUPS],
        "users": len(shares),
        "emergencies": rows_of(emergencies[:LISTED]),
        "emergency_count": len(emergencies),
        "outside": sum(share.outside for share in shares),
        "failed": sum(share.failed for share in shares),
        "days": days,
        "rows": (),
    }


def _rows(
    records: list[IndexedRecord],
    answer: About,
    known: tuple[str, ...],
    used: IdentitiesUsed | None,
) -> list[tuple[Row, int, str]]:
    """Rows, each with the number of other patients it doesn't show, and why it is inferred."""
    whole = {record.id: record for record in answer.records}
    return [
        (row, other_patients(whole[row.id], known), used.inferred(whole[row.id]) if used else "")
        for row in rows_of(records)
    ]


def _user(
    context: PageContext, asked: AboutRequest, answer: About, used: IdentitiesUsed | None
) -> dict[str, Any]:
    hours = _hours(context)
    found = sessions(answer.records, context.options.session_gap_s, hours)
    matrix = week(answer.records, hours.zone)
    shares = by_user(answer.records, hours)
    others = (name.identifier for name in used.names) if used else ()
    own = {fold(asked.value), *map(fold, others)}
    outside = [record for record in answer.records if hours.is_outside(record.time)]
    return {
        "distinct_patients": max(answer.distinct_patients, _distinct_patients(answer)),
        "sessions": found[:_SESSIONS_LISTED],
        "session_count": len(found),
        "week": tuple(zip(_WEEKDAYS, matrix, strict=True)),
        "busiest": max((max(day) for day in matrix), default=0),
        "outside": rows_of(outside[:_OUTSIDE_LISTED]),
        "outside_count": len(outside),
        "emergency_count": sum(map(broke_glass, answer.records)),
        "failed": sum(share.failed for share in shares),
        "hours": hours,
        "names": sorted({one.name for one in shares if fold(one.user) in own})[:5],
    }


def _distinct_patients(answer: About) -> int:
    """Of the records read: with several names of one user, no count by name is of all."""
    return len({fold(one) for record in answer.records for one in record.values("patient")})


_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _study(
    context: PageContext, _asked: AboutRequest, answer: About, _used: IdentitiesUsed | None
) -> dict[str, Any]:
    trail = tuple(reversed(answer.records[:LISTED]))
    return {
        "trail": rows_of(trail),
        "shares": by_user(answer.records, _hours(context))[:_MOST_GROUPS],
        "patients": answer.facets.get("patient", ()),
    }


def _plain(
    context: PageContext, _asked: AboutRequest, answer: About, _used: IdentitiesUsed | None
) -> dict[str, Any]:
    return {"shares": by_user(answer.records, _hours(context))[:_MOST_GROUPS]}


_More = Callable[[PageContext, AboutRequest, About, IdentitiesUsed | None], dict[str, Any]]
_MORE: Mapping[str, _More] = {
    "patient": _patient,
    "user": _user,
    "study": _study,
    "node": _plain,
    "address": _plain,
}
