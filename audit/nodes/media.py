"""Discs and sticks: file-sets with a DICOMDIR (PS3.10, PS3.12), written and read for real."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Final

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.fileset import FileSet

from audit.record.build import Media, MediaType

KEPT: Final = 3
"""How many written media stay on the burner's shelf; older ones are taken away."""


@dataclass(frozen=True, slots=True)
class Medium:
    """A medium with its label and the folder that stands for it."""

    type: MediaType
    label: str
    folder: Path

    @property
    def as_media(self) -> Media:
        """The medium as an audit message names it."""
        return Media(media_id=self.label, type=self.type, label=self.label)


def write(medium: Medium, datasets: Sequence[Dataset]) -> None:
    """Write the instances and a DICOMDIR.

    Raises:
        ValueError: an instance can't stand in a DICOMDIR.
        OSError: the folder can't be written to.
    """
    files = FileSet()
    try:
        files.ID = medium.label.replace("-", "_")[:16]
        for dataset in datasets:
            files.add(dataset)
        files.write(medium.folder)
    finally:
        files._stage["t"].cleanup()  # noqa: SLF001 - else left to the collector, with a warning
    _clear_shelf(medium.folder.parent)


def read(medium: Medium) -> list[Dataset]:
    """Every instance that the DICOMDIR names, in its order.

    Raises:
        OSError: the medium can't be read.
        ValueError: it isn't a DICOM file-set.
    """
    directory = dcmread(medium.folder / "DICOMDIR")
    return [
        dcmread(medium.folder.joinpath(*_parts(record)))
        for record in directory.DirectoryRecordSequence
        if record.DirectoryRecordType == "IMAGE"
    ]


def _parts(record: Dataset) -> list[str]:
    """The components of a file ID: eight characters each, so none leads out of the medium."""
    value = record.ReferencedFileID
    parts = [value] if isinstance(value, str) else list(value)
    if any(not part.replace("_", "").isalnum() for part in parts):
        raise ValueError(f"file ID {value!r} isn't one (PS3.10 8.2)")
    return parts


def _clear_shelf(shelf: Path) -> None:
    media = sorted(shelf.iterdir(), key=lambda folder: folder.stat().st_mtime_ns)
    for folder in media[:-KEPT]:
        rmtree(folder)
