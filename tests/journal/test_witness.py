"""audit.journal.witness and its parts: the protocol's every answer, the memory, the key."""

import threading
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typing_extensions import override

from audit.errors import ConfigurationError, IntegrityViolation, JournalBusy, StorageError
from audit.journal.files import Files, SystemCalls
from audit.journal.merkle import Tree, consistency_path, hash_leaf, range_root
from audit.journal.note import Checkpoint, Signer, VerifierKey
from audit.journal.witness import SIZE_MEDIA_TYPE, Witness, WitnessAnswer
from audit.journal.witness_key import Cosigner, WitnessKey, cosignatures
from audit.journal.witness_protocol import MAX_PATH, Growth, parse_growth
from audit.journal.witness_store import KEY_FILE, WitnessStore

LEAVES = [hash_leaf(bytes([n])) for n in range(64)]
LOG = Signer("example.org/log", Ed25519PrivateKey.from_private_bytes(bytes(32)))
OTHER = Signer("example.org/log", Ed25519PrivateKey.from_private_bytes(b"1" * 32))
NOW = 1_790_000_000


def node(height: int, index: int) -> bytes:
    tree = Tree()
    for leaf in LEAVES[index << height : index + 1 << height]:
        tree.append(leaf)
    return tree.root()


def head(size: int) -> Checkpoint:
    return Checkpoint(LOG.name, size, range_root(node, 0, size))


def growth(old: int, new: int, signer: Signer = LOG) -> Growth:
    return Growth(old, consistency_path(node, old, new), signer.sign(head(new).text))


@dataclass
class Post:
    """A witness in a folder, asked as over HTTP."""

    witness: Witness
    key: WitnessKey

    def ask(self, asked: Growth) -> WitnessAnswer:
        return self.witness.add_checkpoint(asked.text.encode())

    def status(self, asked: Growth) -> int:
        return int(self.ask(asked).status)


def post(folder: Path, files: Files | None = None, *keys: VerifierKey) -> Post:
    store = WitnessStore(folder, files)
    cosigner = store.cosigner("witness.example.net")
    watched = keys or (LOG.verifier,)
    return Post(Witness(store, cosigner, watched, lambda: NOW), cosigner.verifier)


@pytest.fixture
def asked(tmp_path: Path) -> Post:
    return post(tmp_path / "w")


def test_a_log_that_only_grows_is_cosigned_each_time(asked: Post) -> None:
    old = 0
    for new in (0, 1, 1, 5, 8, 8, 33, 64):
        request = growth(old, new)
        answer = asked.ask(request)
        assert answer.status is HTTPStatus.OK
        note = request.checkpoint + answer.body
        (cosigned,) = cosignatures(note, [asked.key])
        assert (cosigned.at, cosigned.witness) == (NOW, asked.key)
        old = new


def test_what_is_no_request_is_400(asked: Post) -> None:
    good = growth(0, 5).text
    for bad in (
        b"", b"\xff", b"old 0\n", good.replace("old 0", "old 00").encode(),
        good.replace("old", "new").encode(), good.replace("\n\n", "\n", 1).encode(),
        good.replace("old 0", "old 0\nAAAA").encode(), good.replace("old 0", "old 0\n!").encode(),
        ("old 0\n" + "\n".join(["A" * 43 + "="] * (MAX_PATH + 1)) + good[5:]).encode(),
        good.replace("old 0", "old " + "9" * 5000).encode(),
        good.replace("\n5\n", "\n05\n").encode(), good.rstrip("\n").encode(),
    ):  # fmt: skip
        assert asked.witness.add_checkpoint(bad).status is HTTPStatus.BAD_REQUEST, bad[:80]


def test_an_old_size_above_the_head_is_400(asked: Post) -> None:
    request = replace(growth(0, 5), old_size=6)
    assert asked.status(request) == HTTPStatus.BAD_REQUEST


def test_a_log_that_is_not_watched_is_404(asked: Post) -> None:
    stranger = Signer("example.org/other", LOG.private)
    text = Checkpoint(stranger.name, 0, head(0).root).text
    assert asked.status(Growth(0, (), stranger.sign(text))) == HTTPStatus.NOT_FOUND


def test_a_head_that_the_log_did_not_sign_is_403(asked: Post) -> None:
    assert asked.status(growth(0, 5, OTHER)) == HTTPStatus.FORBIDDEN
    forged = growth(0, 5)
    changed = forged.checkpoint.replace("\n5\n", "\n6\n")
    assert asked.status(replace(forged, checkpoint=changed)) == HTTPStatus.FORBIDDEN


def test_another_old_size_is_409_with_the_size_that_was_seen(asked: Post) -> None:
    asked.ask(growth(0, 8))
    for old in (0, 7, 9):
        answer = asked.ask(growth(old, 33))
        assert (answer.status, answer.body) == (HTTPStatus.CONFLICT, "8\n")
        assert answer.media_type == SIZE_MEDIA_TYPE


def test_a_history_that_diverged_is_422_and_nothing_is_kept(asked: Post) -> None:
    asked.ask(growth(0, 8))
    other = Checkpoint(LOG.name, 8, bytes(32))
    assert asked.status(Growth(8, (), LOG.sign(other.text))) == HTTPStatus.UNPROCESSABLE_ENTITY
    broken = growth(8, 33)
    path = (bytes(32), *broken.path[1:])
    assert asked.status(replace(broken, path=path)) == HTTPStatus.UNPROCESSABLE_ENTITY
    assert asked.status(replace(broken, path=())) == HTTPStatus.UNPROCESSABLE_ENTITY
    assert asked.status(growth(8, 33)) == HTTPStatus.OK


def test_a_first_head_needs_no_path_and_the_empty_tree_its_root(asked: Post) -> None:
    empty = LOG.sign(Checkpoint(LOG.name, 0, bytes(32)).text)
    assert asked.status(Growth(0, (), empty)) == HTTPStatus.UNPROCESSABLE_ENTITY
    padded = replace(growth(0, 5), path=(bytes(32),))
    assert asked.status(padded) == HTTPStatus.UNPROCESSABLE_ENTITY
    assert asked.status(growth(0, 5)) == HTTPStatus.OK


def test_an_old_and_a_new_key_of_a_log_are_both_good(tmp_path: Path) -> None:
    asked = post(tmp_path / "w", None, LOG.verifier, OTHER.verifier)
    assert asked.status(growth(0, 5, OTHER)) == HTTPStatus.OK
    assert asked.status(growth(5, 8, LOG)) == HTTPStatus.OK


def test_it_remembers_over_a_restart_and_keeps_its_key(tmp_path: Path) -> None:
    with WitnessStore(tmp_path / "w") as store:
        first = store.cosigner("witness.example.net")
        witness = Witness(store, first, [LOG.verifier])
        assert witness.add_checkpoint(growth(0, 8).text.encode()).status is HTTPStatus.OK
        with pytest.raises(JournalBusy):
            WitnessStore(tmp_path / "w")
    assert (tmp_path / "w" / KEY_FILE).stat().st_mode & 0o777 == 0o600
    with WitnessStore(tmp_path / "w") as store:
        again = store.cosigner("")
        assert again.verifier == first.verifier
        assert store.latest(LOG.name) == head(8)
        with pytest.raises(ConfigurationError, match="called"):
            store.cosigner("another")


def test_nothing_is_cosigned_that_could_not_be_kept(tmp_path: Path) -> None:
    class NoRename(SystemCalls):
        armed = False

        @override
        def rename(self, source: Path, target: Path) -> None:
            if self.armed:
                raise OSError(5, "input/output error")
            super().rename(source, target)

    calls = NoRename()
    asked = post(tmp_path / "w", Files(calls))
    asked.ask(growth(0, 5))
    calls.armed = True
    with pytest.raises(StorageError):
        asked.ask(growth(5, 8))
    calls.armed = False
    assert asked.ask(growth(0, 8)).body == "5\n"


def test_a_damaged_memory_stops_cosigning(tmp_path: Path) -> None:
    asked = post(tmp_path / "w")
    asked.ask(growth(0, 5))
    (kept,) = (tmp_path / "w" / "heads").iterdir()
    kept.write_text("nonsense")
    with pytest.raises(StorageError):
        asked.ask(growth(5, 8))
    kept.write_text(LOG.sign(Checkpoint("another", 5, bytes(32)).text))
    with pytest.raises(StorageError):
        asked.ask(growth(5, 8))


def test_of_two_that_race_one_is_cosigned(asked: Post) -> None:
    asked.ask(growth(0, 5))
    statuses: list[int] = []
    start = threading.Barrier(8)

    def race() -> None:
        start.wait(10)
        statuses.append(asked.status(growth(5, 8)))

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(statuses) == [200] + [409] * 7


def test_a_name_that_can_not_be_one_is_refused(tmp_path: Path) -> None:
    for name in ("", "two words", "a+b"):
        with WitnessStore(tmp_path / "w") as store, pytest.raises(ConfigurationError):
            store.cosigner(name)


def test_a_folder_that_can_not_be_used(tmp_path: Path) -> None:
    (tmp_path / "w").write_text("a file")
    with pytest.raises(StorageError):
        WitnessStore(tmp_path / "w")


def test_a_witness_key_is_no_log_key() -> None:
    cosigner = Cosigner("w.example", LOG.private)
    assert WitnessKey.parse(cosigner.verifier.text) == cosigner.verifier
    with pytest.raises(ValueError, match="witness"):
        WitnessKey.parse(LOG.verifier.text)
    with pytest.raises(ValueError, match="log"):
        VerifierKey.parse(cosigner.verifier.text)


def test_a_cosignature_of_another_head_or_time_is_found() -> None:
    cosigner = Cosigner("w.example", LOG.private)
    line = cosigner.cosign(head(5).text, NOW)
    note = LOG.sign(head(8).text) + line.text
    with pytest.raises(IntegrityViolation, match="does not match"):
        cosignatures(note, [cosigner.verifier])
    right = cosigner.cosign(head(8).text, NOW)
    later = right._replace(signature=(NOW + 1).to_bytes(8) + right.signature[8:])
    with pytest.raises(IntegrityViolation):
        cosignatures(LOG.sign(head(8).text) + later.text, [cosigner.verifier])
    short = right._replace(signature=right.signature[:-1])
    with pytest.raises(IntegrityViolation):
        cosignatures(LOG.sign(head(8).text) + short.text, [cosigner.verifier])
    assert cosignatures(LOG.sign(head(8).text), [cosigner.verifier]) == ()


def test_a_growth_proof_is_checked_against_both_heads() -> None:
    made = growth(5, 33)
    assert parse_growth(made.text) == made
    assert made.check(head(5), [LOG.verifier]) == head(33)
    for wrong in (
        replace(made, path=made.path[:-1]),
        replace(made, old_size=4),
        replace(made, checkpoint=OTHER.sign(head(33).text)),
    ):
        with pytest.raises(IntegrityViolation):
            wrong.check(head(5), [LOG.verifier])
    with pytest.raises(IntegrityViolation):
        made.check(Checkpoint(LOG.name, 5, bytes(32)), [LOG.verifier])
