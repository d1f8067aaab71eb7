"""Form bodies within limits."""

import pytest

from audit.dashboard.forms import parsed_form
from audit.web.errors import BadRequest
from tests.dashboard.conftest import Visit


def test_fields_are_decoded() -> None:
    form = parsed_form(b"name=M%C3%BCller+x&empty=&bad=%FF", 10)
    assert form == {"name": "Müller x", "empty": "", "bad": "\ufffd"}


@pytest.mark.parametrize("body", [b"a=1&a=2", b"&".join([b"a=1"] * 20)])
def test_doubled_and_too_many_fields_are_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        parsed_form(body, 10)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"{}", "application/json"),
        (b"name=x", "text/plain"),
        (b"name=" + b"x" * 70_000, "application/x-www-form-urlencoded"),
    ],
)
def test_other_bodies_are_refused(visit: Visit, content: bytes, media_type: str) -> None:
    answer = visit.client.post("/search", content=content, headers={"Content-Type": media_type})
    assert answer.status_code == 400
