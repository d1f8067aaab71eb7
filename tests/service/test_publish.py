"""Heads outside: never a smaller one over a larger, and a cut journal is found out."""

import shutil
import ssl
from pathlib import Path

import pytest

from audit.errors import (
    ConfigurationError,
    ConnectionFailed,
    IntegrityViolation,
    StorageError,
)
from audit.journal.heads import read_checkpoint
from audit.journal.initialise import read_identity
from audit.journal.note import Checkpoint, parse_checkpoint, split_note
from audit.service.publish import FolderOutlet, Outlet, outlet_for, publish
from audit.service.publish_http import HttpOptions, ask
from tests import pki
from tests.journal.journals import fill, open_writer, received
from tests.service.http_place import Asked, Reply, http_place

HTTP = HttpOptions(timeout_s=5)


def head_of(note: str) -> Checkpoint:
    return parse_checkpoint(split_note(note)[0])


class Log:
    """A journal that grows, and a copy of it from before."""

    def __init__(self, root: Path) -> None:
        self.journal = root / "journal"
        with open_writer(root) as writer:
            writer.append([received(n) for n in range(7)])
            writer.publish_head()
            self.earlier = Path(shutil.copytree(self.journal, root / "earlier"))
            writer.append([received(n) for n in range(7, 20)])
        self.identity = read_identity(self.journal)
        self.old, self.new = read_checkpoint(self.earlier), read_checkpoint(self.journal)

    def publish(self, outlet: Outlet) -> str:
        return publish(self.journal, self.identity, self.new, outlet)

    def publish_earlier(self, outlet: Outlet) -> str:
        return publish(self.earlier, self.identity, self.old, outlet)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "log")


class TestFolder:
    def test_each_head_is_a_file_and_the_newest_is_known(self, log: Log, tmp_path: Path) -> None:
        outlet = FolderOutlet(tmp_path / "out", log.identity.origin)
        places = [log.publish_earlier(outlet), log.publish(outlet), log.publish(outlet)]
        assert [Path(place).read_text() for place in places] == [log.old, log.new, log.new]
        assert outlet.newest() == log.new
        assert len(list((tmp_path / "out").iterdir())) == 2

    def test_a_journal_that_was_cut_is_found_out(self, log: Log, tmp_path: Path) -> None:
        outlet = FolderOutlet(tmp_path / "out", log.identity.origin)
        log.publish(outlet)
        with pytest.raises(IntegrityViolation, match="it was cut"):
            log.publish_earlier(outlet)
        assert outlet.newest() == log.new

    def test_a_rewritten_history_is_found_out(self, log: Log, tmp_path: Path) -> None:
        outlet = FolderOutlet(tmp_path / "out", log.identity.origin)
        log.publish_earlier(outlet)
        leaves = log.journal / "tree" / "0" / "000000000"
        octets = bytearray(leaves.read_bytes())
        octets[40] ^= 1
        leaves.write_bytes(octets)
        with pytest.raises(IntegrityViolation):
            log.publish(outlet)

    def test_a_damaged_or_foreign_head_outside_is_not_passed_over(
        self, log: Log, tmp_path: Path
    ) -> None:
        outlet = FolderOutlet(tmp_path / "out", log.identity.origin)
        place = Path(log.publish_earlier(outlet))
        for content in (b"\xff", b"nonsense", log.old.replace("\n7\n", "\n8\n").encode()):
            place.write_bytes(content)
            with pytest.raises(IntegrityViolation):
                log.publish(outlet)

    def test_a_folder_that_can_not_be_written(self, log: Log, tmp_path: Path) -> None:
        (tmp_path / "out").write_text("a file")
        with pytest.raises(StorageError):
            log.publish(FolderOutlet(tmp_path / "out", log.identity.origin))

    def test_a_file_system_without_hard_links(
        self, log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise OSError(95, "not supported")

        monkeypatch.setattr("os.link", refuse)
        outlet = FolderOutlet(tmp_path / "out", log.identity.origin)
        assert Path(log.publish(outlet)).read_text() == log.new
        assert [path.name[0] for path in (tmp_path / "out").iterdir()] != ["."]


class Resource:
    """What one URL holds, with conditions, as WebDAV servers and object stores do."""

    def __init__(self) -> None:
        self.content: bytes | None = None
        self.version = 0
        self.meddle = False

    def answer(self, asked: Asked) -> Reply:
        tag = f'"{self.version}"'
        if asked.method == "GET":
            if self.content is None:
                return Reply(404)
            found = Reply(200, self.content, {"ETag": tag})
            self.version += self.meddle
            return found
        if self.content is None and asked.headers.get("if-none-match") != "*":
            return Reply(412)
        if self.content is not None and asked.headers.get("if-match") != tag:
            return Reply(412)
        self.content = asked.body
        self.version += 1
        return Reply(201)


class TestUrl:
    def test_the_resource_holds_the_newest_head(self, log: Log) -> None:
        resource = Resource()
        with http_place(resource.answer) as place:
            outlet = outlet_for(f"{place.url}/head", "x", HTTP)
            log.publish_earlier(outlet)
            assert log.publish(outlet) == f"{place.url}/head"
            assert resource.content == log.new.encode()
            with pytest.raises(IntegrityViolation):
                log.publish_earlier(outlet)
            assert resource.content == log.new.encode()

    def test_what_changed_meanwhile_is_not_overwritten(self, log: Log) -> None:
        resource = Resource()
        with http_place(resource.answer) as place:
            outlet = outlet_for(place.url, "x", HTTP)
            log.publish_earlier(outlet)
            resource.meddle = True
            with pytest.raises(ConnectionFailed, match="412"):
                log.publish(outlet)

    @pytest.mark.parametrize("content", [b"\xff\xfe", b"hello"])
    def test_what_is_no_head_is_not_overwritten(self, log: Log, content: bytes) -> None:
        with http_place(lambda _: Reply(200, content)) as place:
            with pytest.raises(IntegrityViolation):
                log.publish(outlet_for(place.url, "x", HTTP))
            assert [one.method for one in place.asked] == ["GET"]

    def test_a_server_that_refuses(self, log: Log) -> None:
        with (
            http_place(lambda _: Reply(403)) as place,
            pytest.raises(ConnectionFailed, match="403"),
        ):
            log.publish(outlet_for(place.url, "x", HTTP))

    def test_a_collector_gets_each_head(self, log: Log) -> None:
        with http_place(lambda _: Reply(202)) as place:
            log.publish(outlet_for(f"post:{place.url}/in?x=1", "x", HTTP))
        (asked,) = place.asked
        assert (asked.method, asked.path, asked.body) == ("POST", "/in?x=1", log.new.encode())


class TestHttp:
    @pytest.mark.parametrize("url", ["ftp://x/", "http://", "https://x:port/", "nothing"])
    def test_what_is_no_url(self, url: str) -> None:
        with pytest.raises(ConfigurationError):
            ask("GET", url, HTTP)

    def test_nobody_there(self) -> None:
        with http_place(lambda _: Reply()) as place:
            pass
        with pytest.raises(ConnectionFailed):
            ask("GET", place.url, HTTP)

    def test_an_answer_that_is_too_long(self) -> None:
        options = HttpOptions(max_answer_octets=1000)
        with http_place(lambda _: Reply(200, b"x" * 2000)) as place:
            with pytest.raises(ConnectionFailed, match="more than 1000"):
                ask("GET", place.url, options)
            assert len(ask("GET", place.url, HTTP).body) == 2000

    def test_a_redirect_is_not_followed(self) -> None:
        with http_place(lambda _: Reply(302, b"", {"Location": "http://127.0.0.1:1/"})) as place:
            assert ask("GET", place.url, HTTP).status == 302

    def test_a_certificate_of_an_unknown_authority(self, tmp_path: Path) -> None:
        certificate, key = pki.server().write(tmp_path, "server")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        ca, _ = pki.authority().credentials.write(tmp_path, "ca")
        with http_place(lambda _: Reply(200, b"ok"), context) as place:
            assert ask("GET", place.url, HttpOptions(ca_file=ca)).body == b"ok"
            with pytest.raises(ConnectionFailed):
                ask("GET", place.url, HTTP)
        with pytest.raises(ConfigurationError):
            ask("GET", place.url, HttpOptions(ca_file=tmp_path / "none"))


def test_an_empty_log_is_published_too(tmp_path: Path) -> None:
    fill(tmp_path, 0)
    identity = read_identity(tmp_path / "journal")
    outlet = FolderOutlet(tmp_path / "out", identity.origin)
    publish(tmp_path / "journal", identity, read_checkpoint(tmp_path / "journal"), outlet)
    with open_writer(tmp_path) as writer:
        writer.append([received(0)])
    note = read_checkpoint(tmp_path / "journal")
    publish(tmp_path / "journal", identity, note, outlet)
    newest = outlet.newest()
    assert newest is not None
    assert head_of(newest).size == 1
