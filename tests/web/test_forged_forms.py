"""Cross-site request forgery: no form of the pages is taken unless a page of ours has made it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from starlette.testclient import TestClient

from audit.dashboard.visitors import form_token_of
from audit.query.access import ALL_SCOPES
from audit.state.grants import Grants
from tests.api.mounted import Caller, Mounted, mounted
from tests.web.stack import Stack, application, hospital_day, stack

FORGERIES: dict[str, tuple[dict[str, str], str | None]] = {
    "from another site": ({"Sec-Fetch-Site": "cross-site"}, None),
    "from another part of this site": ({"Sec-Fetch-Site": "same-site"}, None),
    "of another origin": ({"Origin": "https://evil.example"}, None),
    "without a token": ({}, ""),
    "with somebody else's token": ({}, form_token_of("another session's secret")),
}
"""By what is wrong: headers, and the form's token where it isn't the right one."""


@dataclass
class Pages:
    """The pages' forms, and whoever is signed in."""

    place: Stack
    caller: Caller
    forms: list[Mounted]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    with stack(tmp_path_factory.mktemp("forged")) as made:
        made.add(hospital_day(10))
        app = application(made)
        forms = [one for one in mounted(app) if one.is_page and one.method == "POST"]
        with TestClient(app) as client:
            yield Pages(made, Caller(made, client, Grants(scopes=frozenset(ALL_SCOPES))), forms)


@pytest.mark.parametrize("forgery", FORGERIES)
def test_no_forged_form_is_taken(pages: Pages, forgery: str) -> None:
    state, caller = pages.place.state, pages.caller
    assert len(pages.forms) >= 10
    session = caller.session
    taken = [form.name for form in pages.forms if _status(caller, form, forgery) != 403]
    assert taken == []
    assert pages.place.signed_in == []
    assert state.named_searches.of(caller.name) == ()
    assert state.sessions.find(session) is not None


def _status(caller: Caller, form: Mounted, forgery: str) -> int:
    headers, token = FORGERIES[forgery]
    return caller.ask(form, more_headers=headers, form_token=token).status_code


def test_what_is_told_apart_is_the_forgery(pages: Pages) -> None:
    (search,) = [one for one in pages.forms if one.name == "POST /search"]
    honest = {"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}
    assert pages.caller.ask(search, more_headers=honest).status_code == 303
