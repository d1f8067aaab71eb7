"""Row and field level over every question that the service answers."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from audit.errors import Denied, NotFound
from audit.index.criteria import (
    And,
    Criteria,
    Everything,
    Exists,
    Not,
    Or,
    Phrase,
    Prefix,
    Term,
    Text,
)
from audit.index.port import Span
from audit.query.access import READ_SCOPES, Principal, Scope
from audit.query.neighbours import Neighbourhood
from audit.query.presentation import detail, item
from audit.query.search import PageAsked, SearchService, Shape
from audit.record.audit_message import (
    CodedValue,
    ParticipantObject,
    ParticipantObjectDescription,
    ParticipantObjectDetail,
)
from audit.standards.fields import fields_of
from tests.projector.messages import NOW, SECOND, event, message, patient, person, study, syslog
from tests.query.trail import MARA, Trail

SECRETS = ("zorro77", "quillaxy", "vantablack", "9.8.7.6.5", "acc4711", "hushed")
"""What no one may read who sees pseudonyms: identifier, names, study, accession, a free text."""

UNIDENTIFIED = Principal("rev", scopes=frozenset(READ_SCOPES - {Scope.PATIENTS_IDENTIFY}))
HERE = Principal("here", scopes=frozenset(READ_SCOPES), rows=Term("node", "viewer-3"))
ELSEWHERE = Principal("elsewhere", scopes=frozenset(READ_SCOPES), rows=Term("node", "pacs-9"))


def query_object() -> ParticipantObject:
    url = "https://pacs.example/studies?PatientID=ZORRO77&PatientName=QUILLAXY*&Modality=CT"
    return ParticipantObject(
        participant_object_id="ZORRO77 search",
        participant_object_id_type_code=CodedValue("10", "RFC-3881", "Search Criteria"),
        participant_object_type_code="2",
        participant_object_type_code_role="24",
        participant_object_query=b64encode(url.encode()).decode(),
        participant_object_details=(ParticipantObjectDetail("note", "aHVzaGVk"),),
    )


def secret_messages() -> list[bytes]:
    told = study(
        "9.8.7.6.5",
        participant_object_name="CT of Quillaxy",
        participant_object_descriptions=(ParticipantObjectDescription(accessions=("ACC4711",)),),
    )
    failed = event(
        event_outcome_indicator="8",
        event_outcome_description="No study of Vantablack, Quillaxy (ZORRO77) at hand",
    )
    everybody = (
        person(),
        person("zorro77", user_name="Vantablack^Quillaxy"),
        person("bed 4 of zorro77"),
    )
    owner = patient("ZORRO77^^^&1.2.3&ISO", "Vantablack^Quillaxy")
    alert = ParticipantObject(
        participant_object_id="gate-4",
        participant_object_id_type_code=CodedValue("110182", "DCM", "Node ID"),
        participant_object_type_code="2",
        participant_object_type_code_role="13",
        participant_object_name="the gate",
    )
    return [
        syslog(message(failed, everybody, (told, owner, query_object()))),
        syslog(message(event("110113"), objects=(alert,))),
        syslog(b"<AuditMessage><EventIdentification hushed Quillaxy ZORRO77"),
        syslog(message(event(event_action_code="ZORRO77"), objects=(owner,))),
    ]


@pytest.fixture
def secret(trail: Trail) -> Trail:
    for number, one in enumerate(secret_messages()):
        trail.take(one, at=NOW + number * SECOND)
    trail.now = NOW + 10 * SECOND
    trail.follow()
    return trail


FACETED = tuple(field.name for field in fields_of("keyword"))
SPAN = Span(start=NOW - 100 * SECOND, end=NOW + 100 * SECOND, interval=100 * SECOND)

Question = Callable[[SearchService, Principal], object]


def searched(service: SearchService, who: Principal) -> object:
    return service.search(who, "").as_dict()


def one_page(service: SearchService, who: Principal) -> object:
    return service.page(who, "", PageAsked(100)).as_dict()


def paged(service: SearchService, who: Principal) -> object:
    cursor, pages = None, []
    while True:
        answer = service.search(who, "", limit=1, cursor=cursor, include_repeats=True)
        pages.append(answer.as_dict())
        cursor = answer.next_cursor
        if cursor is None:
            return pages


def overview(service: SearchService, who: Principal) -> object:
    found = service.overview(who, "", Shape(FACETED, 100, SPAN, "category"))
    bars = [bar.counts for bar in found.histogram]
    return [found.facets, bars, found.total.value]


def each_event(service: SearchService, who: Principal) -> object:
    found = []
    for sequence in range(4):
        try:
            found.append(service.event(who, str(sequence)).as_dict())
        except NotFound:
            continue
    return found


def around(service: SearchService, who: Principal) -> object:
    try:
        return service.neighbours(who, "0", Neighbourhood(window_s=1_000)).as_dict()
    except NotFound:
        return []


def exported(service: SearchService, who: Principal) -> object:
    export = service.export(who, "")
    lines = b"".join(export.chunks()).decode().splitlines()[:-1]
    return [json.loads(line) for line in lines]


def tailed(service: SearchService, who: Principal) -> object:
    return [item(record) for record in service.tail(who, "", since=0).step().records]


def at_home(service: SearchService, who: Principal) -> object:
    figures = service.home(who).figures
    return [
        [detail(record) for record in figures.failures],
        figures.categories,
        figures.users,
        figures.senders,
        figures.findings,
        figures.failure_total.value,
        figures.alerts.value,
        [bar.counts for bar in figures.histogram],
    ]


def senders(service: SearchService, who: Principal) -> object:
    return service.senders(who, 7).as_dict()["items"]


QUESTIONS: dict[str, Question] = {
    "search": searched,
    "search in pages": paged,
    "page": one_page,
    "overview": overview,
    "event": each_event,
    "neighbours": around,
    "export": exported,
    "tail": tailed,
    "home": at_home,
    "senders": senders,
}
ANSWERING = {
    *("search", "page", "overview", "event", "neighbours", "export", "tail", "home", "senders")
}
NOT_ABOUT_RECORDS = {"index_lag", "check", "trail"}
OCTETS = {"message"}


def test_every_method_of_the_service_is_asked_here() -> None:
    public = {name for name in vars(SearchService) if not name.startswith("_")}
    assert public == ANSWERING | NOT_ABOUT_RECORDS | OCTETS


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_answer_names_a_patient_to_those_who_see_pseudonyms(secret: Trail, name: str) -> None:
    whole = json.dumps(QUESTIONS[name](secret.service(), MARA)).casefold()
    told = json.dumps(QUESTIONS[name](secret.service(), UNIDENTIFIED)).casefold()
    assert told not in {"", "[]"}
    assert not [word for word in SECRETS if word in told], told
    if name not in {"home", "senders"}:
        assert "zorro77" in whole
        assert "patient-" in told


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_answer_tells_of_rows_one_may_not_see(secret: Trail, name: str) -> None:
    asked = QUESTIONS[name]
    inside = json.dumps(asked(secret.service(), HERE)).casefold()
    outside = json.dumps(asked(secret.service(), ELSEWHERE)).casefold()
    assert "viewer-3" in inside or name == "home"
    for word in (*SECRETS, "viewer-3", "radiology", "mvoss", "thorax", "gate"):
        assert word not in outside, outside
    counts = [char for char in outside if char.isdigit() and char != "0"]
    if name in {"home", "overview"}:
        assert not counts, outside


def test_octets_need_their_scope_and_the_row(secret: Trail) -> None:
    service = secret.service()
    assert b"ZORRO77" in service.message(HERE, "0").received
    with pytest.raises(NotFound):
        service.message(ELSEWHERE, "0")
    with pytest.raises(Denied, match="events:raw"):
        service.message(Principal("rev", scopes=frozenset({Scope.EVENTS_READ})), "0")
    with pytest.raises(NotFound):
        service.event(ELSEWHERE, "0")


def test_own_use_is_hidden_without_its_scope(secret: Trail) -> None:
    service = secret.service()
    service.search(MARA, "patient:ZORRO77")
    secret.follow()
    without = Principal("rev", scopes=frozenset(READ_SCOPES - {Scope.AUDIT_READ}))
    assert service.search(MARA, "category:audit-log-used").total.value == 1
    assert service.search(without, "category:audit-log-used").total.value == 0
    with pytest.raises(NotFound):
        service.event(without, "4")
    with pytest.raises(NotFound):
        service.message(without, "4")


def test_what_was_asked_is_hidden_in_the_records_of_use(secret: Trail) -> None:
    service = secret.service()
    service.search(MARA, "patient:ZORRO77 hushed")
    secret.follow()
    shown = service.event(UNIDENTIFIED, "4").as_dict()
    assert not [word for word in SECRETS if word in json.dumps(shown).casefold()]
    details = [
        one for subject in shown["body"]["message"]["objects"] for one in subject["details"]
    ]
    assert {"type": "query", "value": "…"} in details
    assert "records shown" in [one["type"] for one in details]


REFUSED: dict[str, Criteria] = {
    "plain identifier": Term("patient", "ZORRO77"),
    "name": Term("patient_name", "Vantablack^Quillaxy"),
    "beginning": Prefix("patient", "Z"),
    "study": Term("study", "9.8.7.6.5"),
    "object": Term("object", "9.8.7.6.5"),
    "query key": Term("query_key", "PatientID=ZORRO77"),
    "words": Text("quillaxy"),
    "phrase": Phrase("quillaxy vantablack"),
    "hidden inside": And((Everything(), Or((Not(Term("patient", "ZORRO77")),)))),
    "unknown pseudonym": Term("patient", "patient-aaaaaaaaaaaaaaaa"),
    "pseudonym of another kind": Term("patient", "study-aaaaaaaaaaaaaaaa"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_nobody_finds_a_patient_by_what_is_hidden(secret: Trail, name: str) -> None:
    service, criteria = secret.service(), REFUSED[name]
    for ask in (service.search, service.export, service.tail):
        secret.appended.clear()
        with pytest.raises(Denied, match="patients:identify"):
            ask(UNIDENTIFIED, criteria)
        (refusal,) = secret.own_records()
        assert refusal.first("outcome") == "serious-failure"
    with pytest.raises(Denied):
        service.overview(UNIDENTIFIED, criteria, Shape(("category",)))


@pytest.mark.parametrize(
    "guess",
    [
        Term("user", "ZORRO77"),
        Term("user", "zorro77"),
        Prefix("user", "Zorro"),
        Term("user_name", "Vantablack^Quillaxy"),
        Prefix("user_name", "vanta"),
        Or((Term("user", "zorro77"), Term("user", "nobody"))),
    ],
)
def test_a_guess_at_a_person_confirms_no_patient(secret: Trail, guess: Criteria) -> None:
    service = secret.service(pseudonym_key=bytes(32))
    assert [one.sequence for one in service.search(MARA, guess).records] == [0]
    for answer in (
        service.search(UNIDENTIFIED, guess),
        service.search(UNIDENTIFIED, And((guess, Everything()))),
    ):
        assert (answer.records, answer.total.value) == ((), 0)
    found = service.overview(UNIDENTIFIED, guess, Shape(("category",), 10, SPAN))
    assert (found.facets.get("category", ()), found.total.value) == ((), 0)


def test_people_are_found_by_their_names_and_patients_by_pseudonyms(secret: Trail) -> None:
    service = secret.service(pseudonym_key=bytes(32))
    record = service.event(UNIDENTIFIED, "0").record
    everybody = record.values("user")
    assert any(one.startswith("patient-") for one in everybody)
    by_name = [one for one in everybody if " patient-" not in one]
    assert len(by_name) == len(everybody) - 1
    for user in by_name:
        found = service.search(UNIDENTIFIED, Term("user", user)).records
        assert 0 in [one.sequence for one in found], user
    assert service.search(UNIDENTIFIED, Prefix("user", "mv")).records
    few = secret.service(pseudonym_key=bytes(32), people_tried=1)
    with pytest.raises(Denied, match="so short a beginning"):
        few.search(UNIDENTIFIED, Prefix("user", "m"))


@pytest.mark.parametrize("field", ["patient", "patient_name", "study", "accession"])
def test_a_pseudonym_finds_what_it_stands_for(secret: Trail, field: str) -> None:
    service = secret.service(pseudonym_key=bytes(32))
    record = service.event(UNIDENTIFIED, "0").record
    pseudonym = record.first(field)
    answer = service.search(UNIDENTIFIED, Term(field, pseudonym))
    assert 0 in [one.sequence for one in answer.records]
    narrowed = service.search(UNIDENTIFIED, And((Exists(field), Not(Term(field, pseudonym)))))
    assert 0 not in [one.sequence for one in narrowed.records]
    near = service.neighbours(UNIDENTIFIED, "0", Neighbourhood(same=(field,)))
    assert 0 in [one.sequence for one in near.records]


def test_a_pseudonym_is_looked_for_again_when_records_came(trail: Trail) -> None:
    service = trail.service(pseudonym_key=bytes(32))
    for name in ("P1", "P2"):
        trail.take(syslog(message(objects=(patient(name, f"N {name}"),))))
        trail.follow()
        record = service.search(UNIDENTIFIED, "", limit=1).records[0]
        found = service.search(UNIDENTIFIED, Term("patient", record.first("patient")))
        assert [one.id for one in found.records] == [record.id]


def test_beyond_the_bound_a_pseudonym_is_refused(secret: Trail) -> None:
    service = secret.service(pseudonyms_tried=0)
    pseudonym = service.event(UNIDENTIFIED, "0").record.first("patient")
    with pytest.raises(Denied):
        service.search(UNIDENTIFIED, Term("patient", pseudonym))


def test_what_names_no_patient_stays(secret: Trail) -> None:
    service = secret.service()
    alert = service.event(UNIDENTIFIED, "1").record
    (subject,) = alert.body["message"]["objects"]
    assert (subject["id"], subject["name"]) == ("gate-4", "the gate")
    assert alert.first("object") == "gate-4"
    assert alert.first("requestor") == "mvoss@example.org"
    seen = service.event(UNIDENTIFIED, "0").record
    whole = service.event(MARA, "0").record
    for name in ("category", "node", "site", "outcome", "finding", "event"):
        assert seen.values(name) == whole.values(name)
    assert seen.body["message"]["event"]["date_time"] == "2026-05-28T20:26:40Z"


@pytest.fixture
def counted(trail: Trail, tmp_path: Path) -> Iterator[Trail]:
    for number in range(3):
        trail.take(syslog(message(node=f"n{number}")), at=NOW + number)
    trail.follow()
    yield trail
    assert tmp_path.exists()


def test_rows_and_the_question_must_both_hold(counted: Trail) -> None:
    rows = Or((Term("node", "n1"), Term("node", "n2")))
    both = Principal("both", scopes=frozenset(READ_SCOPES), rows=rows)
    service = counted.service()
    assert service.search(both, "").total.value == 2
    assert service.search(both, "source:x OR node:n0").total.value == 0
    assert service.search(both, "-node:n1").total.value == 1


def test_findings_of_another_version_say_nothing(secret: Trail) -> None:
    record = secret.index.records[f"{secret.reader.origin}-3"]
    told = {**record.body["findings"][0], "rule": "gone", "message": "found ZORRO77"}
    body = {**record.body, "findings": [told]}
    secret.index.records[record.id] = replace(record, body=body)
    shown = secret.service().event(UNIDENTIFIED, record.id).record
    (finding,) = shown.body["findings"]
    assert (finding["rule"], finding["message"], finding["fix"]) == ("gone", "", "")
