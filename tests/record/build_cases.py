"""Hypothesis strategies: arguments of every event builder, odd characters included."""

from datetime import datetime, timedelta, timezone

from hypothesis import strategies as st

from audit.record import build
from audit.record.audit_message import AuditMessage, CodedValue

TEXT = st.text(min_size=1, max_size=24).filter(lambda text: bool(text.strip()))
"""Anything, control characters and lone surrogates too."""
LOOSE = st.text(max_size=24)
MAYBE = st.none() | LOOSE
UIDS = st.lists(st.integers(0, 10**12), min_size=1, max_size=4).map(
    lambda parts: ".".join(("2", *map(str, parts)))
)
AE_TITLES = st.from_regex(r"[A-Z0-9_]{1,16}", fullmatch=True)
ADDRESSES = st.one_of(
    st.ip_addresses().map(str),
    st.from_regex(r"[a-z]{1,9}(-[0-9]{1,3})?\.example", fullmatch=True),
    st.just("mailto@praxis.example"),
    st.just("https://share.example/inbox"),
)
ROLES = st.lists(st.just(CodedValue("121094", "DCM", "Performing")), max_size=1).map(tuple)
WHEN = st.datetimes(
    datetime(1990, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(2090, 1, 1),  # noqa: DTZ001
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m))),
)
OUTCOMES = st.sampled_from(build.Outcome)
OCCURRENCES = st.builds(
    build.Occurrence,
    when=WHEN,
    source=st.builds(
        build.audit_source,
        TEXT,
        MAYBE,
        st.lists(st.sampled_from(build.SourceType), max_size=2, unique=True),
    ),
    outcome=OUTCOMES,
    outcome_description=MAYBE,
)


def _people(requestor: st.SearchStrategy[bool | None]) -> st.SearchStrategy[build.Person]:
    return st.builds(
        build.Person,
        user_id=TEXT,
        name=MAYBE,
        alternative_user_id=MAYBE,
        address=ADDRESSES,
        roles=ROLES,
        requestor=requestor,
    )


PEOPLE = _people(st.sampled_from([None, False]))
PROCESSES = st.builds(
    build.Process,
    process_id=TEXT,
    name=MAYBE,
    ae_titles=st.lists(AE_TITLES, min_size=1, max_size=3).map(tuple),
    address=st.none() | ADDRESSES,
)
NODES = st.builds(build.Node, node_id=TEXT, name=MAYBE, address=st.none() | ADDRESSES)
AGENTS: st.SearchStrategy[build.Agent] = PEOPLE | PROCESSES | NODES
ONE_OR_TWO = st.lists(AGENTS, min_size=1, max_size=2)
CLAIMANTS = st.tuples(_people(st.none()), PROCESSES).map(list)
"""A person about whom nothing is said, and a process: exactly one can be the requestor."""
PATIENTS = st.builds(
    build.Patient,
    id=TEXT,
    name=LOOSE,
    assigner=st.sampled_from(["", "1.2.276.0.76", "ST^ANNA"]),
    sensitivity=MAYBE,
    life_cycle=st.none() | st.sampled_from(build.LifeCycle),
)
SOP_INSTANCES = st.builds(
    build.SOPInstances, UIDS, st.integers(0, 5000), st.lists(UIDS, max_size=2).map(tuple)
)
FULL_STUDIES = st.builds(
    build.Study,
    uid=UIDS,
    description=LOOSE,
    accessions=st.lists(TEXT, max_size=2).map(tuple),
    sop_classes=st.lists(SOP_INSTANCES, min_size=1, max_size=3).map(tuple),
    mpps=st.lists(UIDS, max_size=2).map(tuple),
    encrypted=st.none() | st.booleans(),
    anonymized=st.none() | st.booleans(),
)
ANY_STUDY = st.builds(build.Study, uid=UIDS, description=LOOSE) | FULL_STUDIES
STUDIES = st.lists(ANY_STUDY, max_size=2)
SOME_STUDIES = st.lists(ANY_STUDY, min_size=1, max_size=2)
EXCHANGES = st.builds(
    build.Exchange,
    source=PROCESSES,
    destination=PROCESSES,
    others=st.lists(PEOPLE, max_size=2).map(tuple),
)
MEDIA = st.builds(
    build.Media,
    media_id=TEXT,
    type=st.sampled_from(build.MediaType),
    label=MAYBE,
    address=ADDRESSES,
)
QUERIES = st.one_of(
    st.builds(
        build.DicomQuery,
        sop_class_uid=UIDS,
        identifier=st.binary(min_size=1, max_size=40),
        transfer_syntax_uid=st.just("1.2.840.10008.1.2.1"),
    ),
    st.builds(build.UrlQuery, url=st.just("https://pacs.example/studies?PatientID=%2A&limit=9")),
)
SUBJECTS = st.lists(
    st.builds(
        build.AlertSubject,
        id=TEXT,
        description=TEXT,
        id_type=st.sampled_from([build.IdType.URI, build.IdType.NODE_ID]),
        name=LOOSE,
        role=st.sampled_from(build.SubjectRole),
    ),
    max_size=2,
)
_RECORD_ACTIONS = st.sampled_from(
    [build.Action.CREATE, build.Action.READ, build.Action.UPDATE, build.Action.DELETE]
)
_TRANSFER_ACTIONS = st.sampled_from([build.Action.CREATE, build.Action.READ, build.Action.UPDATE])
_LOG_DETAILS = st.lists(st.tuples(st.just("query"), LOOSE | st.binary(max_size=9)), max_size=2)

EVENTS: dict[str, st.SearchStrategy[AuditMessage]] = {
    "110100": st.builds(
        build.application_activity,
        OCCURRENCES,
        st.sampled_from(build.ApplicationActivity),
        PROCESSES,
        st.lists(AGENTS, max_size=2),
    ),
    "110101": st.builds(
        build.audit_log_used,
        OCCURRENCES,
        ONE_OR_TWO,
        st.just("https://arr.example/"),
        _LOG_DETAILS,
    ),
    "110102": st.builds(build.begin_transferring, OCCURRENCES, EXCHANGES, PATIENTS, SOME_STUDIES),
    "110103": st.builds(
        build.instances_accessed,
        OCCURRENCES,
        _RECORD_ACTIONS,
        ONE_OR_TWO,
        PATIENTS,
        SOME_STUDIES,
    ),
    "110104": st.builds(
        build.instances_transferred,
        OCCURRENCES,
        _TRANSFER_ACTIONS,
        EXCHANGES,
        PATIENTS,
        SOME_STUDIES,
    ),
    "110105": st.builds(build.study_deleted, OCCURRENCES, ONE_OR_TWO, PATIENTS, SOME_STUDIES),
    "110106": st.builds(
        build.data_export,
        OCCURRENCES,
        CLAIMANTS,
        MEDIA,
        st.lists(PATIENTS, min_size=1, max_size=2),
        STUDIES,
        st.lists(PROCESSES, max_size=2),
    ),
    "110107": st.builds(
        build.data_import,
        OCCURRENCES,
        CLAIMANTS,
        MEDIA,
        st.lists(PATIENTS, min_size=1, max_size=2),
        STUDIES,
        st.lists(PROCESSES, max_size=2),
    ),
    "110108": st.builds(
        build.network_entry, OCCURRENCES, st.sampled_from(build.NetworkEntry), NODES
    ),
    "110109": st.builds(build.order_record, OCCURRENCES, _RECORD_ACTIONS, ONE_OR_TWO, PATIENTS),
    "110110": st.builds(build.patient_record, OCCURRENCES, _RECORD_ACTIONS, ONE_OR_TWO, PATIENTS),
    "110111": st.builds(
        build.procedure_record, OCCURRENCES, _RECORD_ACTIONS, ONE_OR_TWO, PATIENTS, STUDIES
    ),
    "110112": st.builds(build.query, OCCURRENCES, EXCHANGES, QUERIES),
    "110113": st.builds(
        build.security_alert,
        OCCURRENCES,
        st.sampled_from(build.Alert),
        ONE_OR_TWO,
        SUBJECTS,
        st.lists(AGENTS, max_size=2),
    ),
    "110114": st.builds(
        build.user_authentication,
        OCCURRENCES,
        st.sampled_from(build.Authentication),
        PEOPLE,
        st.none() | NODES | PROCESSES,
    ),
}
"""EventID → messages of that event."""
