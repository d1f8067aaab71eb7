"""Who, when and from where: records of one thing, summed up. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from audit.index.criteria import fold
from audit.index.document import IndexedRecord
from audit.query import event_view
from audit.query.event_view import EventView
from audit.query.home import FAILURES
from audit.query.language_times import NS_PER_S

BREAK_GLASS = frozenset({"btg", "etreat", "break the glass", "emergency treatment"})
"""Purposes of use that set access rules aside (HL7 v3 PurposeOfUse)."""

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """When work is usual: on weekdays from ``begin`` until ``end``, hours of the day."""

    zone: tzinfo
    begin: int = 6
    end: int = 22

    def is_outside(self, ns: int) -> bool:
        """Whether a time is at night or at the weekend."""
        moment = datetime.fromtimestamp(ns // NS_PER_S, self.zone)
        return moment.weekday() >= _SATURDAY or not self.begin <= moment.hour < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class UserShare:
    """What one user did, the records of one list taken together.

    Attributes:
        user: value of the field ``user``.
        name: as messages name the person; may be the same.
        count: records.
        days: different days.
        first: UTC nanoseconds.
        last: UTC nanoseconds.
        categories: how often each, the commonest first.
        places: addresses and stations, the commonest first.
        broke_glass: records that set access rules aside.
        failed: acts that failed.
        outside: records outside usual hours.
    """

    user: str
    name: str
    count: int
    days: int
    first: int
    last: int
    categories: tuple[tuple[str, int], ...]
    places: tuple[str, ...]
    broke_glass: int
    failed: int
    outside: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Records of one user with no longer pause between them than the gap.

    Attributes:
        start: UTC nanoseconds of the first.
        end: of the last.
        count: records.
        patients: different patients.
        places: stations and addresses.
        categories: how often each, the commonest first.
        outside: it began outside usual hours.
    """

    start: int
    end: int
    count: int
    patients: int
    places: tuple[str, ...]
    categories: tuple[tuple[str, int], ...]
    outside: bool


def broke_glass(record: IndexedRecord) -> bool:
    """Whether the event set access rules aside."""
    if record.first("kind") == "emergency-override":
        return True
    return any(fold(value) in BREAK_GLASS for value in record.values("purpose"))


def is_failed(record: IndexedRecord) -> bool:
    """Whether an act failed; in a Security Alert the outcome is a gravity (PS3.15 A.5.3.11)."""
    return record.first("outcome") in FAILURES and record.first("category") != "security"


def actor_of(record: IndexedRecord) -> tuple[str, str]:
    """Value of the field ``user`` and name of whoever acted; empty when the message says none."""
    message = record.body.get("message")
    actor = EventView(record, message).actor if message else None
    if actor is None:
        return "", ""
    user = actor["user_id"] or actor["alternative_user_id"] or ""
    return user, event_view.name_of(actor)


def by_user(records: Iterable[IndexedRecord], hours: OfficeHours) -> tuple[UserShare, ...]:
    """The records by whoever acted, the most active first."""
    groups: dict[str, list[IndexedRecord]] = {}
    names: dict[str, tuple[str, str]] = {}
    for record in records:
        user, name = actor_of(record)
        key = fold(record.first("requestor") or user or name)
        groups.setdefault(key, []).append(record)
        names.setdefault(key, (user or name, name or "Not stated"))
    shares = (_share(names[key], group, hours) for key, group in groups.items())
    return tuple(sorted(shares, key=lambda share: (-share.count, share.name)))


def _share(
    named: tuple[str, str], records: Sequence[IndexedRecord], hours: OfficeHours
) -> UserShare:
    times = [record.time for record in records]
    return UserShare(
        user=named[0],
        name=named[1],
        count=len(records),
        days=len({_day(time, hours.zone) for time in times}),
        first=min(times),
        last=max(times),
        categories=_categories(records),
        places=_places(records),
        broke_glass=sum(map(broke_glass, records)),
        failed=sum(map(is_failed, records)),
        outside=sum(map(hours.is_outside, times)),
    )


def _categories(records: Iterable[IndexedRecord]) -> tuple[tuple[str, int], ...]:
    return tuple(Counter(record.first("category") for record in records).most_common())


def _places(records: Iterable[IndexedRecord], most: int = 3) -> tuple[str, ...]:
    return tuple(
        name for name, _ in Counter(filter(None, map(place_of, records))).most_common(most)
    )


def place_of(record: IndexedRecord) -> str:
    """Where whoever acted was, else who reported it."""
    message = record.body.get("message")
    actor = EventView(record, message).actor if message else None
    return str((actor or {}).get("address") or "") or record.first("node")


def _day(ns: int, zone: tzinfo) -> str:
    return datetime.fromtimestamp(ns // NS_PER_S, zone).date().isoformat()


def sessions(
    records: Iterable[IndexedRecord], gap_s: int, hours: OfficeHours
) -> tuple[Session, ...]:
    """One user's records cut where nothing happened for longer than the gap; newest first."""
    groups: list[list[IndexedRecord]] = []
    for record in sorted(records, key=lambda one: (one.time, one.sequence)):
        if groups and record.time - groups[-1][-1].time <= gap_s * NS_PER_S:
            groups[-1].append(record)
        else:
            groups.append([record])
    return tuple(_session(group, hours) for group in reversed(groups))


def _session(records: Sequence[IndexedRecord], hours: OfficeHours) -> Session:
    return Session(
        start=records[0].time,
        end=records[-1].time,
        count=len(records),
        patients=len({fold(one) for record in records for one in record.values("patient")}),
        places=_places(records),
        categories=_categories(records),
        outside=hours.is_outside(records[0].time),
    )


def week(records: Iterable[IndexedRecord], zone: tzinfo) -> tuple[tuple[int, ...], ...]:
    """How many records in each hour of each weekday, Monday first."""
    counts = [[0] * 24 for _ in range(7)]
    for record in records:
        moment = datetime.fromtimestamp(record.time // NS_PER_S, zone)
        counts[moment.weekday()][moment.hour] += 1
    return tuple(map(tuple, counts))


def by_day(
    records: Iterable[IndexedRecord], zone: tzinfo
) -> Iterator[tuple[str, list[IndexedRecord]]]:
    """Records of each day (ISO date in the zone), in the order given."""
    day, group = "", list[IndexedRecord]()
    for record in records:
        this = _day(record.time, zone)
        if this != day and group:
            yield day, group
            group = []
        day = this
        group.append(record)
    if group:
        yield day, group
