"""Folders that one process has for itself; the kernel gives them back however it ends."""

import fcntl
import os
import threading
import time
from pathlib import Path

from audit.errors import JournalBusy

_POLL_S = 0.05


def try_lock_directory(path: Path) -> int | None:
    """A descriptor that holds the folder until it is closed; None when another process has it."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    except OSError:
        os.close(fd)
        raise
    return fd


def lock_holder(path: Path) -> int | None:
    """The process that holds the folder's lock, as far as the kernel tells."""
    inode = path.stat().st_ino
    try:
        lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        words = line.split()
        if "FLOCK" in words and words[5].rpartition(":")[2] == str(inode):
            return int(words[4])
    return None


def lock_directory(path: Path, wait_s: float) -> int:
    """As ``try_lock_directory``, but wait so long for another.

    Raises:
        JournalBusy: it still has it.
    """
    deadline = time.monotonic() + wait_s
    while (fd := try_lock_directory(path)) is None:
        if time.monotonic() >= deadline:
            holder = lock_holder(path)
            who = "another process" if holder is None else f"process {holder}"
            raise JournalBusy(f"{who} is writing to {path}; stop it first")
        threading.Event().wait(_POLL_S)
    return fd
