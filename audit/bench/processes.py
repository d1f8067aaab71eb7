"""What other processes of this machine use: Linux proc(5)."""

import os
from pathlib import Path

_PROC = Path("/proc")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_KIBI = 1024
_UTIME = 11
"""Place of utime among the fields of ``stat`` that follow the program's name; stime is next, then
the same of children that have been waited for."""


def cpu_of_tree(pid: int) -> float:
    """Processor seconds of a process and its living children so far; 0 once it has ended."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        children = (_PROC / str(pid) / "task" / str(pid) / "children").read_text().split()
        for task in (_PROC / str(pid) / "task").iterdir():
            if task.name != str(pid):
                children += (task / "children").read_text().split()
    except OSError:
        return 0.0
    own = sum(map(int, fields[_UTIME : _UTIME + 4])) / _TICKS_PER_S
    return own + sum(cpu_of_tree(int(child)) for child in children)


def rss_of(pid: int) -> int:
    """Octets of memory that a process holds; 0 once it has ended."""
    try:
        status = (_PROC / str(pid) / "status").read_text()
    except OSError:
        return 0
    lines = (line.split() for line in status.splitlines() if line.startswith("VmRSS:"))
    return sum(int(parts[1]) * _KIBI for parts in lines)
