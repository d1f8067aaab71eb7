"""An Elasticsearch that does as it is told: a script of answers, for faults no real one gives."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from audit.bench.stand_in import JSON_KIND, answering

Answer = tuple[int, Any]
"""Status and body: an object becomes JSON, text becomes HTML."""


@dataclass
class FakeElasticsearch:
    """Answers ``/_bulk`` from ``bulk_script``, then takes everything.

    Attributes:
        url: where it listens.
        bulk_script: what to do with the next bulk requests; gets the actions, gives the answer.
        taken: documents by id.
        letters: dead letters by id.
        bulk_sizes: number of actions in each bulk request.
        answers: fixed answers by method and path.
        kept: documents that were put one by one, by path.
        versions: how often each of them was put, by path.
        asked: method and path of every request.
    """

    url: str = ""
    bulk_script: list[Callable[[list[dict[str, Any]]], Answer]] = field(default_factory=list)
    taken: dict[str, Any] = field(default_factory=dict)
    letters: dict[str, Any] = field(default_factory=dict)
    bulk_sizes: list[int] = field(default_factory=list)
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def answer(self, method: str, target: str, body: bytes) -> Answer:
        path, _, query = target.partition("?")
        self.asked.append((method, path))
        if (method, path) in self.answers:
            return self.answers[method, path]
        if path == "/_bulk":
            return self._bulk(body)
        if path.endswith("/_search"):
            return self._found(path)
        if "/_doc/" in path:
            return self._document(method, path, query, body)
        return 200, {"acknowledged": True, "_shards": {"failed": 0}}

    def _found(self, path: str) -> Answer:
        letters = self.letters if "-dead-letters/" in path else {}
        hits = [{"_id": id_, "_source": told, "sort": [id_]} for id_, told in letters.items()]
        hits.sort(key=lambda hit: hit["_source"]["sequence"])
        found = {"hits": hits, "total": {"value": len(hits)}}
        return 200, {"hits": found, "_shards": {"failed": 0}}

    def _document(self, method: str, path: str, query: str, body: bytes) -> Answer:
        version = {"_seq_no": self.versions.get(path, 0), "_primary_term": 1}
        if method == "PUT":
            asked = parse_qs(query)
            wanted = asked.get("if_seq_no", ["none"])[0]
            if wanted != (str(version["_seq_no"]) if path in self.kept else "none"):
                return 409, {"error": {"type": "version_conflict_engine_exception"}}
            self.kept[path] = json.loads(body)
            self.versions[path] = version["_seq_no"] + 1
            return 200, {"result": "updated", "_seq_no": self.versions[path], "_primary_term": 1}
        if path in self.kept:
            return 200, {"found": True, "_source": self.kept[path], **version}
        return 404, {"found": False}

    def _bulk(self, body: bytes) -> Answer:
        lines = [json.loads(line) for line in body.splitlines()]
        actions = list(_actions(lines))
        self.bulk_sizes.append(len(actions))
        if self.bulk_script:
            return self.bulk_script.pop(0)(actions)
        return self.take_all(actions)

    def take_all(self, actions: list[dict[str, Any]]) -> Answer:
        return 200, {"errors": False, "items": [self.take(action) for action in actions]}

    def take(self, action: dict[str, Any]) -> dict[str, Any]:
        there = self.letters if action["_index"].endswith("-dead-letters") else self.taken
        if "document" not in action:
            gone = there.pop(action["_id"], None)
            said = (404, "not_found") if gone is None else (200, "deleted")
            return {"delete": {"_id": action["_id"], "status": said[0], "result": said[1]}}
        there[action["_id"]] = action["document"]
        return {"index": {"_id": action["_id"], "status": 201, "result": "created"}}


def _actions(lines: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """What is to be done; what is to be deleted has no document."""
    left = iter(lines)
    for line in left:
        yield line["delete"] if "delete" in line else line["index"] | {"document": next(left)}


def refused(
    action: dict[str, Any], status: int, reason: str, kind: str = "document_parsing_exception"
) -> dict[str, Any]:
    """The outcome of one item that was not taken."""
    error = {"type": kind, "reason": reason, "caused_by": {"reason": "deeper"}}
    return {"index": {"_id": action["_id"], "status": status, "error": error}}


@contextmanager
def fake_elasticsearch() -> Iterator[FakeElasticsearch]:
    """A running one."""
    fake = FakeElasticsearch()

    def answer(method: str, target: str, body: bytes) -> tuple[int, str, bytes]:
        status, said = fake.answer(method, target, body)
        if isinstance(said, str):
            return status, "text/html", said.encode()
        return status, JSON_KIND, json.dumps(said).encode()

    with answering(answer) as fake.url:
        yield fake
