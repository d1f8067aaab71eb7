"""RepositoryClient: the web API of a repository, typed and synchronous."""

import json
import ssl
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from hashlib import sha256
from threading import Event
from typing import Any, Literal, Self, Unpack

import httpx2

from audit import __version__
from audit.client.answers import Histogram, Message, Overview, Page, Record
from audit.client.event_stream import StreamEvent, events_in
from audit.client.export_stream import checked_lines
from audit.client.faults import fault_of, unreachable
from audit.client.options import ClientOptions
from audit.client.questions import How, Question, asked_of, form_of
from audit.errors import (
    AuditError,
    ConfigurationError,
    ConnectionFailed,
    Denied,
    IncompleteCheck,
)

PivotKind = Literal["patient", "study", "user", "node", "address"]

_BASE = "/api/v1"
_POLL_S = 0.25
_RETRIED = frozenset({429, 503})
_TOKEN_ENDED = "the token has ended"  # noqa: S105 - a reason, no token


class RepositoryClient:
    """One repository over HTTPS; a context manager. Safe to use from several threads.

    Every method may raise ConnectionFailed (it can't be reached, or it is too busy), Denied (the
    token is no good or lacks a scope), RequestError, JournalUnavailable and IndexUnavailable. A
    request that is answered 429 or 503 is made again when the server says so.

    Args:
        options: where it is and how patient to be.
        wait: waits so many seconds.

    Raises:
        ConfigurationError: the CA's file can't be used.
    """

    def __init__(
        self, options: ClientOptions, *, wait: Callable[[float], object] | None = None
    ) -> None:
        self._options = options
        self._wait = wait or Event().wait
        self._http = httpx2.Client(
            base_url=options.url.rstrip("/"),
            headers={
                "Authorization": f"Bearer {options.token}",
                "User-Agent": f"arr/{__version__}",
            },
            verify=_trust(options),
            timeout=options.timeout_s,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        """Use it."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Close its connections."""
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def search(
        self,
        query: Question = "",
        *,
        limit: int = 100,
        cursor: str | None = None,
        **how: Unpack[How],
    ) -> Page:
        """One page of the records that match; raises QuerySyntaxError."""
        asked = asked_of(query, how)
        return Page.of(self._post("/events/search", asked | {"limit": limit, "cursor": cursor}))

    def pages(
        self,
        query: Question = "",
        *,
        limit: int | None = None,
        **how: Unpack[How],
    ) -> Iterator[Page]:
        """The pages of an answer, as it was when the first was made, up to ``limit`` records."""
        left = limit
        cursor: str | None = None
        while left is None or left > 0:
            page = self.search(
                query,
                limit=self._options.page if left is None else min(self._options.page, left),
                cursor=cursor,
                **how,
            )
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return
            left = None if left is None else left - len(page.records)

    def events(
        self,
        query: Question = "",
        *,
        limit: int | None = None,
        **how: Unpack[How],
    ) -> Iterator[Record]:
        """The records that match, page after page.

        Raises:
            IncompleteCheck: a part of the index did not answer; ``pages`` gives what there is.
        """
        for page in self.pages(query, limit=limit, **how):
            if page.partial:
                raise IncompleteCheck("the answer is partial: " + "; ".join(page.warnings))
            yield from page.records

    def pivot(
        self,
        kind: PivotKind,
        value: str,
        *,
        query: str = "",
        limit: int = 100,
        exact: bool = False,
    ) -> Page:
        """The newest records that name one patient, study, user, node or address."""
        asked = {"value": value, "query": query, "limit": limit, "identities": not exact}
        return Page.of(self._post(f"/pivots/{kind}", asked))

    def neighbours(
        self, record_id: str, *, window_s: int = 300, same: Sequence[str] = (), limit: int = 100
    ) -> Page:
        """The records nearest in time to one, itself among them; raises NotFound."""
        asked = {"window_s": window_s, "same": list(same), "limit": limit}
        return Page.of(self._post(f"/events/{_name(record_id)}/neighbours", asked))

    def overview(
        self,
        query: Question = "",
        *,
        facets: Sequence[str] = (),
        size: int = 10,
        histogram: Histogram | None = None,
        exact: bool = False,
    ) -> Overview:
        """Commonest values and course over time of the records that match."""
        asked = form_of(query, exact=exact) | {"facets": list(facets), "size": size}
        if histogram is not None:
            asked["histogram"] = {
                "from": histogram.start,
                "to": histogram.end,
                "interval_s": histogram.interval_s,
                "split": histogram.split,
            }
        return Overview.of(self._post("/events/overview", asked))

    def event(self, record_id: str) -> Record:
        """One record whole, ``sentences`` and ``body`` in its data; raises NotFound."""
        return Record(self._get(f"/events/{_name(record_id)}").json())

    def message(self, record_id: str) -> Message:
        """The octets of a message as received; raises NotFound."""
        answer = self._get(f"/events/{_name(record_id)}/message")
        return Message(
            received=answer.content,
            msg_offset=int(answer.headers["ARR-Message-Offset"]),
            original_length=int(answer.headers["ARR-Original-Length"]),
        )

    def me(self) -> Mapping[str, Any]:
        """Name, kind and scopes of the token."""
        told: Mapping[str, Any] = self._get("/me").json()
        return told

    def export_lines(self, query: Question = "", **how: Unpack[How]) -> Iterator[bytes]:
        """Every record that matches as a line of JSON, the trailer last; constant memory.

        Raises:
            IncompleteCheck: the export was cut, or its trailer doesn't fit what came. Only when
                the iteration ends without it the export is whole.
        """
        asked = asked_of(query, how)
        with self._streamed("POST", "/events/export", json=asked) as answer:
            yield from checked_lines(answer)

    def export(self, query: Question = "", **how: Unpack[How]) -> Iterator[Record]:
        """The same as records, without the trailer; raises IncompleteCheck likewise."""
        held: bytes | None = None
        for line in self.export_lines(query, **how):
            if held is not None:
                yield Record(json.loads(held))
            held = line

    def export_file(
        self,
        form: str,
        query: Question = "",
        *,
        reason: str = "",
        **how: Unpack[How],
    ) -> Generator[bytes, None, None]:
        """The octets of an export that is made over there and then fetched; constant memory.

        A fetch that breaks goes on where it broke. The export over there is deleted at the end.

        Args:
            form: ``ndjson``, ``csv``, ``original`` or ``evidence``.
            query: which records.
            reason: why; an evidence bundle needs one.
            how: see ``How``.

        Raises:
            IncompleteCheck: it failed, or what came is not what was made. Only when the iteration
                ends without it the export is whole.
        """
        asked = asked_of(query, how)
        job = self._post("/exports", asked | {"format": form, "reason": reason})
        address = f"/exports/{job['id']}"
        try:
            while job["state"] not in {"done", "failed"}:
                self._wait(_POLL_S)
                job = self._get(address).json()
            if job["state"] == "failed":
                raise IncompleteCheck(f"the export failed: {job['error']}")
            yield from self._fetched(f"{address}/content", job)
        finally:
            with suppress(AuditError), self._streamed("DELETE", address):
                pass

    def _fetched(self, address: str, job: Mapping[str, Any]) -> Iterator[bytes]:
        digest, place, breaks = sha256(), 0, 0
        while place < job["octets"]:
            try:
                headers = {"Range": f"bytes={place}-"}
                with self._streamed("GET", address, headers=headers) as answer:
                    for chunk in answer.iter_bytes():
                        digest.update(chunk)
                        place += len(chunk)
                        yield chunk
            except ConnectionFailed as error:
                breaks += 1
                if breaks > self._options.max_retries:
                    raise IncompleteCheck(f"cut after {place} octets: {error}") from error
                self._wait(_POLL_S)
        if digest.hexdigest() != job["sha256"]:
            raise IncompleteCheck("what came is not what was exported")

    def report(self, kind: str, asked: Mapping[str, Any]) -> bytes:
        """A report in the format that is asked for (docs/reports.md has the members)."""
        with self._streamed("POST", f"/reports/{kind}", json=asked) as answer:
            return answer.read()

    def sign_off(self, signed: Mapping[str, Any]) -> str:
        """Sign a review of system activity off; the id of the sign-off's record."""
        return str(self._post("/reports/activity/sign-offs", signed)["record"])

    def tail(
        self, query: Question = "", *, after: int | None = None, exact: bool = False
    ) -> Generator[Record, None, None]:
        """Records as they become searchable; goes on over breaks without losing any. Close it.

        Args:
            query: which of them.
            after: a journal sequence: begin behind it, -1 for the very first record; by default
                with what comes next.
            exact: by the names in the question alone.

        Raises:
            Denied: the token ended.
            ConnectionFailed: the repository stays away.
        """
        address = "/events/tail"
        kept = self._post(address, form_of(query, exact=exact))["id"]
        place = None if after is None else str(after)
        failures, broken = 0, ""
        while failures <= self._options.max_retries:
            headers = {} if place is None else {"Last-Event-ID": place}
            try:
                with self._streamed(
                    "GET", address, params={"filter": kept}, headers=headers
                ) as answer:
                    for event in events_in(answer.iter_lines()):
                        failures = 0
                        place = event.id or place
                        yield from _told(event)
            except ConnectionFailed as error:
                broken = str(error)
            else:
                broken = "the feed ended"
            failures += 1
            self._wait(min(2.0**failures, self._options.longest_wait_s))
        raise ConnectionFailed(f"{self._options.url}: the live tail broke: {broken}")

    def _get(self, path: str) -> httpx2.Response:
        with self._streamed("GET", path) as answer:
            answer.read()
        return answer

    def _post(self, path: str, asked: Mapping[str, Any]) -> Any:
        with self._streamed("POST", path, json=asked) as answer:
            answer.read()
        return answer.json()

    @contextmanager
    def _streamed(self, method: str, path: str, **more: Any) -> Iterator[httpx2.Response]:
        """An answer of status 200, not read yet."""
        try:
            with ExitStack() as opened:
                yield self._answered(method, path, opened, more)
        except httpx2.TransportError as error:
            raise unreachable(self._options.url, error) from error

    def _answered(
        self, method: str, path: str, opened: ExitStack, more: dict[str, Any]
    ) -> httpx2.Response:
        tries = 0
        while True:
            answer = opened.enter_context(self._http.stream(method, _BASE + path, **more))
            if answer.is_success:
                return answer
            answer.read()
            tries += 1
            if answer.status_code not in _RETRIED or tries > self._options.max_retries:
                raise fault_of(answer)
            opened.close()
            self._wait(min(_retry_after(answer), self._options.longest_wait_s))


def _trust(options: ClientOptions) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(
            cafile=str(options.ca_file) if options.ca_file else None
        )
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"{options.ca_file} can't be used as a CA: {error}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _name(record_id: str) -> str:
    """The id as a path segment; one that can't be an id names nothing there."""
    return record_id if record_id.replace("-", "").isalnum() else "-"


def _retry_after(answer: httpx2.Response) -> float:
    said = answer.headers.get("retry-after", "")
    return float(said) if said.isascii() and said.isdigit() else 1.0


def _told(event: StreamEvent) -> Iterator[Record]:
    data = json.loads(event.data)
    if event.kind == "record":
        yield Record(data)
    elif event.kind == "end" and data.get("reason") == _TOKEN_ENDED:
        raise Denied("the API token has ended: it expired or was revoked")
