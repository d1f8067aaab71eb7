"""Who accessed a patient's records, and who accessed those of many patients."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from audit.index.criteria import Criteria, Not, Term
from audit.query.reports import wording
from audit.query.reports.asked import PatientIdentity, ReportAsked
from audit.query.reports.gather import Gather
from audit.query.reports.moment import moment
from audit.query.reports.patients import Touched, touched
from audit.query.reports.report import Column, Section

TITLE = "Who accessed a patient's records"
BASIS = "A voluntary access report (proposed as 45 CFR 164.528(b) in 2011, never made law)."
TITLE_FOR_PATIENT = "Access to your records"
BASIS_FOR_PATIENT = (
    "GDPR Art. 15(1), as read by the Court of Justice in C-579/21 (2023): dates and purposes of "
    "each look; members of staff are numbered and not named, unless naming them is essential."
)
TITLE_OF_MANY = "Who accessed the records of these patients"
BASIS_OF_MANY = "Review of accesses to the records of several patients."

OTHERS_LOOKS: Criteria = Not(Term("category", "audit-log-used"))
"""Looks at the audit trail are no looks at a patient's record."""

WHO = Column("who", "Who", 3)
ACCESSES = (
    Column("time", "Time", 4),
    Column("who", "Who", 6),
    Column("act", "What was done", 7),
    Column("data", "Which data", 7),
    Column("purpose", "Purpose", 4),
    Column("outcome", "Outcome", 3),
    Column("where", "Reported by", 4),
    Column("how", "How it was found", 5),
    Column("record", "Record", 4),
)
PEOPLE = (
    WHO,
    Column("times", "Accesses", 1),
    Column("first", "First", 2),
    Column("last", "Last", 2),
)
STAFF = (Column("number", "Shown as", 1), Column("who", "Who it is", 3))
USERS = (
    WHO,
    Column("patients", "Of these patients", 1),
    Column("times", "Accesses", 1),
    Column("first", "First", 2),
    Column("last", "Last", 2),
)
PATIENTS = (
    Column("patient", "Patient", 2),
    Column("people", "People", 1),
    Column("times", "Accesses", 1),
    Column("first", "First", 2),
    Column("last", "Last", 2),
)


class StaffNumbers:
    """Numbers for members of staff, stable within one report; programs keep their names.

    Attributes:
        behind: who is behind each number.
    """

    def __init__(self) -> None:
        self.behind: dict[str, str] = {}
        self._numbers: dict[str, str] = {}

    def __call__(self, participant: wording.JsonObject) -> str:
        """How the participant is shown."""
        if wording.is_system(participant):
            return wording.shown_name(participant)
        key = wording.user_key(participant).casefold()
        if key not in self._numbers:
            self._numbers[key] = f"Staff member {len(self._numbers) + 1}"
            self.behind[self._numbers[key]] = wording.shown_name(participant)
        return self._numbers[key]


Naming = Callable[[wording.JsonObject], str]


def _who(one: Touched, naming: Naming) -> list[str]:
    """The people who acted; the programs where no person is told of."""
    acting = wording.people(one.record) or wording.participants(one.record)
    return list(dict.fromkeys(map(naming, acting))) or ["nobody named"]


def sections(gather: Gather, asked: ReportAsked) -> tuple[Section, ...]:
    """Each access, and how often each person looked."""
    found = touched(gather, asked.patients, OTHERS_LOOKS)
    numbers = StaffNumbers()
    naming: Naming = numbers if asked.pseudonymised else wording.shown_name
    accesses = Section(
        name="accesses",
        title="Accesses",
        columns=ACCESSES,
        rows=tuple(_row(one, naming) for one in found),
        note="Oldest first. Of an event that names other patients too, only what surely concerns "
        "this patient is told.",
        empty="No source told of any access.",
    )
    people = Section(
        name="people",
        title="By person",
        columns=PEOPLE,
        rows=tuple(_people(found, naming)),
        empty="Nobody.",
    )
    if not (asked.pseudonymised and asked.revealed):
        return accesses, people
    staff = Section(
        name="staff",
        title="Who the numbers are",
        columns=STAFF,
        rows=tuple(numbers.behind.items()),
        note="Named for the reason above, which is recorded in the audit trail.",
    )
    return accesses, people, staff


def _row(one: Touched, naming: Naming) -> tuple[str, ...]:
    record = one.record
    return (
        moment(record.time),
        wording.BETWEEN.join(_who(one, naming)),
        wording.act(record),
        one.data,
        wording.purposes(record) or "not stated",
        wording.outcome(record),
        wording.node(record),
        one.attributed,
        record.id,
    )


def _people(found: Iterable[Touched], naming: Naming) -> Iterator[tuple[str, ...]]:
    times: dict[str, list[int]] = {}
    for one in found:
        for who in _who(one, naming):
            times.setdefault(who, []).append(one.record.time)
    ranked = sorted(times.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    for who, at in ranked:
        yield who, str(len(at)), moment(min(at)), moment(max(at))


def sections_of_many(gather: Gather, asked: ReportAsked) -> tuple[Section, ...]:
    """Who looked at how many of the patients, and each patient's accesses in figures."""
    by_patient = {
        one: touched(gather, (one,), OTHERS_LOOKS) for one in dict.fromkeys(asked.patients)
    }
    users = Section(
        name="users",
        title="People by patients",
        columns=USERS,
        rows=tuple(_users(by_patient)),
        note="Those who looked at most of these patients first. An event that names several of "
        "them counts once for each.",
        empty="No source told of any access.",
    )
    patients = Section(
        name="patients",
        title="Patients",
        columns=PATIENTS,
        rows=tuple(_of_patient(who, found) for who, found in by_patient.items()),
    )
    return users, patients


def _users(by_patient: dict[PatientIdentity, list[Touched]]) -> Iterator[tuple[str, ...]]:
    patients: Counter[str] = Counter()
    times: dict[str, list[int]] = {}
    for found in by_patient.values():
        seen = set()
        for one in found:
            for who in _who(one, wording.shown_name):
                times.setdefault(who, []).append(one.record.time)
                seen.add(who)
        patients.update(seen)
    for who, count in sorted(patients.items(), key=lambda pair: (-pair[1], pair[0])):
        at = times[who]
        yield who, str(count), str(len(at)), moment(min(at)), moment(max(at))


def _of_patient(patient: PatientIdentity, found: list[Touched]) -> tuple[str, ...]:
    at = [one.record.time for one in found]
    people = {who for one in found for who in _who(one, wording.shown_name)}
    first, last = (moment(min(at)), moment(max(at))) if at else ("", "")
    return str(patient), str(len(people)), str(len(at)), first, last
