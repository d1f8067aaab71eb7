"""A witness over HTTP, and the repository's rounds that have it cosign heads."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.errors import ConfigurationError, ConnectionFailed, IntegrityViolation
from audit.journal.heads import parse_history
from audit.journal.reader import JournalReader
from audit.journal.witness_key import Cosigner, cosignatures
from audit.service.paths import DataPaths
from audit.service.publish_http import HttpOptions
from audit.service.witness_client import WitnessAddress, WitnessClient
from audit.service.witness_rounds import round_options
from audit.settings import load
from tests.service.http_place import Reply, http_place
from tests.service.witness_site import Site, site, witness_at
from tests.waiting import until

HTTP = HttpOptions(timeout_s=5)
NOW = 1_790_000_000


__all__ = ["site"]


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
