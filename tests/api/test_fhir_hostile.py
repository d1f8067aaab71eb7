"""Whatever a client asks of FHIR and ITI-82, it gets an answer or a plain refusal."""

from collections.abc import Iterator
from urllib.parse import quote, urlencode

import pytest
from fhir.resources.R4B.operationoutcome import OperationOutcome
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from audit.fhir.parameters import parameters
from audit.fhir.syslog_fields import syslog_parameters
from audit.query.access import READ_SCOPES, Scope
from tests.api.fhir_client import EVENTS, fhir_client
from tests.conformance.json_cases import QUERY
from tests.projector.messages import message, syslog
from tests.properties import examples
from tests.web.stack import stack

MODIFIERS = ["", ":missing", ":not", ":text", ":exact", ":contains", ":identifier", ":x", ":"]
CONTROLS = ["_count", "_sort", "_total", "_summary", "_elements", "_format", "_pretty", "_page"]
NAMES = st.one_of(
    st.builds(str.__add__, st.sampled_from(sorted(parameters())), st.sampled_from(MODIFIERS)),
    st.sampled_from(CONTROLS),
    st.text(max_size=6),
)
VALUES = st.one_of(
    st.text(max_size=12),
    st.text("|,\\$ab1:-", max_size=8),
    st.sampled_from(["true", "0", "10", "json", "count", "ge2020-01-01", "ap2024", "-date", "P1"]),
)
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=4)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with stack(tmp_path_factory.mktemp("hostile")) as made:
        made.add([syslog(message()), QUERY, b"no message"])
        yield fhir_client(made, *READ_SCOPES, Scope.EVENTS_WRITE)


def encoded(pairs: list[tuple[str, str]]) -> str:
    return urlencode([("date", "ge2020"), *pairs], errors="surrogatepass")


@examples(20)
@given(PAIRS, st.booleans())
def test_any_search_is_answered_or_refused(
    client: TestClient, pairs: list[tuple[str, str]], strict: bool
) -> None:
    prefer = {"Prefer": "handling=strict"} if strict else {}
    answer = client.get(f"{EVENTS}?{encoded(pairs)}", headers=prefer)
    assert answer.status_code in {200, 400, 406}, answer.text
    if answer.status_code != 200:
        OperationOutcome.model_validate(answer.json())
    form = {"Content-Type": "application/x-www-form-urlencoded"} | prefer
    posted = client.post(f"{EVENTS}/_search", content=encoded(pairs).encode(), headers=form)
    assert posted.status_code in {200, 400, 406}


@examples(25)
@given(
    st.lists(
        st.tuples(st.sampled_from([*syslog_parameters(), "recorded", "_count", "x"]), VALUES),
        max_size=3,
    )
)
def test_any_syslog_search_is_answered_or_refused(
    client: TestClient, pairs: list[tuple[str, str]]
) -> None:
    assert client.get(f"/syslogsearch?{encoded(pairs)}").status_code in {200, 400}


@examples(20)
@given(st.text(min_size=1, max_size=20))
def test_any_id_is_answered_or_unknown(client: TestClient, name: str) -> None:
    path = quote(name, safe="", errors="surrogatepass")
    assert client.get(f"{EVENTS}/{path}").status_code in {404, 405}


@examples(25)
@given(st.binary(max_size=40) | st.text('{}[]",:ab1 ', max_size=30).map(str.encode))
def test_any_body_is_taken_or_refused(client: TestClient, body: bytes) -> None:
    headers = {"Content-Type": "application/fhir+json"}
    for path in (EVENTS, "/fhir"):
        assert client.post(path, content=body, headers=headers).status_code in {201, 400}


def test_a_query_that_is_no_text_is_refused(client: TestClient) -> None:
    for asked in ("date=%ff", "date=ge2020&type=%ed%a0%80", "%00=%00", "date=ge2020&type=%00"):
        assert client.get(f"{EVENTS}?{asked}").status_code in {200, 400}
