"""A witness over HTTP, and the repository's rounds that have it cosign heads."""

import asyncio
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.testclient import TestClient

from audit.errors import ConfigurationError, ConnectionFailed, IntegrityViolation, JournalBusy
from audit.journal.checkpoint_cosigned import CosignedHeads
from audit.journal.heads import parse_history, read_checkpoint
from audit.journal.initialise import read_identity
from audit.journal.note import Checkpoint, VerifierKey, parse_checkpoint, split_note
from audit.journal.proof import prove_growth
from audit.journal.reader import JournalReader
from audit.journal.witness import MAX_REQUEST_OCTETS, Witness
from audit.journal.witness_key import Cosigner, WitnessKey, cosignatures
from audit.journal.witness_store import KEY_FILE, WitnessStore
from audit.service.paths import DataPaths
from audit.service.publish_http import HttpOptions
from audit.service.receive import ReceiveRole
from audit.service.witness import WitnessOptions, create_witness_app, run_witness
from audit.service.witness_client import WitnessAddress, WitnessClient
from audit.service.witness_rounds import RoundOptions, WitnessRounds, round_options
from audit.settings import load
from audit.transport.pki import CertificateAuthority
from tests import pki
from tests.journal.journals import open_writer, received
from tests.service.http_place import Asked, Reply, http_place
from tests.service.places import make_place
from tests.waiting import until

HTTP = HttpOptions(timeout_s=5)
NOW = 1_790_000_000


class Site:
    """A data folder whose journal can grow."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.paths = DataPaths(root)
        self.alarms: list[str] = []
        self.grow(5)

    def grow(self, count: int) -> None:
        with open_writer(self.root) as writer:
            first = writer.durable_count
            writer.append([received(n) for n in range(first, first + count)])

    @property
    def key(self) -> VerifierKey:
        return read_identity(self.paths.journal).current_key

    @property
    def note(self) -> str:
        return read_checkpoint(self.paths.journal)

    @property
    def head(self) -> Checkpoint:
        return parse_checkpoint(split_note(self.note)[0])

    def rounds(
        self, *witnesses: WitnessAddress, publish_to: tuple[str, ...] = ()
    ) -> WitnessRounds:
        options = RoundOptions(
            witnesses=witnesses,
            witness_interval_s=0.02,
            publish_to=publish_to,
            publish_interval_s=0.02,
            http=HTTP,
        )
        return WitnessRounds(self.paths, options, self.alarms.append)

    def shown(self) -> str:
        found = CosignedHeads(self.paths.cosigned).shown((self.key,))
        assert found is not None
        return found[0]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "site")


@contextmanager
def witness_at(
    folder: Path, *logs: VerifierKey, name: str = "w.example"
) -> Iterator[WitnessAddress]:
    """A real witness behind a small server."""
    with WitnessStore(folder) as store:
        witness = Witness(store, store.cosigner(name), logs, lambda: NOW)
        client = TestClient(create_witness_app(witness, 10_000))

        def answer(asked: Asked) -> Reply:
            got = client.request(asked.method, asked.path, content=asked.body)
            headers = {"Content-Type": got.headers["content-type"]}
            return Reply(got.status_code, got.content, headers)

        with http_place(answer) as place:
            yield WitnessAddress(place.url, store.cosigner("").verifier)


def test_a_head_is_cosigned_and_shown_with_its_cosignatures(site: Site, tmp_path: Path) -> None:
    with (
        witness_at(tmp_path / "a", site.key, name="a.example") as one,
        witness_at(tmp_path / "b", site.key, name="b.example") as two,
    ):
        rounds = site.rounds(one, two)
        for _ in range(3):
            rounds.step()
            rounds.step()
            shown = site.shown()
            assert shown.startswith(site.note)
            assert {c.witness.name for c in cosignatures(shown, [one.key, two.key])} == {
                "a.example",
                "b.example",
            }
            site.grow(4)
    kept = sorted(site.paths.cosigned.glob("*.heads"))
    records = [record for path in kept for record in parse_history(path.read_bytes())[0]]
    assert [record.number for record in records] == [5, 9, 13]
    assert site.alarms == []


def test_a_log_that_a_witness_knows_already_goes_on_there(site: Site, tmp_path: Path) -> None:
    with witness_at(tmp_path / "w", site.key) as address:
        site.rounds(address).step()
        site.grow(3)
        site.rounds(address).step()
        assert len(cosignatures(site.shown(), [address.key])) == 1


def test_a_witness_that_is_gone_costs_its_cosignature_only(site: Site, tmp_path: Path) -> None:
    with http_place(lambda _: Reply(500)) as broken, witness_at(tmp_path / "w", site.key) as good:
        bad = WitnessAddress(broken.url, Cosigner("x", Ed25519PrivateKey.generate()).verifier)
        rounds = site.rounds(bad, good)
        rounds.step()
        assert len(cosignatures(site.shown(), [good.key])) == 1
        rounds.step()
        assert len(broken.asked) == 2
    rounds = site.rounds(bad)
    site.grow(1)
    rounds.step()
    assert site.shown() == site.note
    assert site.alarms == []


def test_a_journal_that_was_cut_raises_an_alarm_once(site: Site, tmp_path: Path) -> None:
    earlier = shutil.copytree(site.root, tmp_path / "earlier")
    site.grow(5)
    with witness_at(tmp_path / "w", site.key) as address:
        site.rounds(address).step()
        cut = Site.__new__(Site)
        cut.root, cut.paths, cut.alarms = Path(earlier), DataPaths(Path(earlier)), []
        rounds = cut.rounds(address)
        rounds.step()
        rounds.step()
        assert len(cut.alarms) == 1
        assert "saw 10 entries" in cut.alarms[0]
        with pytest.raises(IntegrityViolation):
            WitnessClient(address, cut.paths.journal, HTTP).cosign(cut.head, cut.note, cut.key)


def test_a_witness_of_another_history_raises_an_alarm(site: Site) -> None:
    with http_place(lambda _: Reply(422)) as place:
        address = WitnessAddress(place.url, Cosigner("x", Ed25519PrivateKey.generate()).verifier)
        site.rounds(address).step()
    assert "another history" in site.alarms[0]


_SIZE = {"Content-Type": "text/x.tlog.size"}


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b""),
        Reply(200, b"nonsense\n"),
        Reply(200, b"\xff"),
        Reply(200, "— other.example AAAAAAAAAAA=\n".encode()),
        Reply(409, b"3\n"),
        Reply(409, b"x\n", _SIZE),
        Reply(409, b"9" * 30, _SIZE),
        Reply(409, b"3\n", _SIZE),
        Reply(404),
        Reply(403),
    ],
)
def test_an_answer_that_is_none_is_no_alarm(site: Site, reply: Reply) -> None:
    with http_place(lambda _: reply) as place:
        address = WitnessAddress(place.url, Cosigner("x", Ed25519PrivateKey.generate()).verifier)
        with pytest.raises(ConnectionFailed):
            WitnessClient(address, site.paths.journal, HTTP).cosign(site.head, site.note, site.key)
        site.rounds(address).step()
    assert site.alarms == []


def test_a_cosignature_of_something_else_is_not_taken(site: Site) -> None:
    cosigner = Cosigner("x", Ed25519PrivateKey.generate())
    line = cosigner.cosign(replace(site.head, size=3).text, NOW).text
    with http_place(lambda _: Reply(200, line.encode())) as place:
        client = WitnessClient(
            WitnessAddress(place.url, cosigner.verifier), site.paths.journal, HTTP
        )
        with pytest.raises(ConnectionFailed, match="no cosignature"):
            client.cosign(site.head, site.note, site.key)


def test_a_lying_witness_can_not_make_it_ask_forever(site: Site) -> None:
    sizes = iter(range(5))
    with http_place(lambda _: Reply(409, b"%d\n" % next(sizes), _SIZE)) as place:
        address = WitnessAddress(place.url, Cosigner("x", Ed25519PrivateKey.generate()).verifier)
        with pytest.raises(ConnectionFailed):
            WitnessClient(address, site.paths.journal, HTTP).cosign(site.head, site.note, site.key)
        assert len(place.asked) == 2


def test_heads_are_copied_outside_at_intervals(site: Site, tmp_path: Path) -> None:
    rounds = site.rounds(publish_to=(str(tmp_path / "out"), "http://127.0.0.1:1/"))
    rounds.start()
    until(lambda: len(list((tmp_path / "out").glob("*.checkpoint"))) == 1)
    site.grow(1)
    until(lambda: len(list((tmp_path / "out").glob("*.checkpoint"))) == 2)
    rounds.stop()
    assert site.alarms == []


def test_nothing_to_do_is_no_thread(site: Site) -> None:
    rounds = site.rounds()
    rounds.start()
    rounds.stop()


def test_a_journal_that_can_not_be_read_does_not_end_the_rounds(
    site: Site, tmp_path: Path
) -> None:
    hidden = site.paths.journal.rename(tmp_path / "hidden")
    rounds = site.rounds(publish_to=(str(tmp_path / "out"),))
    rounds.start()
    hidden.rename(site.paths.journal)
    until(lambda: list((tmp_path / "out").glob("*.checkpoint")))
    rounds.stop()


def test_a_proof_is_made_under_the_cosigned_head(site: Site, tmp_path: Path) -> None:
    from audit.service.publish_proofs import covering_head, newest_head

    with witness_at(tmp_path / "w", site.key) as address:
        site.rounds(address).step()
    cosigned = newest_head(site.paths)
    assert cosignatures(cosigned, [address.key])
    site.grow(1)
    with JournalReader(site.paths.journal) as reader:
        assert covering_head(site.paths, reader, 4) == cosigned
        assert covering_head(site.paths, reader, 5) is None
    assert newest_head(site.paths) == site.note


def test_settings_name_witnesses_by_url_and_key() -> None:
    key = Cosigner("w.example", Ed25519PrivateKey.from_private_bytes(bytes(32))).verifier
    options = round_options(
        load(None, {}, {"ARR_JOURNAL__WITNESSES": f"https://w.example/x/ {key.text}"})
    )
    assert options.witnesses == (WitnessAddress("https://w.example/x", key),)
    assert not round_options(load(None, {}, {})).any_work
    for wrong in ("https://w.example", f"ftp://w {key.text}", "https://w.example not+a+key"):
        with pytest.raises(ConfigurationError, match=r"journal\.witnesses"):
            round_options(load(None, {"journal.witnesses": (wrong,)}, {}))


# ---- the server


@pytest.fixture
def app(site: Site, tmp_path: Path) -> Iterator[TestClient]:
    with WitnessStore(tmp_path / "w") as store:
        witness = Witness(store, store.cosigner("w.example"), [site.key], lambda: NOW)
        yield TestClient(create_witness_app(witness, 10_000))


def test_the_resource_answers_as_c2sp_says(site: Site, app: TestClient, tmp_path: Path) -> None:
    body = prove_growth(site.paths.journal, [site.key], 0, site.note).text
    good = app.post("/add-checkpoint", content=body)
    assert good.status_code == 200
    assert good.text.startswith("— w.example ")
    conflict = app.post("/add-checkpoint", content=body)
    assert (conflict.status_code, conflict.text) == (409, "5\n")
    assert conflict.headers["content-type"] == "text/x.tlog.size"
    assert app.get("/add-checkpoint").status_code == 405
    assert app.get("/").status_code == 404
    large = app.post("/add-checkpoint", content=b"x" * (MAX_REQUEST_OCTETS + 1))
    assert large.status_code == 413
    (kept,) = (tmp_path / "w" / "heads").iterdir()
    kept.write_text("damaged")
    assert app.post("/add-checkpoint", content=body).status_code == 503


def test_who_asks_too_often_waits(site: Site, tmp_path: Path) -> None:
    with WitnessStore(tmp_path / "w") as store:
        witness = Witness(store, store.cosigner("w.example"), [site.key], lambda: NOW)
        client = TestClient(create_witness_app(witness, 0.01))
        assert [client.post("/add-checkpoint").status_code for _ in range(2)] == [400, 429]


@contextmanager
def process(*arguments: str) -> Iterator[tuple[str, WitnessKey]]:
    """``arr witness`` as its own process; its address and key."""
    with subprocess.Popen(
        [sys.executable, "-m", "audit.cli", "witness", "--json", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as running:
        try:
            assert running.stdout is not None
            told = json.loads(running.stdout.readline())
            yield told["url"], WitnessKey.parse(told["verifier_key"])
        finally:
            running.send_signal(signal.SIGTERM)
            assert running.wait(20) == 0


@pytest.mark.slow
def test_the_command_cosigns_over_https_and_remembers(site: Site, tmp_path: Path) -> None:
    certificate, key = pki.server().write(tmp_path, "server")
    ca, _ = pki.authority().credentials.write(tmp_path, "ca")
    store = tmp_path / "w"
    given = ("--listen", "127.0.0.1:0", "--store", str(store), "--log", site.key.text)
    http = replace(HTTP, ca_file=ca)
    tls = ("--cert", str(certificate), "--cert-key", str(key), "--name", "w.example")
    with process(*given, *tls) as (url, witness):
        assert url.startswith("https://")
        client = WitnessClient(WitnessAddress(url, witness), site.paths.journal, http)
        assert client.cosign(site.head, site.note, site.key).name == "w.example"
    assert (store / KEY_FILE).stat().st_mode & 0o777 == 0o600
    site.grow(2)
    with process(*given) as (url, again):
        assert (url.partition(":")[0], again) == ("http", witness)
        client = WitnessClient(WitnessAddress(url, again), site.paths.journal, HTTP)
        line = client.cosign(site.head, site.note, site.key)
        assert cosignatures(site.note + line.text, [again])


def _refused(options: WitnessOptions, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        run_witness(options, lambda *_: None)


def test_a_witness_that_can_not_start_says_why(site: Site, tmp_path: Path) -> None:
    options = WitnessOptions(
        host="127.0.0.1", port=0, store=tmp_path / "w", logs=(site.key,), name="w"
    )
    with WitnessStore(tmp_path / "w"):
        _refused(options, JournalBusy, "already")
    _refused(replace(options, name="two words"), ConfigurationError, "name")
    _refused(replace(options, certificate=tmp_path / "none"), ConfigurationError, "none")
    shutil.copy(site.root / "keys" / "log-signing.key", tmp_path / "w" / KEY_FILE)
    _refused(options, ConfigurationError, "own witness")


# ---- beside the intake


def test_the_repository_has_its_heads_cosigned_while_it_takes_records(
    tmp_path: Path, authority: CertificateAuthority
) -> None:
    cosigner = Cosigner("w.example", Ed25519PrivateKey.generate())

    def answer(asked: Asked) -> Reply:
        text = split_note(asked.body.decode().partition("\n\n")[2])[0]
        return Reply(200, cosigner.cosign(text, NOW).text.encode())

    with http_place(answer) as place:
        site = make_place(
            tmp_path,
            authority,
            journal__witnesses=(f"{place.url} {cosigner.verifier.text}",),
            journal__witness_interval_s=0.05,
            syslog__tls_enabled=False,
        )
        paths = site.paths

        def cosigned() -> bool:
            try:
                keys = (read_identity(paths.journal).current_key,)
            except FileNotFoundError:
                return False
            found = CosignedHeads(paths.cosigned).witnessed(keys)
            return found is not None and found[1].size > 0

        asyncio.run(_run_until(ReceiveRole(site.settings, paths), cosigned))


def test_a_witness_that_hangs_slows_nothing(
    tmp_path: Path, authority: CertificateAuthority
) -> None:
    release, asked_once = Event(), Event()

    def hang(_: Asked) -> Reply:
        asked_once.set()
        release.wait(30)
        return Reply(500)

    key = Cosigner("w.example", Ed25519PrivateKey.generate()).verifier
    with http_place(hang) as place:
        site = make_place(
            tmp_path,
            authority,
            journal__witnesses=(f"{place.url} {key.text}",),
            syslog__tls_enabled=False,
        )
        role = ReceiveRole(site.settings, site.paths)

        def taken() -> bool:
            return asked_once.is_set() and int(role.status().detail["durable"]) >= 2

        try:
            asyncio.run(asyncio.wait_for(_run_until(role, taken), 20))
        finally:
            release.set()


def test_an_alarm_is_a_record(tmp_path: Path, authority: CertificateAuthority) -> None:
    with http_place(lambda _: Reply(422)) as place:
        key = Cosigner("w.example", Ed25519PrivateKey.generate()).verifier
        site = make_place(
            tmp_path,
            authority,
            journal__witnesses=(f"{place.url} {key.text}",),
            syslog__tls_enabled=False,
        )

        def recorded() -> bool:
            try:
                with JournalReader(site.paths.journal, site.paths.position) as reader:
                    raws = [entry.received.raw for entry in reader.iterate(0)]
            except OSError:
                return False
            return any(b"contradicts the journal: w.example" in raw for raw in raws)

        asyncio.run(_run_until(ReceiveRole(site.settings, site.paths), recorded))


async def _run_until(role: ReceiveRole, wanted: Callable[[], bool]) -> None:
    await role.start()
    stop = asyncio.Event()
    running = asyncio.create_task(role.run(stop))
    try:
        await asyncio.to_thread(until, wanted)
    finally:
        stop.set()
        await running
        await role.stop()
