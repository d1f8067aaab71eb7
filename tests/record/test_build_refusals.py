"""Arguments that no message can hold are refused, and the clause is named."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from audit.record import build
from tests.record.test_build import (
    ARCHIVE,
    CD,
    HERE,
    NOW,
    OTHER,
    PATIENT,
    PERSON,
    STUDY,
    THEN,
    VIEWER,
)

EXCHANGE = build.Exchange(source=VIEWER, destination=ARCHIVE)
NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001 - what is refused here
ANY: Any = object()
Case = tuple[Callable[[], object], type[Exception], str]

ARGUMENTS: dict[str, Case] = {
    "blank person": (lambda: build.Person(user_id=" "), ValueError, "A.5.1"),
    "person of number": (lambda: build.Person(user_id=ANY), TypeError, "A.5.1"),
    "blank process": (lambda: build.Process(process_id=""), ValueError, "A.5.1"),
    "blank node": (lambda: build.Node(node_id=""), ValueError, "A.5.1"),
    "AE titles as text": (
        lambda: build.Process(process_id="1", ae_titles="AE"),  # type: ignore[arg-type]
        TypeError,
        "A.5.2",
    ),
    "AE title too long": (
        lambda: build.Process(process_id="1", ae_titles=("A" * 17,)),
        ValueError,
        "PS3.5 6.2",
    ),
    "AE title with semicolon": (
        lambda: build.Process(process_id="1", ae_titles=("A;B",)),
        ValueError,
        "A.5.2",
    ),
    "AE titles beside alternative": (
        lambda: build.Process(process_id="1", ae_titles=("A",), alternative_user_id="b"),
        ValueError,
        "A.5.2",
    ),
    "no IP address": (
        lambda: build.AccessPoint("10.1.2.300", build.AccessPointType.IP_ADDRESS),
        ValueError,
        "10.1.2.300",
    ),
    "no e-mail": (
        lambda: build.AccessPoint("x", build.AccessPointType.EMAIL),
        ValueError,
        "type 4",
    ),
    "no URI": (lambda: build.AccessPoint("x", build.AccessPointType.URI), ValueError, "type 5"),
    "blank media": (
        lambda: build.Media(media_id="", type=build.MediaType.CD),
        ValueError,
        "A.5.3.4",
    ),
    "media type": (lambda: build.Media(media_id="x", type=ANY), TypeError, "CID 405"),
    "e-mail to nowhere": (
        lambda: build.Media(media_id="mailto:x@y", type=build.MediaType.EMAIL),
        ValueError,
        "A.5.3.4",
    ),
    "blank patient": (lambda: build.Patient(id=""), ValueError, "A.5.1"),
    "study without UID": (lambda: build.Study(uid="x"), ValueError, "PS3.5 9.1"),
    "study with long UID": (lambda: build.Study(uid="2." + "1" * 63), ValueError, "PS3.5 9.1"),
    "accession as text": (
        lambda: build.Study(uid="2.1", accessions="A1"),  # type: ignore[arg-type]
        TypeError,
        "A.5.1",
    ),
    "accession without SOP classes": (
        lambda: build.Study(uid="2.1", accessions=("A1",)),
        ValueError,
        "SCHEDULED",
    ),
    "flag without SOP classes": (
        lambda: build.Study(uid="2.1", anonymized=False),
        ValueError,
        "A.5.3",
    ),
    "bad MPPS": (
        lambda: build.Study(uid="2.1", mpps=("x",), sop_classes=build.SCHEDULED),
        ValueError,
        "MPPS",
    ),
    "bad SOP class": (lambda: build.SOPInstances("x", 1), ValueError, "PS3.5 9.1"),
    "bad instance": (lambda: build.SOPInstances("2.1", 1, ("01",)), ValueError, "PS3.5 9.1"),
    "fewer than none": (lambda: build.SOPInstances("2.1", -1), ValueError, "NumberOfInstances"),
    "half an instance": (
        lambda: build.SOPInstances("2.1", 1.5),  # type: ignore[arg-type]
        TypeError,
        "NumberOfInstances",
    ),
    "query without identifier": (
        lambda: build.DicomQuery(
            sop_class_uid="1.2", identifier=b"", transfer_syntax_uid="1.2.840.10008.1.2"
        ),
        ValueError,
        "A.5.3.10",
    ),
    "query of text": (
        lambda: build.DicomQuery(
            sop_class_uid="1.2", identifier=ANY, transfer_syntax_uid="1.2.840.10008.1.2"
        ),
        TypeError,
        "A.5.3.10",
    ),
    "blank URL": (lambda: build.UrlQuery(url=" "), ValueError, "A.5.3.10"),
    "alert about a patient number": (
        lambda: build.AlertSubject(id="1", description="x", id_type=build.IdType.PATIENT_NUMBER),
        ValueError,
        "A.5.3.11",
    ),
    "alert without description": (
        lambda: build.AlertSubject(id="1", description=""),
        ValueError,
        "A.5.3.11",
    ),
    "naive time": (lambda: build.Occurrence(when=NAIVE, source=HERE), ValueError, "A.5.2.5"),
    "time as text": (lambda: build.Occurrence(when=ANY, source=HERE), TypeError, "A.5.2.5"),
    "no source": (lambda: build.Occurrence(when=NOW, source=ANY), TypeError, "A.5.1"),
    "no outcome": (
        lambda: build.Occurrence(when=NOW, source=HERE, outcome=ANY),
        TypeError,
        "A.5.1",
    ),
    "blank source": (lambda: build.audit_source(" "), ValueError, "AuditSourceID"),
}

READ = build.Action.READ
EVENTS: dict[str, Case] = {
    "no occurrence": (
        lambda: build.network_entry(ANY, build.NetworkEntry.ATTACH, build.Node(node_id="n")),
        TypeError,
        "Occurrence",
    ),
    "activity": (
        lambda: build.application_activity(THEN, ANY, VIEWER),
        TypeError,
        "A.5.3.1)",
    ),
    "application is no person": (
        lambda: build.application_activity(
            THEN,
            build.ApplicationActivity.START,
            PERSON,  # type: ignore[arg-type]
        ),
        TypeError,
        "A.5.3.1)",
    ),
    "nobody read the log": (
        lambda: build.audit_log_used(THEN, (), "https://x/"),
        ValueError,
        "A.5.3.2)",
    ),
    "three read the log": (
        lambda: build.audit_log_used(THEN, (PERSON, VIEWER, OTHER), "https://x/"),
        ValueError,
        "at most 2",
    ),
    "log without URI": (
        lambda: build.audit_log_used(THEN, (PERSON,), ""),
        ValueError,
        "A.5.3.2)",
    ),
    "transfer of nothing": (
        lambda: build.begin_transferring(THEN, EXCHANGE, PATIENT, ()),
        ValueError,
        "A.5.3.3)",
    ),
    "transfer without exchange": (
        lambda: build.begin_transferring(THEN, ANY, PATIENT, (STUDY,)),
        TypeError,
        "A.5.3.3)",
    ),
    "transfer can't delete": (
        lambda: build.instances_transferred(
            THEN, build.Action.DELETE, EXCHANGE, PATIENT, (STUDY,)
        ),
        ValueError,
        "A.5.3.7)",
    ),
    "transfer of a letter": (
        lambda: build.instances_transferred(
            THEN,
            "C",  # type: ignore[arg-type]
            EXCHANGE,
            PATIENT,
            (STUDY,),
        ),
        TypeError,
        "A.5.3.7)",
    ),
    "media as participant": (
        lambda: build.study_deleted(THEN, (CD,), PATIENT, (STUDY,)),  # type: ignore[arg-type]
        TypeError,
        "A.5.3.8)",
    ),
    "study as patient": (
        lambda: build.study_deleted(THEN, (PERSON,), STUDY, (STUDY,)),  # type: ignore[arg-type]
        TypeError,
        "A.5.3.8)",
    ),
    "patient as study": (
        lambda: build.study_deleted(THEN, (PERSON,), PATIENT, (PATIENT,)),  # type: ignore[arg-type]
        TypeError,
        "A.5.3.8)",
    ),
    "export of nobody's data": (
        lambda: build.data_export(THEN, (PERSON,), CD, ()),
        ValueError,
        "A.5.3.4)",
    ),
    "export to no media": (
        lambda: build.data_export(THEN, (PERSON,), ANY, (PATIENT,)),
        TypeError,
        "A.5.3.4)",
    ),
    "export by three": (
        lambda: build.data_export(THEN, (PERSON, VIEWER, ARCHIVE), CD, (PATIENT,)),
        ValueError,
        "A.5.3.4)",
    ),
    "import by nobody": (
        lambda: build.data_import(THEN, (), CD, (PATIENT,)),
        ValueError,
        "A.5.3.5)",
    ),
    "access that executes": (
        lambda: build.instances_accessed(THEN, build.Action.EXECUTE, (PERSON,), PATIENT, (STUDY,)),
        ValueError,
        "A.5.3.6)",
    ),
    "entry of a process": (
        lambda: build.network_entry(
            THEN,
            build.NetworkEntry.ATTACH,
            VIEWER,  # type: ignore[arg-type]
        ),
        TypeError,
        "A.5.3.9)",
    ),
    "query of nothing": (lambda: build.query(THEN, EXCHANGE, ANY), TypeError, "A.5.3.10)"),
    "alert without kind": (
        lambda: build.security_alert(THEN, ANY, (ARCHIVE,)),
        TypeError,
        "A.5.3.11)",
    ),
    "alert by nobody": (
        lambda: build.security_alert(THEN, build.Alert.NODE_AUTHENTICATION, ()),
        ValueError,
        "A.5.3.11)",
    ),
    "alert about text": (
        lambda: build.security_alert(THEN, build.Alert.NODE_AUTHENTICATION, (ARCHIVE,), (ANY,)),
        TypeError,
        "A.5.3.11)",
    ),
    "login from nowhere": (
        lambda: build.user_authentication(
            THEN, build.Authentication.LOGIN, build.Person(user_id="x")
        ),
        ValueError,
        "A.5.3.12)",
    ),
    "login by person": (
        lambda: build.user_authentication(
            THEN,
            build.Authentication.LOGIN,
            PERSON,
            OTHER,  # type: ignore[arg-type]
        ),
        TypeError,
        "A.5.3.12)",
    ),
    "order by nobody": (
        lambda: build.order_record(THEN, READ, (), PATIENT),
        ValueError,
        "A.5.3.13)",
    ),
    "patient record by nobody": (
        lambda: build.patient_record(THEN, READ, (), PATIENT),
        ValueError,
        "A.5.3.14)",
    ),
    "procedure by three": (
        lambda: build.procedure_record(THEN, READ, (PERSON, VIEWER, ARCHIVE), PATIENT),
        ValueError,
        "A.5.3.15)",
    ),
}


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_an_impossible_argument_is_refused(name: str) -> None:
    attempt, error, words = ARGUMENTS[name]
    with pytest.raises(error) as caught:
        attempt()
    assert words in str(caught.value)


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_an_impossible_event_is_refused(name: str) -> None:
    attempt, error, words = EVENTS[name]
    with pytest.raises(error) as caught:
        attempt()
    assert words in str(caught.value)
