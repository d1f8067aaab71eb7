"""Every operation of the OpenAPI document under made-up requests: it keeps to what it says."""

import os
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.schemas import OpenApiSchema

from audit.query.access import ALL_SCOPES
from audit.web.options import WebOptions
from tests.api.test_openapi import COMMITTED
from tests.web.stack import Stack, application, hospital_day, stack

CONFIG = {
    "checks": {
        # The query language says more than a schema can: what it can't read is answered by 400.
        # 406 is how a form of answer that isn't made is refused (RFC 9110 12.1).
        "positive_data_acceptance": {
            "expected-statuses": ["2xx", "400", "403", "404", "406", "429"],
        }
    }
}
EXAMPLES = 200 if os.environ.get("ARR_LONG") else 6


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with stack(tmp_path_factory.mktemp("fuzzed")) as made:
        made.add(hospital_day(40))
        yield made


@pytest.fixture(scope="module")
def document(place: Stack) -> OpenApiSchema:
    web = WebOptions(
        https=False,
        allowed_hosts=("testserver", "localhost"),
        requests_per_s=100_000.0,
        request_burst=100_000,
        tail_longest_s=0.0,
        max_exports=1_000,
        max_exports_per_principal=1_000,
    )
    return schemathesis.openapi.from_asgi(
        "/openapi.json", application(place, web), config=SchemathesisConfig.from_dict(CONFIG)
    )


@pytest.fixture(scope="module")
def token(place: Stack) -> str:
    return place.token(*ALL_SCOPES)


OPERATIONS = [
    (path, method.upper())
    for path, methods in orjson.loads(COMMITTED.read_bytes())["paths"].items()
    for method in methods
]


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_each_operation_keeps_to_its_document(
    document: OpenApiSchema, token: str, path: str, method: str
) -> None:
    @given(case=document[path][method].as_strategy())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate),
    )
    def ask(case: Case[Any]) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {token}"})

    ask()
