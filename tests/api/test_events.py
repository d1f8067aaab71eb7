"""Search, one record and its exact octets over HTTP."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.web.stack import Stack

SEARCH = "/api/v1/events/search"


def found(client: TestClient, query: str = "", **more: object) -> dict[str, object]:
    answer = client.post(SEARCH, json={"query": query, **more})
    assert answer.status_code == 200, answer.text
    result: dict[str, object] = answer.json()
    return result


def items(answer: dict[str, object]) -> list[dict[str, object]]:
    listed = answer["items"]
    assert isinstance(listed, list)
    return listed


def test_empty_query_finds_everything(client: TestClient) -> None:
    answer = found(client, limit=1000)
    assert len(items(answer)) == 120
    assert answer["total"] == {"value": 120, "relation": "eq"}
    assert answer["next_cursor"] is None
    assert answer["partial"] is False
    assert answer["warnings"] == []


@pytest.mark.parametrize("field", ["patient", "user", "study"])
def test_every_value_that_an_event_carries_finds_it(client: TestClient, field: str) -> None:
    carriers = [item for item in items(found(client, limit=1000)) if item[field]]
    assert carriers
    for item in carriers[:10]:
        values = item[field]
        assert isinstance(values, list)
        hits = items(found(client, f'{field}:"{values[0]}"', limit=1000))
        assert item["id"] in {hit["id"] for hit in hits}


def test_pages_join_without_gap_or_repetition(client: TestClient) -> None:
    seen: list[object] = []
    cursor: object = None
    while True:
        answer = found(client, limit=50, cursor=cursor)
        seen += [item["id"] for item in items(answer)]
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 120


def test_paging_is_stable_while_records_arrive(own: Stack, own_client: TestClient) -> None:
    own.add(f"<85>1 - host app - - - not xml {i}".encode() for i in range(5))
    first = found(own_client, "not", limit=3)
    own.add([b"<85>1 - host app - - - not xml either"])
    second = found(own_client, "not", limit=3, cursor=first["next_cursor"])
    assert len(items(first) + items(second)) == 5


def test_repeats_are_hidden_unless_asked_for(own: Stack, own_client: TestClient) -> None:
    own.add([b"<85>1 - host app - - - the very same"] * 3)
    hidden = found(own_client, "very same")
    assert (len(items(hidden)), hidden["repeats_hidden"]) == (1, {"value": 2, "relation": "eq"})
    assert len(items(found(own_client, "very same", include_repeats=True))) == 3


def test_answer_says_how_far_the_index_is_behind(own: Stack, own_client: TestClient) -> None:
    own.append(b"<85>1 - host app - - - late")
    assert found(own_client)["index_lag"] == {"journal_seq": 1, "index_seq": 0, "behind": 1}


@pytest.mark.parametrize(
    ("body", "status", "slug", "pointer"),
    [
        ({"query": "patientt:1"}, 400, "query-syntax", "#/query"),
        ({"query": "a" * 5000}, 422, "validation", "#/query"),
        ({"limit": 0}, 422, "validation", "#/limit"),
        ({"limit": 1001}, 422, "validation", "#/limit"),
        ({"limit": "5"}, 422, "validation", "#/limit"),
        ({"limit": True}, 422, "validation", "#/limit"),
        ({"nonsense": 1}, 422, "validation", "#/nonsense"),
        ({"cursor": "forged"}, 400, "invalid-cursor", None),
        ({"cursor": "x" * 300}, 422, "validation", "#/cursor"),
        ([], 422, "validation", "#"),
    ],
)
def test_bad_request_says_where(
    client: TestClient, body: object, status: int, slug: str, pointer: str | None
) -> None:
    answer = client.post(SEARCH, json=body)
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (status, f"urn:arr:problem:{slug}")
    assert (problem.get("errors") or [{}])[0].get("pointer") == pointer


@given(st.text(max_size=60))
def test_no_query_breaks_the_server(client: TestClient, query: str) -> None:
    for written in (query, f"user:{query}", f'patient:"{query}"', f"-({query})"):
        assert client.post(SEARCH, json={"query": written}).status_code in {200, 400}


@pytest.mark.parametrize(
    "query", ["\\ud800", "\\u0000", "\\u001b[31m", "\\ufffe", "user:\\u0007", "\\u2028"]
)
def test_odd_characters_break_nothing(client: TestClient, query: str) -> None:
    content = f'{{"query": "{query}"}}'.encode()
    answer = client.post(SEARCH, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in {200, 400, 422}, answer.text


def test_syntax_error_gives_the_column(client: TestClient) -> None:
    problem = client.post(SEARCH, json={"query": "category:export patientt:1"}).json()
    assert problem["errors"][0]["column"] == 16


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(b"{", "application/json"), (b"\xff", "application/json"), (b"{}", "text/plain")],
)
def test_what_is_no_json_is_refused(client: TestClient, content: bytes, media_type: str) -> None:
    answer = client.post(SEARCH, content=content, headers={"Content-Type": media_type})
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"


def test_one_record_by_id_and_by_bare_sequence(client: TestClient) -> None:
    item = items(found(client, "category:access", limit=1))[0]
    by_id = client.get(f"/api/v1/events/{item['id']}").json()
    by_sequence = client.get(f"/api/v1/events/{item['sequence']}").json()
    assert by_id["body"]["message"]["event"]["id"]["code"] == "110103"
    assert by_id["sentences"][0][0]["text"]
    assert by_id["body"] == by_sequence["body"]
    assert {name: by_id[name] for name in item} == item


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("999999", 404),
        ("9223372036854775807", 404),
        ("9223372036854775808", 404),
        ("9" * 19, 404),
        ("9" * 20, 422),
        ("otherlog-0", 404),
        ("-1", 422),
        ("0x1", 422),
        ("%00", 422),
        ("a" * 100, 422),
    ],
)
def test_unknown_and_impossible_ids(client: TestClient, name: str, status: int) -> None:
    for path in (f"/api/v1/events/{name}", f"/api/v1/events/{name}/message"):
        answer = client.get(path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "raw",
    [
        b"<85>1 - host app - - - \xef\xbb\xbf<AuditMessage/>",
        bytes(range(256)) * 4,
        b"<AuditMessage>\r\n</AuditMessage>\x00",
    ],
    ids=["syslog", "binary", "bare"],
)
def test_message_is_exactly_what_came(own: Stack, own_client: TestClient, raw: bytes) -> None:
    sequence = own.add([raw])[0]
    answer = own_client.get(f"/api/v1/events/{sequence}/message")
    assert answer.content == raw
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    offset = int(answer.headers["arr-message-offset"])
    assert raw[offset:] in {raw, b"\xef\xbb\xbf<AuditMessage/>"}
    assert answer.headers["arr-original-length"] == str(len(raw))
