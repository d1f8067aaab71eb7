"""A report tells only of records that its asker may see, its account of sources included."""

import json

from audit.index.criteria import Term
from audit.query.access import READ_SCOPES, Principal
from audit.query.reports.asked import ReportAsked
from audit.query.reports.service import ReportService
from tests.projector.messages import DAY, NOW, message, syslog
from tests.query.trail import Trail


def test_sources_of_other_rows_are_not_told(trail: Trail) -> None:
    for number, node in enumerate(("viewer-3", "pacs-9")):
        trail.take(syslog(message(node=node), f"host-{node}"), at=NOW + number)
    trail.now = NOW + 10
    trail.follow()
    reports = ReportService(trail.service().trail)
    asked = ReportAsked(kind="senders", start=NOW - DAY, end=NOW + DAY)
    scopes = frozenset(READ_SCOPES)
    for own, other in (("viewer-3", "pacs-9"), ("pacs-9", "viewer-3")):
        asker = Principal("asker", scopes=scopes, rows=Term("node", own))
        told = json.dumps(reports.make(asker, asked).as_dict())
        assert own in told
        assert other not in told
    whole = json.dumps(reports.make(Principal("all", scopes=scopes), asked).as_dict())
    assert "viewer-3" in whole
    assert "pacs-9" in whole
