"""The first verifier and the stand-alone one, and journals to hold them against each other."""

import shutil
from pathlib import Path

import pytest

from audit.errors import IncompleteCheck
from audit.journal.files import Files
from audit.journal.recovery import segment_files
from audit.journal.remove import RemovalOptions, Remover
from audit.journal.seal import seal_segment
from audit.journal.standalone import verify_evidence
from audit.journal.verify import VerifyOptions, verify
from tests.journal.faults import Unsynced
from tests.journal.journals import certificate, open_writer, received, signer

SEED = 20_260_203


def second(*arguments: object) -> int:
    return verify_evidence.main([str(argument) for argument in arguments])


def first(journal: Path, *heads: str) -> int:
    try:
        return verify(journal, VerifyOptions(known_heads=heads)).exit_code
    except IncompleteCheck as error:
        return error.exit_code


def written(root: Path) -> Path:
    """Closed segments, certificates and a tile level above the leaves."""
    with open_writer(root, segment_max_entries=100) as writer:
        writer.append([certificate(n) for n in range(3)])
        for start in range(0, 290, 29):
            writer.append([received(n) for n in range(start, start + 29)])
            writer.publish_head()
    return root / "journal"


def sealed_and_removed(root: Path) -> Path:
    """The same with one segment sealed, another sealed and with bodies removed by right."""
    journal = written(root)
    one, two, *_ = [path for _, path in segment_files(journal)]
    seal_segment(Files(Unsynced()), one)
    remover = Remover(journal, RemovalOptions(signer=signer(root)))
    first_of_two = int(two.stem)
    for numbers in ((first_of_two + 1, first_of_two + 2, first_of_two + 40), (first_of_two + 7,)):
        remover.remove(first_of_two, numbers, "the time of keeping is over")
    remover.remove(0, (17,), "by order of a court")
    return journal


KINDS = {"plain": written, "sealed": sealed_and_removed}


@pytest.fixture(scope="module", params=KINDS)
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return KINDS[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture
def journal(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "journal"))


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return written(tmp_path)
