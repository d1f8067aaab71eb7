from audit.query.message_sources import messages_of
from audit.query.validation import validate_message
from audit.query.validation_summary import NAMELESS, summarise
from audit.record.serialise import serialise
from tests.conformance.corpus import changed, example
from tests.projector.messages import message

GOOD = example("110103")
BAD = changed(GOOD, ('UserIsRequestor="true"', 'UserIsRequestor="TRUE"'))


def test_a_summary_counts_each_rule_once_a_message() -> None:
    results = [
        validate_message(one)
        for octets in (GOOD, BAD, BAD, b"x")
        for one in messages_of("a", octets)
    ]
    counts = summarise(results).as_dict()
    assert counts["verdict"] == {"invalid": 2, "malformed": 1, "valid": 1}
    assert counts["tier"] == {"none": 3, "dicom": 1}
    assert counts["event"] == {"110103": 3, "unknown": 1}
    assert counts["rule"] == {"user-is-requestor": 2, "not-xml": 1}


def test_each_audit_source_has_its_own_counts_the_commonest_first() -> None:
    octets = [serialise(message(node=node)) for node in ("MR2", "CT1", "CT1")]
    broken = octets[1].replace(b'"true"', b'"TRUE"')
    results = [
        validate_message(one) for sent in (*octets, broken, b"x") for one in messages_of("a", sent)
    ]
    sources = summarise(results).as_dict()["source"]
    assert list(sources) == ["CT1", NAMELESS, "MR2"]
    assert sources["CT1"]["messages"] == 3
    assert sources["CT1"]["verdict"] == {"valid": 2, "invalid": 1}
    assert sources["CT1"]["rule"]["user-is-requestor"] == 1
    assert sources[NAMELESS]["rule"] == {"not-xml": 1}
