"""Questions as trees, the order of answers, overviews and pivots over HTTP."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.web.stack import Stack

EVENTS = "/api/v1/events"
FROM = "#/histogram/from"
SPLIT = "#/histogram/split"


def asked(client: TestClient, path: str, **body: object) -> dict[str, Any]:
    answer = client.post(f"/api/v1{path}", json=body)
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


def ids(answer: dict[str, Any]) -> list[str]:
    return [item["id"] for item in answer["items"]]


def is_(field: str, value: str) -> dict[str, object]:
    return {"op": "is", "field": field, "value": value}


class TestTree:
    def test_it_answers_as_the_line_does(self, client: TestClient) -> None:
        tree = {"op": "any", "of": [is_("category", "access"), is_("outcome", "failure")]}
        by_tree = asked(client, "/events/search", where=tree, limit=1000)
        by_text = asked(
            client, "/events/search", query="category:access OR outcome:failure", limit=1000
        )
        assert ids(by_tree) == ids(by_text) != []

    def test_pages_go_on_and_the_trail_names_the_question(
        self, own: Stack, own_client: TestClient
    ) -> None:
        own.add(f"<85>1 - host app - - - word {n}".encode() for n in range(3))
        tree = {"op": "words", "text": "word"}
        first = asked(own_client, "/events/search", where=tree, limit=2)
        second = asked(
            own_client, "/events/search", query="word", limit=2, cursor=first["next_cursor"]
        )
        assert len(set(ids(first) + ids(second))) == 3
        assert b'value="d29yZA=="' in own.own_records()[0]

    @pytest.mark.parametrize(
        ("where", "status", "pointer"),
        [
            (is_("patientt", "1"), 400, "#/where"),
            ({"op": "all", "of": [is_("ae", "A"), is_("outcome", "x")]}, 400, "#/where/of/1"),
            ({"op": "all", "of": [{"op": "is", "field": "ae"}]}, 422, "#/where/of/0/value"),
            ({"op": "all", "of": []}, 422, "#/where/of"),
            ({"op": "what"}, 422, "#/where"),
            ({"op": "not", "of": {**is_("ae", "A"), "x": 1}}, 422, "#/where/of/x"),
            ([], 422, "#/where"),
        ],
    )
    def test_faults_are_pointed_at(
        self, client: TestClient, where: object, status: int, pointer: str
    ) -> None:
        answer = client.post(f"{EVENTS}/search", json={"where": where})
        assert answer.status_code == status, answer.text
        assert answer.json()["errors"][0]["pointer"] == pointer

    def test_text_and_tree_together_are_refused(self, client: TestClient) -> None:
        body = {"query": "a", "where": is_("ae", "A")}
        assert client.post(f"{EVENTS}/search", json=body).status_code == 422

    @pytest.mark.parametrize("depth", [21, 200, 5_000])
    def test_deep_trees_are_refused(self, client: TestClient, depth: int) -> None:
        content = '{"op":"not","of":' * depth + '{"op":"has","field":"ae"}' + "}" * depth
        answer = client.post(
            f"{EVENTS}/search",
            content=f'{{"where":{content}}}',
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code in {400, 422}
        assert answer.headers["content-type"] == "application/problem+json"


class TestOrder:
    def test_oldest_first_is_the_other_way_round(self, client: TestClient) -> None:
        newest = asked(client, "/events/search", limit=1000)
        oldest = asked(client, "/events/search", limit=1000, sort="oldest")
        assert ids(oldest) == ids(newest)[::-1]

    def test_pages_join_and_a_cursor_is_of_its_order(self, client: TestClient) -> None:
        seen: list[str] = []
        cursor = None
        while True:
            page = asked(client, "/events/search", limit=50, sort="oldest", cursor=cursor)
            seen += ids(page)
            cursor = page["next_cursor"] or cursor
            if page["next_cursor"] is None:
                break
        assert len(seen) == len(set(seen)) == 120
        answer = client.post(f"{EVENTS}/search", json={"limit": 50, "cursor": cursor})
        assert answer.json()["type"] == "urn:arr:problem:invalid-cursor"


class TestOverview:
    def test_facets_count_what_a_search_finds(self, client: TestClient) -> None:
        answer = asked(client, "/events/overview", facets=["category", "user"], size=3)
        assert answer["histogram"] is None
        assert len(answer["facets"]["user"]) == 3
        for one in answer["facets"]["category"]:
            found = asked(client, "/events/search", query=f"category:{one['value']}")
            assert found["total"]["value"] == one["count"]

    def test_bars_add_up(self, client: TestClient) -> None:
        histogram = {"from": "-24h", "interval_s": 3600, "split": "category"}
        answer = asked(client, "/events/overview", histogram=histogram)
        bars = answer["histogram"]["bars"]
        assert len(bars) == 24
        assert sum(bar["total"] for bar in bars) == answer["total"]["value"] == 120
        assert all(sum(bar["counts"].values()) == bar["total"] for bar in bars)
        assert set(answer["index_lag"]) == {"journal_seq", "index_seq", "behind"}
        assert (answer["partial"], answer["warnings"]) == (False, [])

    @pytest.mark.parametrize(
        ("body", "status", "pointer"),
        [
            ({"facets": ["nothing"]}, 422, "#/facets/0"),
            ({"facets": ["category"] * 21}, 422, "#/facets"),
            ({"size": 1001}, 422, "#/size"),
            ({"histogram": {"interval_s": 1}}, 422, "#/histogram/from"),
            ({"histogram": {"from": "soon", "interval_s": 1}}, 400, "#/histogram/from"),
            ({"histogram": {"from": "2026-01-01T00:00", "interval_s": 1}}, 400, FROM),
            ({"histogram": {"from": "-1h", "interval_s": 1}}, 400, None),
            ({"histogram": {"from": "now", "to": "-1h", "interval_s": 60}}, 400, None),
            ({"histogram": {"from": "-1h", "interval_s": 60, "split": "user"}}, 422, SPLIT),
        ],
    )  # fmt: skip
    def test_what_can_not_be_counted(
        self, client: TestClient, body: object, status: int, pointer: str | None
    ) -> None:
        answer = client.post(f"{EVENTS}/overview", json=body)
        assert answer.status_code == status, answer.text
        assert (answer.json().get("errors") or [{}])[0].get("pointer") == pointer


class TestPivots:
    @pytest.mark.parametrize("kind", ["patient", "study", "user", "node", "address"])
    def test_everything_about_one(self, client: TestClient, kind: str) -> None:
        everything = asked(client, "/events/search", limit=1000)["items"]
        named = [
            item[kind] if isinstance(item[kind], list) else [item[kind]] for item in everything
        ]
        value = next(values[0] for values in named if values and values[0])
        pivot = asked(client, f"/pivots/{kind}", value=value, limit=1000)
        wanted = [
            item["id"]
            for item, values in zip(everything, named, strict=True)
            if value.lower() in [str(one).lower() for one in values]
        ]
        assert ids(pivot) == wanted
        narrowed = asked(client, f"/pivots/{kind}", value=value, query="category:access OR xyz")
        assert {item["category"] for item in narrowed["items"]} <= {"access"}

    def test_networks_and_assigners(self, client: TestClient) -> None:
        everywhere = asked(client, "/pivots/address", value="0.0.0.0/0")
        by_query = asked(client, "/events/search", query="address:0.0.0.0/0")
        assert everywhere["total"] == by_query["total"]
        nobody = asked(client, "/pivots/patient", value="P1", assigner="nobody")
        assert nobody["items"] == []

    @pytest.mark.parametrize(
        ("path", "body", "status", "error"),
        [
            ("thing", {"value": "1"}, 422, {"pointer": "/path/kind"}),
            ("user", {}, 422, {"pointer": "#/value"}),
            ("user", {"value": "  "}, 400, {"pointer": "#/value"}),
            ("user", {"value": "x", "assigner": "y"}, 400, {}),
            ("user", {"value": "x", "query": "a u:1"}, 400, {"pointer": "#/query", "column": 2}),
        ],
    )  # fmt: skip
    def test_faults(
        self, client: TestClient, path: str, body: object, status: int, error: dict[str, object]
    ) -> None:
        answer = client.post(f"/api/v1/pivots/{path}", json=body)
        assert answer.status_code == status, answer.text
        told = (answer.json().get("errors") or [{}])[0]
        assert {name: told.get(name) for name in error} == error

    def test_neighbours_in_time(self, client: TestClient) -> None:
        middle = asked(client, "/events/search", limit=60)["items"][-1]
        near = asked(client, f"/events/{middle['id']}/neighbours", limit=5, window_s=86_400)
        assert len(near["items"]) == 5
        assert middle["id"] in ids(near)
        assert near["next_cursor"] is None
        same = asked(client, f"/events/{middle['id']}/neighbours", same=["node"], window_s=86_400)
        assert all(item["node"] == middle["node"] for item in same["items"])
        assert client.post(f"{EVENTS}/99999/neighbours", json={}).status_code == 404
