"""The witness as a service and as a process, and the repository that asks it."""

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

from audit.errors import ConfigurationError, JournalBusy
from audit.journal.checkpoint_cosigned import CosignedHeads
from audit.journal.initialise import read_identity
from audit.journal.note import split_note
from audit.journal.proof import prove_growth
from audit.journal.reader import JournalReader
from audit.journal.witness import MAX_REQUEST_OCTETS, Witness
from audit.journal.witness_key import Cosigner, WitnessKey, cosignatures
from audit.journal.witness_store import KEY_FILE, WitnessStore
from audit.service.publish_http import HttpOptions
from audit.service.receive import ReceiveRole
from audit.service.witness import WitnessOptions, create_witness_app, run_witness
from audit.service.witness_client import WitnessAddress, WitnessClient
from audit.transport.pki import CertificateAuthority
from tests import pki
from tests.service.http_place import Asked, Reply, http_place
from tests.service.places import make_place
from tests.service.witness_site import Site, site
from tests.waiting import until

HTTP = HttpOptions(timeout_s=5)
NOW = 1_790_000_000


__all__ = ["site"]


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
