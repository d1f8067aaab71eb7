"""Both verifiers on encrypted segments: of one mind with the key, and honest without it."""

import base64
import random
import shutil
import sys
from pathlib import Path

import pytest

from audit.errors import IncompleteCheck
from audit.journal import master_keys
from audit.journal.files import Files
from audit.journal.master_keys import MasterKeys
from audit.journal.recovery import segment_files
from audit.journal.remove import RemovalOptions, Remover
from audit.journal.seal import seal_segment
from audit.journal.segment_file import SegmentFile
from audit.journal.standalone import verify_evidence
from audit.journal.verify import verify
from tests.journal.faults import Unsynced
from tests.journal.journals import KEY, encrypt, open_writer, received, signer

SEED = 20_260_204
FILES = Files(Unsynced())


@pytest.fixture(autouse=True)
def encrypting(monkeypatch: pytest.MonkeyPatch) -> None:
    encrypt(monkeypatch)


def _written(root: Path) -> Path:
    with open_writer(root, segment_max_entries=60) as writer:
        for start in range(0, 240, 20):
            writer.append([received(n) for n in range(start, start + 20)])
            writer.publish_head()
    journal = root / "journal"
    one, two, *_ = [path for _, path in segment_files(journal)]
    for path in (one, two):
        seal_segment(FILES, path)
    Remover(journal, RemovalOptions(signer=signer(root)), FILES).remove(60, (61, 62, 80), "over")
    return journal


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return _written(tmp_path)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "master.key"
    path.write_text("\n".join(["00" * 32, KEY.octets.hex()]) + "\n")
    return path


def first(journal: Path) -> int:
    try:
        return verify(journal).exit_code
    except IncompleteCheck as error:
        return error.exit_code


def second(journal: Path, *options: object) -> int:
    return verify_evidence.main(["journal", str(journal), *map(str, options)])


def encodings(journal: Path) -> set[int]:
    found = set()
    for _, path in segment_files(journal):
        with SegmentFile(path) as octets:
            found.add(octets.head.encoding)
    return found


def test_with_the_key_all_is_checked(
    journal: Path, key_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert encodings(journal) == {2, 3}
    assert first(journal) == second(journal, "--master-key", key_file) == 0
    assert "3 bodies removed by signed statements" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["raw", "base64"])
def test_the_key_file_may_have_any_of_its_forms(journal: Path, key_file: Path, form: str) -> None:
    raw = KEY.octets
    octets = raw if form == "raw" else base64.b64encode(raw) + b"\n"
    key_file.write_bytes(octets)
    assert second(journal, "--master-key", key_file) == 0


def test_without_the_key_both_name_what_they_did_not_check(
    journal: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(master_keys, "in_use", MasterKeys)
    assert first(journal) == second(journal) == 5
    said = capsys.readouterr().out
    for _, path in segment_files(journal):
        assert f"{path.name} is encrypted with the key {KEY.key_id.hex()}" in said
    assert "all else is intact: 240 entries" in said
    leaves = journal / "tree" / "0" / "000000000"
    octets = bytearray(leaves.read_bytes())
    octets[100] ^= 1
    leaves.write_bytes(octets)
    assert second(journal) == 4


def test_without_its_package_it_names_it(
    journal: Path,
    key_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("cryptography", "cryptography.exceptions"):
        monkeypatch.setitem(sys.modules, name, None)
    assert second(journal, "--master-key", key_file) == 5
    assert "install cryptography" in capsys.readouterr().out


def test_both_judge_every_flipped_octet_and_every_cut_alike(
    journal: Path, key_file: Path, tmp_path: Path
) -> None:
    chance = random.Random(SEED)  # noqa: S311 - chance that repeats
    changed = Path(shutil.copytree(journal, tmp_path / "changed"))
    for path in sorted((changed / "segments").iterdir()):
        octets = path.read_bytes()
        path.chmod(0o600)
        for place in chance.sample(range(len(octets)), 14):
            flipped = bytearray(octets)
            flipped[place] ^= 1 << chance.randrange(8)
            path.write_bytes(flipped)
            assert first(changed) == second(changed, "--master-key", key_file), (path, place)
        for length in chance.sample(range(len(octets)), 5):
            path.write_bytes(octets[:length])
            assert first(changed) == second(changed, "--master-key", key_file), (path, length)
        path.write_bytes(octets)


def test_a_torn_frame_above_the_last_head_is_no_violation(tmp_path: Path, key_file: Path) -> None:
    with open_writer(tmp_path) as writer:
        writer.append([received(0)])
        writer.publish_head()
        writer.append([received(1)])
        journal = Path(shutil.copytree(tmp_path / "journal", tmp_path / "cut" / "journal"))
    (_, path), *_ = segment_files(journal)
    octets = path.read_bytes()
    for cut in (1, 40, 100):
        path.write_bytes(octets[:-cut])
        assert first(journal) == second(journal, "--master-key", key_file) == 0
    path.write_bytes(octets[:-300])
    assert first(journal) == second(journal, "--master-key", key_file)
