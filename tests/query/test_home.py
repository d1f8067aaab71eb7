from audit.index.criteria import matches
from audit.index.document import IndexedRecord
from audit.query.home import HomeOptions, failed_acts, span_before, with_findings
from tests.projector.messages import NOW, SECOND


def record(**fields: str) -> IndexedRecord:
    return IndexedRecord(
        id="a-1",
        sequence=1,
        time=0,
        received=0,
        fields={name: (value,) for name, value in fields.items()},
    )


def test_the_window_ends_with_the_bar_that_holds_now() -> None:
    span = span_before(NOW, HomeOptions(window_s=3600, buckets=6))
    assert span.interval == 600 * SECOND
    assert span.end - span.start == 3600 * SECOND
    assert span.end - span.interval <= NOW < span.end
    assert span.start % span.interval == 0


def test_a_security_alert_is_no_failed_act() -> None:
    assert matches(failed_acts(), record(outcome="minor-failure", category="export"))
    assert not matches(failed_acts(), record(outcome="minor-failure", category="security"))
    assert not matches(failed_acts(), record(outcome="success", category="export"))


def test_senders_with_something_to_mend() -> None:
    assert matches(with_findings(), record(severity="error"))
    assert matches(with_findings(), record(severity="warning"))
    assert not matches(with_findings(), record(severity="info"))
