from pathlib import Path

import pytest

from audit import settings
from audit.errors import ConfigurationError
from audit.settings.load import KEY_CREDENTIAL


def load(
    file: Path | None = None, flags: dict[str, object] | None = None, **env: str
) -> settings.Settings:
    return settings.load(file, flags, env)


def test_defaults_hold_without_anything() -> None:
    assert load().syslog.tls_port == 6514


def test_a_flag_beats_the_environment_beats_the_file(tmp_path: Path) -> None:
    file = tmp_path / "arr.toml"
    file.write_text("[syslog]\ntls_port = 1\nudp_port = 1\ntcp_port = 1\n")
    loaded = load(
        file,
        {"syslog.tls_port": 3},
        ARR_SYSLOG__TLS_PORT="2",
        ARR_SYSLOG__UDP_PORT="2",
    )
    assert (loaded.syslog.tls_port, loaded.syslog.udp_port, loaded.syslog.tcp_port) == (3, 2, 1)


def test_a_flag_left_out_changes_nothing() -> None:
    assert load(None, {"syslog.tls_port": None}).syslog.tls_port == 6514


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[syslog]\ntls_prot = 1\n", "did you mean syslog.tls_port"),
        ("[trust]\nca_files = 1\n", "did you mean trust.client_ca"),
        ("[trust]\ncertifcate = 1\n", "did you mean trust.certificate"),
        ("[syslog]\ntls_port = 70000\n", "setting syslog.tls_port"),
        ("[syslog\n", "is not TOML"),
        ("[nothing]\nx = 1\n", "no setting nothing.x"),
    ],
)
def test_a_bad_file_is_named_with_its_fault(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "arr.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=said):
        load(file)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.toml"):
        load(tmp_path / "absent.toml")


def test_an_unknown_variable_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="ARR_SYSLOG__TLS_PROT"):
        load(ARR_SYSLOG__TLS_PROT="1")


def test_a_file_can_be_named_in_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "arr.toml"
    file.write_text('data = "elsewhere"\n')
    assert load(ARR_CONFIG=str(file)).data == Path("elsewhere")


def test_hosts_in_the_environment_are_split() -> None:
    assert load(ARR_WEB__ALLOWED_HOSTS="a.example, b.example").web.allowed_hosts == (
        "a.example",
        "b.example",
    )


def test_tables_of_names_are_settings_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "arr.toml"
    file.write_text('[index.default_assigners]\nCT1 = "2.999.1"\n')
    assert load(file).index.default_assigners == {"CT1": "2.999.1"}
    with pytest.raises(ConfigurationError, match="destination_kinds"):
        load(file, {"index.destination_kinds": {"WS1": "nowhere"}})


def test_every_setting_is_described_in_the_documents() -> None:
    page = Path(__file__).parents[1] / "docs" / "settings.md"
    assert page.read_text(encoding="utf-8") == settings.render_markdown()
    assert all(meaning for _, _, meaning in settings.described())


def test_a_systemd_credential_is_the_journals_key_unless_another_is_named(tmp_path: Path) -> None:
    environment = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert settings.load(None, {}, environment).journal.key_file is None
    credential = tmp_path / KEY_CREDENTIAL
    credential.write_bytes(bytes(32))
    assert settings.load(None, {}, environment).journal.key_file == credential
    named = environment | {"ARR_JOURNAL__KEY_FILE": "/etc/arr/journal.key"}
    assert settings.load(None, {}, named).journal.key_file == Path("/etc/arr/journal.key")
