"""RFC 3161 timestamps on heads, by an authority that nobody here wrote, checked by openssl."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from audit.errors import ConfigurationError, ConnectionFailed, IntegrityViolation
from audit.journal.heads import read_checkpoint
from audit.journal.identity import Identity
from audit.journal.initialise import read_identity
from audit.journal.timestamp import TimestampQuery
from audit.service.publish_http import HttpOptions
from audit.service.publish_timestamps import KeptTimestamp, timestamp_head
from tests.journal.journals import fill
from tests.needs import program
from tests.service.http_place import Reply, http_place
from tests.service.timestamp_authority import Authority, authority, make_authority

HTTP = HttpOptions(timeout_s=10)

pytest.importorskip("rfc3161_client")


@pytest.fixture(scope="module")
def stamping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with authority(tmp_path_factory.mktemp("tsa") / "a") as made:
        yield made


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Identity]:
    root = tmp_path_factory.mktemp("log")
    fill(root, 20)
    return read_checkpoint(root / "journal"), read_identity(root / "journal")


def stamped(
    head: tuple[str, Identity], folder: Path, url: str, ca: Path | None = None
) -> KeptTimestamp:
    return timestamp_head(*head, folder, url, HTTP, ca)


def openssl_accepts(kept: KeptTimestamp, root: Path) -> bool:
    done = subprocess.run(
        [
            program("openssl"), "ts", "-verify", "-data", kept.head_file,
            "-in", kept.timestamp_file, "-CAfile", root,
        ],
        check=False,
        capture_output=True,
        timeout=120,
    )  # fmt: skip
    return done.returncode == 0 and b"Verification: OK" in done.stdout + done.stderr


@pytest.mark.outsider
def test_openssl_accepts_the_timestamp_and_only_for_that_head(
    head: tuple[str, Identity], stamping: Authority, tmp_path: Path
) -> None:
    kept = stamped(head, tmp_path / "t", stamping.url, stamping.root)
    assert kept.timestamp.trusted
    assert abs(kept.timestamp.at - datetime.now(UTC)) < timedelta(minutes=5)
    assert kept.head_file.read_text() == head[0]
    assert openssl_accepts(kept, stamping.root)
    kept.head_file.write_text(head[0].replace("\n20\n", "\n21\n"))
    assert not openssl_accepts(kept, stamping.root)


def test_a_second_timestamp_leaves_the_first(
    head: tuple[str, Identity], stamping: Authority, tmp_path: Path
) -> None:
    first = stamped(head, tmp_path / "t", stamping.url)
    before = first.timestamp_file.read_bytes()
    second = stamped(head, tmp_path / "t", stamping.url)
    assert not first.timestamp.trusted
    assert second.timestamp_file != first.timestamp_file
    assert first.timestamp_file.read_bytes() == before
    assert second.head_file == first.head_file


def test_another_root_is_not_believed(
    head: tuple[str, Identity], stamping: Authority, tmp_path: Path
) -> None:
    other = make_authority(tmp_path / "other")
    with pytest.raises(IntegrityViolation, match="signature"):
        stamped(head, tmp_path / "t", stamping.url, other)
    assert not list((tmp_path / "t").glob("*.tsr"))
    (tmp_path / "none.pem").write_text("nothing")
    with pytest.raises(ConfigurationError):
        stamped(head, tmp_path / "t", stamping.url, tmp_path / "none.pem")


def test_an_answer_to_another_question_is_not_taken(
    head: tuple[str, Identity], stamping: Authority, tmp_path: Path
) -> None:
    kept = stamped(head, tmp_path / "t", stamping.url)
    octets = kept.head_file.read_bytes()
    with pytest.raises(IntegrityViolation, match="another question"):
        TimestampQuery(octets).accept(kept.timestamp.answer)
    with pytest.raises(IntegrityViolation, match="another question"):
        TimestampQuery(octets + b".").accept(kept.timestamp.answer)


def test_an_authority_that_stamps_something_else_is_not_believed(
    head: tuple[str, Identity],
    stamping: Authority,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    asked = vars(TimestampQuery)["octets"].fget

    def for_another(query: TimestampQuery) -> bytes:
        octets: bytes = asked(query)
        return octets.replace(sha256(head[0].encode()).digest(), bytes(32))

    monkeypatch.setattr(TimestampQuery, "octets", property(for_another))
    with pytest.raises(IntegrityViolation, match="another question"):
        stamped(head, tmp_path / "t", stamping.url)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(200, b"nonsense"), IntegrityViolation),
        (Reply(200, b""), IntegrityViolation),
        (Reply(200, bytes.fromhex("30053003020102")), IntegrityViolation),
        (Reply(500, b""), ConnectionFailed),
    ],
    ids=["nonsense", "empty", "refused", "broken"],
)
def test_what_is_no_timestamp(
    head: tuple[str, Identity], tmp_path: Path, reply: Reply, error: type[Exception]
) -> None:
    with http_place(lambda _: reply) as place, pytest.raises(error):
        stamped(head, tmp_path / "t", place.url)


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "rfc3161_client", None)
    with pytest.raises(ConfigurationError, match=r"\[timestamp\]"):
        TimestampQuery(b"octets")
