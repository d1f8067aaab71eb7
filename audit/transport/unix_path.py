"""Unix sockets at paths of any length: through the folder's descriptor in /proc (Linux)."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LONGEST_SOCKET_PATH_OCTETS = 107
"""``sun_path`` less its closing NUL (unix(7))."""


@contextmanager
def usable_address(path: Path) -> Iterator[str]:
    """An address for ``bind`` or ``connect`` that leads to ``path``, while the block lasts.

    Raises:
        OSError: the folder doesn't exist or can't be opened.
    """
    text = str(path)
    if len(os.fsencode(text)) <= LONGEST_SOCKET_PATH_OCTETS:
        yield text
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
