"""Who may come in, as the settings say it."""

import ssl
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import pytest

from audit.dashboard.options import PageOptions
from audit.dashboard.sign_in import SignIn
from audit.errors import ConfigurationError
from audit.projector.project import project
from audit.query.self_audit import RepositoryIdentity
from audit.service.access import Access, ask_for_certificates, oidc_options, sign_in_recorder
from audit.service.operator import REASON_VARIABLE, operator_principal
from audit.service.own_records import OwnRecords
from audit.settings import Settings
from audit.settings.access import AccessSettings
from audit.state.grants import Grants
from audit.transport.pki import CertificateAuthority
from audit.web.options import WebOptions
from tests.projector.messages import entry
from tests.web.oidc.identity_provider import AUDIENCE, IdentityProvider, identity_provider
from tests.web.servers import serving
from tests.web.stack import PASSWORD, Stack, application, stack

ISSUER = "https://idp.example/realm"
PAGES = {
    "oidc_issuer": ISSUER,
    "oidc_client_id": "arr",
    "oidc_redirect_url": "https://arr.example/sign-in/oidc/done",
}


def settings_of(**access: Any) -> Settings:
    return Settings(access=AccessSettings(**access))


def test_without_an_issuer_there_is_no_provider() -> None:
    access = Access.of(settings_of())
    assert access.web(WebOptions()) == WebOptions()
    assert access.pages(PageOptions()).access.flow is None
    access.close()


def test_a_provider_for_the_pages_and_one_for_the_api(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hush\n")
    pages = Access.of(
        settings_of(**PAGES, oidc_client_secret_file=secret, step_up_min=5, reason_for=["admin"])
    )
    made = pages.pages(PageOptions()).access
    assert made.flow is not None
    assert made.flow.provider.options.client_secret == "hush"
    assert made.step_up.within_s == 300
    assert made.reason_for == {"admin"}
    assert pages.web(WebOptions()).bearer is None
    pages.close()
    api = Access.of(
        settings_of(oidc_issuer=ISSUER, oidc_client_id="arr", oidc_audience="https://arr")
    )
    assert api.pages(PageOptions()).access.flow is None
    assert api.web(WebOptions()).bearer is not None
    api.close()


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"oidc_issuer": "http://idp.example", "oidc_client_id": "arr"}, "HTTPS"),
        ({"oidc_issuer": ISSUER}, "oidc_client_id"),
        ({"oidc_issuer": ISSUER, "oidc_client_id": "arr"}, "oidc_redirect_url"),
        (PAGES | {"oidc_redirect_url": "http://arr.example/done"}, "HTTPS"),
        (PAGES | {"oidc_role_map": {"boss": "king"}}, "king"),
        (PAGES | {"oidc_scope_map": {"all": "events:all"}}, "events:all"),
        (PAGES | {"oidc_client_secret_file": Path("/nowhere")}, "secret_file"),
        ({"reason_for": ["events:all"]}, "reason_for"),
        ({"client_certificates": {"00" * 32: "feed"}}, "client_ca"),
        ({"client_certificates": {"xyz": "feed"}}, "fingerprint"),
    ],
)
def test_settings_that_contradict_each_other(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        Access.of(settings_of(**wrong))


def test_a_ca_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("none")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for file in ("ca.pem", "missing.pem"):
        with pytest.raises(ConfigurationError, match="client_ca"):
            ask_for_certificates(context, settings_of(client_ca=tmp_path / file))
    ask_for_certificates(None, settings_of(client_ca=tmp_path / "ca.pem"))
    ask_for_certificates(context, settings_of())
    assert context.verify_mode is ssl.CERT_NONE


def test_every_setting_reaches_the_provider() -> None:
    made = oidc_options(
        AccessSettings(
            **PAGES,
            oidc_audience="aud",
            oidc_algorithms=("ES256",),
            oidc_scopes=("email",),
            oidc_leeway_s=7,
            oidc_keys_max_age_min=2,
            oidc_name_claim="upn",
            oidc_display_name_claim="cn",
            oidc_roles_claim="groups",
            oidc_role_map={"a": "siem"},
            oidc_sites_claim="s",
            oidc_sources_claim="n",
            oidc_ca=Path("/ca"),
        )
    )
    assert made is not None
    assert (made.audience, made.algorithms, made.scopes) == ("aud", ("ES256",), ("email",))
    assert (made.leeway_s, made.keys_max_age_s, made.ca_file) == (7, 120, Path("/ca"))
    assert (made.name_claim, made.display_name_claim, made.roles_claim) == ("upn", "cn", "groups")
    assert (made.sites_claim, made.sources_claim) == ("s", "n")
    assert dict(made.role_map) == {"a": "siem"}
    assert dict(made.scope_map) == {"system/AuditEvent.rs": "events:read patients:identify"}


# a whole repository behind it


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Stack]:
    with stack(tmp_path) as made:
        yield made


def test_bearer_tokens_of_the_provider_at_the_api(place: Stack) -> None:
    with identity_provider() as idp:
        access = Access.of(
            settings_of(
                oidc_issuer=idp.issuer,
                oidc_client_id="arr",
                oidc_audience=AUDIENCE,
                oidc_role_map={"privacy": "investigator"},
            )
        )
        options = access.web(WebOptions(https=False))
        with serving(application(place, options), options) as port:
            check_bearers(f"http://127.0.0.1:{port}/api/v1", idp)
        access.close()


def check_bearers(url: str, idp: IdentityProvider) -> None:
    def ask(token: str, path: str = "/me") -> httpx2.Response:
        return httpx2.get(f"{url}{path}", headers={"Authorization": f"Bearer {token}"})

    idp.person["roles"] = ["privacy"]
    me = ask(idp.token()).json()
    assert (me["name"], me["kind"], "patients:identify" in me["scopes"]) == (
        "mvoss",
        "account",
        True,
    )
    service = idp.token(sub="feed", client_id="feed", preferred_username=None, roles=None)
    assert ask(service).json()["kind"] == "process"
    assert ask(service, "/senders").status_code == 403
    for bad in (
        idp.token("else"),
        idp.shared_secret_token(),
        idp.unsigned_token(),
        idp.token(exp=1),
        "a.b.c",
        "x" * 9_000,
    ):
        assert ask(bad).status_code == 401


Made = Callable[..., httpx2.Response]


def test_client_certificates_stand_for_service_accounts(place: Stack, tmp_path: Path) -> None:
    authority = CertificateAuthority.create("test CA")
    server = authority.issue_server("localhost", ["127.0.0.1"])
    client, other = authority.issue_client("feed"), authority.issue_client("other")
    files: dict[str, tuple[Path, Path]] = {}
    for name, issued in (("server", server), ("feed", client), ("other", other)):
        files[name] = issued.write(tmp_path, name)
    (tmp_path / "ca.pem").write_bytes(authority.credentials.certificate_pem)
    shown = sha256(client.certificate_der).hexdigest()
    settings = settings_of(
        client_ca=tmp_path / "ca.pem", client_certificates={shown.upper(): "feed"}
    )
    place.state.accounts.create("feed", PASSWORD, grants=Grants(roles=frozenset({"siem"})))
    access = Access.of(settings)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*files["server"])
    ask_for_certificates(tls, settings)
    options = access.web(WebOptions())

    def ask(port: int, name: str | None, **headers: str) -> httpx2.Response:
        context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        if name is not None:
            context.load_cert_chain(*files[name])
        with httpx2.Client(verify=context) as http:
            return http.get(f"https://127.0.0.1:{port}/api/v1/me", headers=headers)

    with serving(application(place, options), options, tls) as port:
        me = ask(port, "feed").json()
        assert (me["name"], me["kind"]) == ("feed", "process")
        assert "siem:read" in me["scopes"]
        assert ask(port, "other").status_code == 401
        assert ask(port, None).status_code == 401
        assert ask(port, "feed", Authorization="Bearer arr_x").status_code == 401
        place.state.accounts.set_enabled("feed", enabled=False)
        assert ask(port, "feed").status_code == 401


def test_breaking_the_glass_raises_an_alert() -> None:
    identity = RepositoryIdentity(
        source_id="arr", hostname="arr.test", process_id="1", log_uri="urn:test:log"
    )
    written: list[bytes] = []

    def append(raw: bytes) -> int:
        written.append(raw)
        return len(written)

    record = sign_in_recorder(append, OwnRecords(identity))
    record(SignIn("login", "glass", "", "10.0.0.7", emergency=True, reason="IdP is down"))
    record(SignIn("logout", "glass", "", "10.0.0.7", emergency=True))
    record(SignIn("login", "", "", "", "wrong", emergency=True))
    records = [project(entry(raw), "own") for raw in written]
    assert [one.first("event") for one in records] == [
        *("110114", "110113", "110114", "110113"),
        "110114",
    ]
    started, stopped = records[1], records[3]
    assert (started.first("event_type"), stopped.first("event_type")) == ("110127", "110138")
    assert "glass" in started.values("user")
    assert "IdP is down" in str(started.body)
    for one in records:
        assert [f for f in one.body["findings"] if f["severity"] == "error"] == []


def test_an_operator_says_why_by_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(REASON_VARIABLE, raising=False)
    assert operator_principal().reason == ""
    monkeypatch.setenv(REASON_VARIABLE, " case 12 ")
    assert operator_principal().reason == "case 12"
