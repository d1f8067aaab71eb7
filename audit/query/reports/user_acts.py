"""What a person or program did: sessions, habits, patients, failures, every act."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from audit.index.criteria import Or, Term
from audit.index.document import IndexedRecord
from audit.query.reports import wording
from audit.query.reports.asked import ReportAsked
from audit.query.reports.gather import Gather
from audit.query.reports.moment import moment
from audit.query.reports.report import Column, Section

TITLE = "What a user did"
BASIS = "Review of one user's activity (45 CFR 164.308(a)(1)(ii)(D), ISO 27789)."
NS_PER_S = 1_000_000_000
_BARS = 40

SESSIONS = (
    Column("begin", "Begin", 2),
    Column("end", "End", 2),
    Column("from", "From", 2),
    Column("acts", "Acts", 1),
    Column("patients", "Patients", 1),
    Column("failures", "Failures", 1),
    Column("how", "How it is known", 3),
)
HOURS = (
    Column("hour", "Hour (UTC)", 1),
    Column("acts", "Acts", 1),
    Column("bar", "", 6),
)
SORTS = (Column("act", "What was done", 4), Column("times", "Times", 1))
OF_PATIENTS = (
    Column("patient", "Patient", 3),
    Column("times", "Acts", 1),
    Column("first", "First", 2),
    Column("last", "Last", 2),
)
ACTS = (
    Column("time", "Time", 2),
    Column("act", "What was done", 4),
    Column("patients", "Patients", 3),
    Column("data", "Which data", 4),
    Column("outcome", "Outcome", 1),
    Column("from", "From", 2),
    Column("where", "Reported by", 2),
    Column("record", "Record", 2),
)


@dataclass(slots=True)
class Session:
    """Acts that belong together."""

    records: list[IndexedRecord] = field(default_factory=list)
    login: bool = False
    logout: bool = False

    def row(self) -> tuple[str, ...]:
        """As a row of the table."""
        patients = {value for one in self.records for value in one.values("patient")}
        failures = sum(one.first("outcome") not in {"", "success"} for one in self.records)
        known = [
            "login" if self.login else "first act",
            "logout" if self.logout else "last act before a pause",
        ]
        seats = dict.fromkeys(_seat(one) for one in self.records)
        return (
            moment(self.records[0].time),
            moment(self.records[-1].time),
            wording.BETWEEN.join(filter(None, seats)),
            str(len(self.records)),
            str(len(patients)),
            str(failures),
            " to ".join(known),
        )


def sessions_of(records: list[IndexedRecord], gap_s: int) -> list[Session]:
    """Sessions: from a login to its logout, else acts without a pause of ``gap_s`` between them.

    Args:
        records: of one user, oldest first.
        gap_s: seconds.
    """
    found: list[Session] = []
    told = _between_login_and_logout(records)
    for place, record in enumerate(records):
        last = found[-1] if found else None
        pause = last is None or record.time - last.records[-1].time > gap_s * NS_PER_S
        goes_on = place in told or not (pause or _is_login(record))
        if last is None or last.logout or not goes_on:
            last = Session(login=_is_login(record))
            found.append(last)
        last.records.append(record)
        last.logout = record.first("kind") == "logout"
    return found


def _is_login(record: IndexedRecord) -> bool:
    return record.first("kind") == "login" and record.first("outcome") in {"", "success"}


def _between_login_and_logout(records: list[IndexedRecord]) -> set[int]:
    """Places of acts after a login up to the logout that ends it."""
    places: set[int] = set()
    login: int | None = None
    for place, record in enumerate(records):
        if _is_login(record):
            login = place
        elif record.first("kind") == "logout" and login is not None:
            places.update(range(login + 1, place + 1))
            login = None
    return places


def sections(gather: Gather, asked: ReportAsked) -> tuple[Section, ...]:
    """Sessions, hours, sorts of acts, patients and every act."""
    named = Or(tuple(Term("user", name) for name in gather.names.users(asked.user)))
    records = gather.records(named, "acts of the user")
    sessions = sessions_of(records, gather.options.session_gap_s)
    minutes = gather.options.session_gap_s // 60
    return (
        Section(
            name="sessions",
            title="Sessions",
            columns=SESSIONS,
            rows=tuple(one.row() for one in sessions),
            note=f"From login to logout where both are told, else acts that follow each other "
            f"within {minutes} minutes.",
            empty="No source told of any act of this user.",
        ),
        Section(name="hours", title="Time of day", columns=HOURS, rows=tuple(_hours(records))),
        Section(
            name="sorts",
            title="Sorts of acts",
            columns=SORTS,
            rows=tuple(
                (name, str(count))
                for name, count in Counter(map(wording.act, records)).most_common()
            ),
        ),
        Section(
            name="patients",
            title="Patients",
            columns=OF_PATIENTS,
            rows=tuple(_patients(records)),
            note="Whose data the acts name, most often first.",
        ),
        Section(name="acts", title="Every act", columns=ACTS, rows=tuple(map(_row, records))),
    )


def _hours(records: list[IndexedRecord]) -> Iterator[tuple[str, ...]]:
    hours = Counter(datetime.fromtimestamp(one.time // NS_PER_S, UTC).hour for one in records)
    most = max(hours.values(), default=1)
    for hour in sorted(hours):
        count = hours[hour]
        yield f"{hour:02d}", str(count), "#" * max(1, round(count * _BARS / most))


def _patients(records: list[IndexedRecord]) -> Iterator[tuple[str, ...]]:
    times: dict[str, list[int]] = {}
    for one in records:
        for patient in dict.fromkeys(one.values("patient")):
            times.setdefault(patient, []).append(one.time)
    for patient, at in sorted(times.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        yield patient, str(len(at)), moment(min(at)), moment(max(at))


def _seat(record: IndexedRecord) -> str:
    """Where the people sat, else where the message came from."""
    peer = record.body.get("peer") or {}
    return wording.addresses(wording.people(record)) or str(peer.get("address", ""))


def _row(record: IndexedRecord) -> tuple[str, ...]:
    return (
        moment(record.time),
        wording.act(record),
        wording.BETWEEN.join(dict.fromkeys(record.values("patient"))),
        wording.described(record),
        wording.outcome(record),
        _seat(record),
        wording.node(record),
        record.id,
    )
