import io
import zipfile

import pytest

from audit.query.evidence import zip_form
from audit.query.evidence.zip_form import ZipForm


def archive(*members: tuple[str, bytes]) -> bytes:
    made = ZipForm()
    octets = b"".join(made.member(name, content) for name, content in members)
    octets += made.end()
    assert made.size == len(octets)
    return octets


def test_any_program_reads_it() -> None:
    members = [("a.txt", b"hello"), ("b/ü.bin", bytes(range(256))), ("empty", b"")]
    with zipfile.ZipFile(io.BytesIO(archive(*members))) as opened:
        assert opened.testzip() is None
        assert [(name, opened.read(name)) for name in opened.namelist()] == members
        assert {one.date_time for one in opened.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_it_has_one_form() -> None:
    assert archive(("a", b"1")) == archive(("a", b"1"))
    with zipfile.ZipFile(io.BytesIO(archive())) as opened:
        assert opened.namelist() == []


def test_many_members_and_far_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_form, "_MOST_16", 2)
    members = [(str(n), b"x" * n) for n in range(5)]
    with zipfile.ZipFile(io.BytesIO(archive(*members))) as opened:
        assert [(name, opened.read(name)) for name in opened.namelist()] == members


def test_more_than_65535_members() -> None:
    made = ZipForm()
    octets = b"".join(made.member(str(n), b"") for n in range(65_540)) + made.end()
    with zipfile.ZipFile(io.BytesIO(octets)) as opened:
        assert len(opened.namelist()) == 65_540


def test_a_member_beyond_4_gib(monkeypatch: pytest.MonkeyPatch) -> None:
    made = ZipForm()
    made.size = 5 << 30
    made.member("far", b"x")
    directory = made.end()
    assert b"PK\6\6" in directory
    assert (5 << 30).to_bytes(8, "little") in directory
    monkeypatch.setattr(zip_form, "_MOST_32", 3)
    with pytest.raises(ValueError, match="too long"):
        ZipForm().member("a", b"abcd")
