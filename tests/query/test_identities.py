"""Questions about a patient or a person, asked by all names."""

import json
from pathlib import Path

import pytest

from audit.index.criteria import And, Term
from audit.query.access import Principal, Scope
from audit.query.answers import Answer
from audit.query.identities import ByAllNames, Identities, IdentityOptions, Setting
from audit.query.search import SearchOptions, SearchService, Shape
from audit.state.aliases import Kind, KnownName, Link, Name, Somebody
from audit.state.options import StateOptions
from audit.state.store import StateStore
from tests.projector.messages import NOW
from tests.query.test_about import access
from tests.query.test_one_patient import ANNA, BERT, FIRST, PATIENT, SECOND, STUDY
from tests.query.trail import IDENTITY, MARA, Trail

DOCUMENT = (
    '<ParticipantObjectIdentification ParticipantObjectID="{0}" ParticipantObjectTypeCode="2" '
    'ParticipantObjectTypeCodeRole="3"><ParticipantObjectIDTypeCode csd-code="9" '
    'codeSystemName="RFC-3881" originalText="Report Number"/></ParticipantObjectIdentification>'
)
OTHER_ANNA = PATIENT.format("Q7", "Ash^Anna")


class Table:
    """Known names, in memory."""

    def __init__(self, *groups: tuple[Name, ...]) -> None:
        self.groups = groups

    def version(self) -> int:
        return 3

    def find(self, kind: Kind, name: Name, version: int | None = None) -> tuple[Somebody, ...]:
        assert version == 3
        return tuple(
            Somebody(kind, 3, tuple(KnownName(one, "csv", "", 1) for one in group))
            for group in self.groups
            if any(one.identifier.lower() == name.identifier.lower() for one in group)
        )


def service(trail: Trail, *groups: tuple[Name, ...], **bounds: int) -> SearchService:
    options = SearchOptions(identity=IDENTITY, cursor_key=bytes(32), clock=lambda: trail.now)
    identities = Identities(Table(*groups), IdentityOptions(**bounds))
    return SearchService(trail.index, trail.reader, trail.append, options, identities)


def asked(search: SearchService, query: str, principal: Principal = MARA) -> Answer:
    return search.search(principal, ByAllNames(query))


def sequences(answer: Answer) -> list[int]:
    return [record.sequence for record in answer.records]


def filled(trail: Trail, *raws: bytes) -> Trail:
    for number, raw in enumerate(raws):
        trail.take(raw, at=NOW + number)
    trail.follow()
    return trail


def test_other_identifiers_are_asked_for_too(trail: Trail) -> None:
    filled(trail, access("v", "V", ANNA), access("v", "V", OTHER_ANNA), access("v", "V", BERT))
    search = service(trail, (Name("P1"), Name("Q7", "1.2")))
    answer = asked(search, "patient:P1")
    assert sequences(answer) == [1, 0]
    assert answer.identities is not None
    assert [(one.asked, one.identifier, one.assigner) for one in answer.identities.names] == [
        ("P1", "Q7", "1.2")
    ]
    assert answer.identities.version == 3
    assert sequences(search.search(MARA, "patient:P1")) == [0]
    assert search.search(MARA, "patient:P1").identities is None
    assert sequences(asked(search, "-patient:P1")) == [2]


def test_another_assigners_identifier_is_anothers(trail: Trail) -> None:
    filled(trail, access("v", "V", ANNA), access("v", "V", OTHER_ANNA))
    assert sequences(asked(service(trail, (Name("P1"), Name("Q7", "9.9"))), "patient:P1")) == [0]


def test_an_identifier_of_several_is_asked_alone_and_told(trail: Trail) -> None:
    filled(trail, access("v", "V", ANNA), access("v", "V", OTHER_ANNA))
    answer = asked(service(trail, (Name("P1", "a"), Name("Q7")), (Name("P1", "b"),)), "patient:P1")
    assert sequences(answer) == [0]
    assert answer.identities is not None
    assert "identifier of several" in answer.identities.warnings[0]


def test_events_with_the_study_or_the_document_alone_are_inferred(trail: Trail) -> None:
    report = DOCUMENT.format("doc-1")
    filled(
        trail,
        access("v", "V", ANNA, FIRST, report),
        access("v", "V", FIRST),
        access("v", "V", report),
        access("v", "V", SECOND),
    )
    answer = asked(service(trail), "patient:P1")
    assert sequences(answer) == [2, 1, 0]
    used = answer.identities
    assert used is not None
    assert (used.studies, used.documents) == (("1.2.1",), ("doc-1",))
    told = answer.as_dict()["identities"]["inferred"]
    assert list(told.values()) == ["document doc-1", "study 1.2.1"]


def test_a_study_of_two_patients_is_nobodys(trail: Trail) -> None:
    filled(
        trail,
        access("v", "V", ANNA, FIRST),
        access("v", "V", BERT, FIRST),
        access("v", "V", ANNA, BERT, SECOND),
        access("v", "V", FIRST),
        access("v", "V", SECOND),
        access("v", "V", ANNA, STUDY.format("1.2.3", "US")),
        access("v", "V", STUDY.format("1.2.3", "US")),
    )
    answer = asked(service(trail), "patient:P1")
    assert sequences(answer) == [6, 5, 2, 0]
    assert answer.identities is not None
    assert answer.identities.studies == ("1.2.3",)


def test_studies_of_others_are_taken_away_however_many_records_say_so(trail: Trail) -> None:
    studies = [STUDY.format(f"1.9.{n}", "CT") for n in range(4)]
    others = [access(f"u{n}", "V", BERT, studies[n % 3]) for n in range(130)]
    filled(trail, access("v", "V", ANNA, *studies), *others)
    answer = asked(service(trail), "patient:P1")
    assert answer.identities is not None
    assert answer.identities.studies == ("1.9.3",)


def test_a_study_is_learned_from_any_of_the_identifiers(trail: Trail) -> None:
    filled(trail, access("v", "V", ANNA, OTHER_ANNA, FIRST), access("v", "V", FIRST))
    assert sequences(asked(service(trail), "patient:P1")) == [0]
    assert sequences(asked(service(trail, (Name("P1"), Name("Q7"))), "patient:P1")) == [1, 0]


def test_an_assigner_in_the_question_says_whose_identifier_it_is(trail: Trail) -> None:
    anna = PATIENT.format("P1^^^&amp;1.1&amp;ISO", "Ash^Anna")
    namesake = PATIENT.format("P1^^^&amp;2.2&amp;ISO", "Other^One")
    elsewhere = PATIENT.format("Q7^^^&amp;3.3&amp;ISO", "Ash^Anna")
    filled(
        trail,
        access("v", "V", anna, FIRST),
        access("v", "V", namesake),
        access("v", "V", elsewhere),
        access("v", "V", FIRST),
    )
    search = service(trail, (Name("P1", "1.1"), Name("Q7", "3.3")), (Name("P1", "2.2"),))
    for query in ("patient:P1^^^&1.1&ISO", "assigner:1.1 patient:P1"):
        assert sequences(asked(search, query)) == [3, 2, 0]
    assert sequences(asked(search, "patient:P1^^^&2.2&ISO")) == [1]
    assert sequences(asked(search, "patient:P1^^^&9.9&ISO")) == []
    # Asked for without an assigner, both are meant, and whatever is known to be of either.
    assert sequences(asked(search, "patient:P1")) == [3, 1, 0]
    assert sequences(asked(search, "patient:P1^^^&1.1&ISO user:nobody")) == []


def test_the_same_identifier_by_another_assigner_is_another_name(trail: Trail) -> None:
    here = PATIENT.format("P1^^^&amp;1.1&amp;ISO", "Ash^Anna")
    there = PATIENT.format("P1^^^&amp;2.2&amp;ISO", "Ash^Anna")
    filled(trail, access("v", "V", here), access("v", "V", there))
    linked = service(trail, (Name("P1", "1.1"), Name("P1", "2.2")))
    assert sequences(asked(linked, "patient:P1^^^&1.1&ISO")) == [1, 0]
    assert sequences(asked(service(trail), "patient:P1^^^&1.1&ISO")) == [0]


def test_somebody_named_twice_is_looked_up_once(trail: Trail) -> None:
    filled(trail, access("v", "V", ANNA))
    answer = asked(service(trail, (Name("P1"), Name("Q7")), max_asked=1), "patient:P1 -patient:P1")
    assert answer.identities is not None
    assert answer.identities.warnings == ()
    assert len(answer.identities.names) == 1


def test_a_question_that_names_nobody_warns_of_nothing(trail: Trail) -> None:
    filled(trail, access("v", "V", ANNA, FIRST))
    reader = Principal("r", scopes=frozenset({Scope.EVENTS_READ}))
    answer = asked(service(trail), "category:access", reader)
    assert answer.identities is not None
    assert answer.identities.warnings == ()


def test_an_export_by_all_names_marks_what_is_inferred(trail: Trail) -> None:
    filled(trail, access("v", "V", ANNA, FIRST), access("v", "V", FIRST))
    export = service(trail).export(MARA, ByAllNames("patient:P1"))
    lines = b"".join(export.chunks()).splitlines()
    rows = [json.loads(line) for line in lines[:-1]]
    assert [(row["sequence"], row.get("inferred")) for row in rows] == [
        (1, "study 1.2.1"),
        (0, None),
    ]
    begun = next(one for one in trail.details() if one.get("export") == "begun")
    assert begun["identities"] == "version 3, 1 studies"


def test_a_tail_by_all_names_marks_what_is_inferred(trail: Trail) -> None:
    filled(trail, access("v", "V", ANNA, FIRST))
    tail = service(trail).tail(MARA, ByAllNames("patient:P1"))
    filled(trail, access("v", "V", FIRST), access("v", "V", ANNA))
    step = tail.step()
    assert [tail.item(record).get("inferred") for record in step.records] == ["study 1.2.1", None]
    assert any(one.get("identities") == "version 3, 1 studies" for one in trail.details())


def test_an_overview_by_all_names_counts_what_is_inferred(trail: Trail) -> None:
    filled(trail, access("v", "V", ANNA, FIRST), access("v", "V", FIRST))
    search, shape = service(trail), Shape(facets=("category",))
    assert search.overview(MARA, ByAllNames("patient:P1"), shape).total.value == 2
    assert search.overview(MARA, "patient:P1", shape).total.value == 1


def test_pages_are_by_the_names_known_at_the_first(trail: Trail, tmp_path: Path) -> None:
    raws = [access("v", "V", ANNA), access("v", "V", OTHER_ANNA), access("w", "W", ANNA)]
    filled(trail, *raws)
    with StateStore(f"sqlite:///{tmp_path / 'state.db'}", StateOptions()) as state:
        options = SearchOptions(identity=IDENTITY, cursor_key=bytes(32), clock=lambda: trail.now)
        identities = Identities(state.aliases)
        search = SearchService(trail.index, trail.reader, trail.append, options, identities)
        first = search.search(MARA, ByAllNames("patient:P1"), limit=1)
        state.aliases.link("patient", [Link((Name("P1"), Name("Q7")))], by="m", source="api")
        second = search.search(MARA, ByAllNames("patient:P1"), cursor=first.next_cursor)
        assert sequences(second) == [0]
        assert sequences(search.search(MARA, ByAllNames("patient:P1"))) == [2, 1, 0]


def test_a_chain_of_merges_is_one_patient(trail: Trail, tmp_path: Path) -> None:
    third = PATIENT.format("R9", "Ash^Anna")
    filled(trail, access("v", "V", ANNA), access("v", "V", OTHER_ANNA), access("v", "V", third))
    with StateStore(f"sqlite:///{tmp_path / 'state.db'}", StateOptions()) as state:
        for pair in (("P1", "Q7"), ("Q7", "R9"), ("R9", "P1")):
            link = Link(tuple(map(Name, pair)))
            state.aliases.link("patient", [link], by="m", source="trail")
        view = trail.service().trail.view(MARA)
        for identifier in ("P1", "Q7", "R9"):
            found, used = Identities(state.aliases).applied(
                Term("patient", identifier), Setting(view, trail.index.position())
            )
            assert len(view.search(found, limit=10).records) == 3
            assert len(used.names) == 2


def test_a_persons_other_names(trail: Trail) -> None:
    filled(trail, access("voss", "V", ANNA), access("mv7", "V", ANNA), access("otto", "O", ANNA))
    search = service(trail, (Name("voss"), Name("mv7")))
    assert sequences(asked(search, "user:voss")) == [1, 0]
    assert sequences(asked(search, "requestor:mv7")) == [1, 0]
    answer = asked(search, "user:voss patient:P1 OR user:otto")
    assert sequences(answer) == [2, 1, 0]


@pytest.mark.parametrize(
    ("bounds", "warning"),
    [
        ({"max_studies": 1}, "only the newest 1 of 2 studies"),
        ({"max_learned_from": 0}, "from 0 of the records only"),
        ({"max_learned_from": 1}, "from 1 of the records only"),
        ({"max_asked": 1}, "of the first 1 only"),
    ],
)
def test_bounds_are_told(trail: Trail, bounds: dict[str, int], warning: str) -> None:
    filled(trail, access("v", "V", ANNA, FIRST), access("v", "V", ANNA, SECOND))
    answer = asked(service(trail, **bounds), "patient:P1 OR patient:P2")
    assert answer.identities is not None
    assert any(warning in one for one in answer.identities.warnings)


def test_pages_are_of_one_question(trail: Trail) -> None:
    filled(trail, access("v", "V", ANNA, FIRST), access("v", "V", FIRST))
    search = service(trail)
    first = search.search(MARA, ByAllNames("patient:P1"), limit=1)
    filled(trail, access("v", "V", ANNA, SECOND), access("v", "V", SECOND))
    second = search.search(MARA, ByAllNames("patient:P1"), limit=1, cursor=first.next_cursor)
    assert sequences(first) + sequences(second) == [1, 0]
    assert second.next_cursor is None


def test_the_record_of_the_look_tells_it(trail: Trail) -> None:
    filled(trail, access("v", "V", ANNA, FIRST), access("v", "V", FIRST))
    asked(service(trail, (Name("P1"), Name("Q7"))), "patient:P1")
    told = next(one for one in trail.details() if "identities" in one)
    assert told["query"] == "patient:P1"
    assert told["identities"] == "version 3, 1 other names, 1 studies"


def test_who_sees_pseudonyms_asks_by_no_other_name(trail: Trail) -> None:
    filled(trail, access("v", "V", ANNA, FIRST), access("mv", "V", FIRST))
    reader = Principal("r", scopes=frozenset({Scope.EVENTS_READ}))
    answer = asked(service(trail, (Name("v"), Name("mv"))), "user:v", reader)
    assert sequences(answer) == [0]
    assert answer.identities is not None
    assert "who see patients as they are" in answer.identities.warnings[0]


def test_terms_for_others() -> None:
    identities = Identities(Table((Name("P1", "a"), Name("Q7", "b"))))
    assert identities.patient_terms("P1", "a") == (
        And((Term("patient", "P1"), Term("patient_assigner", "a"))),
        And((Term("patient", "Q7"), Term("patient_assigner", "b"))),
    )
    assert identities.patient_terms("X") == (Term("patient", "X"),)


def test_the_newest_studies_are_used_where_they_are_too_many(trail: Trail) -> None:
    old = [access("v", "V", ANNA, STUDY.format(f"1.9.{n}", "CT")) for n in range(5)]
    filled(trail, *old, *(access(f"u{n}", "V", ANNA, FIRST) for n in range(120)))
    answer = asked(service(trail, max_studies=3), "patient:P1")
    assert answer.identities is not None
    assert answer.identities.studies == ("1.2.1", "1.9.4", "1.9.3")
