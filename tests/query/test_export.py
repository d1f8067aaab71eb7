from hashlib import sha256

import orjson
import pytest

from audit.errors import Denied, IndexUnavailable, JournalUnavailable, QuerySyntaxError
from audit.query.access import Principal, Scope
from audit.query.export import TRAILER
from audit.query.presentation import item
from tests.projector.messages import NOW, SECOND
from tests.query.trail import MARA, NOBODY, Trail


def fill(trail: Trail, count: int) -> None:
    for n in range(count):
        trail.take(f"<85>1 - host app - - - number {n}".encode(), at=NOW + n * SECOND)
    trail.follow()


def test_every_record_once_and_a_trailer_that_fits(trail: Trail) -> None:
    fill(trail, 7)
    export = trail.service(export_page=3).export(MARA, "number", oldest_first=True)
    chunks = list(export.chunks())
    export.close()
    assert len(chunks) == 4
    lines = b"".join(chunks).splitlines(keepends=True)
    rows = [orjson.loads(line) for line in lines]
    assert [row["sequence"] for row in rows[:-1]] == list(range(7))
    assert rows[0] == item(trail.index.records[rows[0]["id"]])
    digest = sha256(b"".join(lines[:-1])).hexdigest()
    assert rows[-1] == {TRAILER: {"count": 7, "sha256": digest, "complete": True}}
    begun, ended = trail.details()
    assert begun == {"query": "number", "export": "begun"}
    assert (ended["export"], ended["records exported"], ended["sha256"]) == ("ended", "7", digest)


def test_nothing_found_is_an_export_too(trail: Trail) -> None:
    (only,) = trail.service().export(MARA, "nothing").chunks()
    assert orjson.loads(only)[TRAILER]["count"] == 0


def test_what_arrives_meanwhile_is_left_out_and_repeats_are_hidden(trail: Trail) -> None:
    fill(trail, 2)
    trail.take(b"<85>1 - host app - - - number 1", at=NOW + 9 * SECOND)
    trail.follow()
    hidden = trail.service(export_page=1).export(MARA, "number")
    shown = trail.service().export(MARA, "number", include_repeats=True)
    chunks = hidden.chunks()
    next(chunks)
    trail.take(b"<85>1 - host app - - - number late", at=NOW)
    trail.follow()
    assert orjson.loads(list(chunks)[-1])[TRAILER]["count"] == 2
    assert orjson.loads(list(shown.chunks())[-1])[TRAILER]["count"] == 3


def test_the_begin_is_journaled_first(trail: Trail) -> None:
    trail.journal_is_down = True
    with pytest.raises(JournalUnavailable):
        trail.service().export(MARA, "")


def test_no_trailer_unless_the_end_is_journaled(trail: Trail) -> None:
    fill(trail, 1)
    chunks = trail.service().export(MARA, "").chunks()
    assert TRAILER.encode() not in next(chunks)
    trail.journal_is_down = True
    with pytest.raises(JournalUnavailable):
        next(chunks)


def test_a_cut_export_is_journaled_as_cut(trail: Trail) -> None:
    fill(trail, 4)
    export = trail.service(export_page=2).export(MARA, "")
    next(export.chunks())
    export.close()
    export.close()
    assert [one["export"] for one in trail.details()] == ["begun", "cut short"]
    assert trail.details()[1]["records exported"] == "2"


def test_no_trailer_when_the_index_fails(trail: Trail) -> None:
    fill(trail, 4)
    export = trail.service(export_page=2).export(MARA, "")
    chunks = export.chunks()
    next(chunks)
    trail.index.fault = IndexUnavailable("gone")
    with pytest.raises(IndexUnavailable):
        next(chunks)
    export.close()
    assert trail.details()[1]["export"] == "cut short"


def test_it_has_its_own_scope(trail: Trail) -> None:
    reader = Principal("reader", scopes=frozenset({Scope.EVENTS_READ}))
    for principal in (NOBODY, reader):
        with pytest.raises(Denied):
            trail.service().export(principal, "")
    with pytest.raises(QuerySyntaxError):
        trail.service().export(MARA, "patientt:1")
    assert len(trail.appended) == 2
