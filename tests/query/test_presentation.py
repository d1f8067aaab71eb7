import json

from audit.projector.project import project
from audit.query.presentation import detail, item
from audit.standards.fields import FIELDS
from tests.projector.messages import NOW_TEXT, ORIGIN, entry, message, syslog


def test_an_item_holds_every_field_by_its_name() -> None:
    shown = item(project(entry(message()), ORIGIN))
    named = {field.name for field in FIELDS} - {"text"}
    assert set(shown) == named | {"id", "summary"}
    assert (shown["id"], shown["sequence"]) == ("k3f9x2ab-7", 7)
    assert (shown["time"], shown["received"]) == (NOW_TEXT, NOW_TEXT)
    assert shown["patient"] == ["P48003"]
    assert shown["category"] == "access"
    assert shown["kind"] is None
    assert shown["finding"] == []
    assert shown["repeat_of"] is None


def test_a_detail_adds_sentences_and_body() -> None:
    shown = detail(project(entry(syslog(b"hello")), ORIGIN))
    assert json.loads(json.dumps(shown)) == shown
    assert shown["sentences"][0][1] == {
        "text": "192.0.2.9",
        "field": "address",
        "value": "192.0.2.9",
    }
    assert shown["body"]["message"] is None
