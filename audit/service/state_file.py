"""Small files that are replaced as a whole."""

import os
from pathlib import Path

from audit.service.paths import PRIVATE_FILE, PRIVATE_FOLDER


def replace_file(path: Path, octets: bytes) -> None:
    """The file holds these octets, for its owner alone, at every moment the old or the new."""
    path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".tmp")
    fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, PRIVATE_FILE)
    with os.fdopen(fd, "wb") as stream:
        stream.write(octets)
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
