import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from audit.errors import IncompleteCheck
from audit.service.doctor import Diagnosis, Grade, check_live, examine
from audit.service.paths import DataPaths
from audit.settings import Settings, load
from audit.transport.pki import CertificateAuthority, Request, Validity


@pytest.fixture
def authority() -> CertificateAuthority:
    return CertificateAuthority.create("test CA")


@pytest.fixture
def settings(tmp_path: Path, authority: CertificateAuthority) -> Settings:
    certificate, key = authority.issue_server("localhost", ["localhost"]).write(tmp_path, "server")
    ca, _ = authority.credentials.write(tmp_path, "ca")
    data = tmp_path / "data"
    DataPaths(data).prepare()
    return load(
        None,
        {
            "data": data,
            "trust.certificate": certificate,
            "trust.private_key": key,
            "trust.client_ca": ca,
            "syslog.tls_port": 0,
            "syslog.udp_port": 0,
            "syslog.tcp_enabled": True,
            "syslog.tcp_port": 0,
            "web.port": 0,
            "ops.port": 0,
        },
        {},
    )


def changed(settings: Settings, **flags: object) -> Settings:
    section, _, name = next(iter(flags)).partition("__")
    inner = getattr(settings, section).model_copy(update={name: next(iter(flags.values()))})
    return settings.model_copy(update={section: inner})


def about(settings: Settings, subject: str) -> Diagnosis:
    return next(found for found in examine(settings) if found.subject.endswith(subject))


def test_a_machine_that_is_well_has_no_error(settings: Settings) -> None:
    errors = [found for found in examine(settings) if found.grade is Grade.ERROR]
    assert errors == []


def test_a_folder_that_others_can_read_is_found(settings: Settings) -> None:
    settings.data.chmod(0o755)
    found = about(settings, "data")
    assert (found.grade, found.cure) == (Grade.ERROR, f"chmod go= {settings.data}")


def test_a_data_folder_still_to_be_made_is_a_warning(settings: Settings, tmp_path: Path) -> None:
    absent = settings.model_copy(update={"data": tmp_path / "none" / "yet"})
    assert about(absent, "data folder").grade is Grade.WARNING
    assert about(absent, "disk").grade is Grade.OK


def test_a_full_disk_is_an_error(settings: Settings) -> None:
    assert about(changed(settings, journal__reserve_octets=2**60), "disk").grade is Grade.ERROR


@pytest.mark.parametrize(("days", "grade"), [(-1, Grade.ERROR), (3, Grade.WARNING)])
def test_a_certificate_near_its_end_is_found(
    settings: Settings, authority: CertificateAuthority, tmp_path: Path, days: int, grade: Grade
) -> None:
    now = datetime.now(UTC)
    request = Request("x", validity=Validity(now - timedelta(days=9), now + timedelta(days=days)))
    certificate, key = authority.issue(request).write(tmp_path, "ending")
    settings = changed(changed(settings, trust__certificate=certificate), trust__private_key=key)
    assert about(settings, "syslog certificate").grade is grade


def test_a_key_of_another_certificate_is_found(
    settings: Settings, authority: CertificateAuthority, tmp_path: Path
) -> None:
    _, key = authority.issue_client("other").write(tmp_path, "other")
    found = about(changed(settings, trust__private_key=key), "syslog certificate")
    assert "is not the key of" in found.found


def test_a_missing_certificate_is_an_error(settings: Settings, tmp_path: Path) -> None:
    none = changed(settings, trust__certificate=None)
    assert about(none, "syslog certificate").grade is Grade.ERROR
    absent = changed(settings, trust__certificate=tmp_path / "absent")
    assert "can't be used" in about(absent, "syslog certificate").found


def test_nobody_being_trusted_is_an_error(settings: Settings, tmp_path: Path) -> None:
    assert about(changed(settings, trust__client_ca=None), "who may send").grade is Grade.ERROR
    absent = changed(settings, trust__client_ca=tmp_path / "absent.pem")
    assert about(absent, "who may send").grade is Grade.ERROR


def test_a_taken_port_is_an_error(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = about(changed(settings, ops__port=port), "ops.port")
    assert found.grade is Grade.ERROR
    assert "choose another" in found.cure


def test_processes_that_do_not_run_are_told(settings: Settings) -> None:
    assert about(settings, "process receive").found == "not running"
    with pytest.raises(IncompleteCheck, match="not running"):
        check_live(settings)


def test_a_diagnosis_prints_as_json(settings: Settings) -> None:
    assert about(settings, "clock").as_dict()["subject"] == "clock"


def test_revocation_lists_are_looked_at(
    settings: Settings, authority: CertificateAuthority, tmp_path: Path
) -> None:
    good, old, bad = (tmp_path / name for name in ("good.crl", "old.crl", "bad.crl"))
    good.write_bytes(authority.revocation_list({17: datetime.now(UTC)}, 30))
    old.write_bytes(authority.revocation_list({}, 0))
    bad.write_bytes(b"nothing")
    listed = changed(settings, trust__crl=(good, old, bad))
    assert about(listed, "good.crl").grade is Grade.OK
    assert about(listed, "good.crl").found == "1 certificates are revoked"
    assert about(listed, "old.crl").grade is Grade.WARNING
    assert about(listed, "bad.crl").grade is Grade.ERROR
