import json
from dataclasses import replace

import pytest

from audit.errors import Denied
from audit.frame.octet_counting import OctetCountingDecoder
from audit.journal.entry import Entry
from audit.query.access import Scope
from audit.query.exports.original import OriginalExport
from audit.query.exports.record_export import ExportOrder
from tests.projector.messages import NOW, SECOND
from tests.query.trail import MARA, Trail

MESSAGES = [b"<85>1 - host app - - - number %d\n \xff\0" % n for n in range(5)]


def test_the_messages_as_received_octet_counted(trail: Trail) -> None:
    for n, raw in enumerate(MESSAGES):
        trail.take(raw, at=NOW + n * SECOND)
    trail.follow()
    audited = trail.service(export_page=2).trail
    export = OriginalExport(audited, MARA, "number", ExportOrder(oldest_first=True))
    octets = b"".join(export.chunks())
    export.close()
    *frames, trailer = frames_of(octets)
    assert frames == MESSAGES
    head, _, told = trailer.partition(b"{")
    assert head == b"<109>1 - - arr - _trailer - "
    assert json.loads(b"{" + told)["count"] == 5


def test_what_was_lawfully_removed_is_counted(
    trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    for raw in MESSAGES:
        trail.take(raw)
    trail.follow()
    read = trail.reader.read

    def removed(sequence: int) -> Entry:
        entry = read(sequence)
        return replace(entry, removed_leaf=entry.leaf_hash) if sequence == 2 else entry

    monkeypatch.setattr(trail.reader, "read", removed)
    octets = b"".join(OriginalExport(trail.service().trail, MARA, "number").chunks())
    *frames, trailer = frames_of(octets)
    assert len(frames) == 4
    assert b'"count":4,"removed":1' in trailer


def frames_of(octets: bytes) -> list[bytes]:
    return [frame.octets for frame in OctetCountingDecoder().feed(octets)]


def test_it_needs_the_right_to_see_octets(trail: Trail) -> None:
    without = replace(MARA, scopes=MARA.scopes - {Scope.EVENTS_RAW})
    with pytest.raises(Denied):
        OriginalExport(trail.service().trail, without, "")
