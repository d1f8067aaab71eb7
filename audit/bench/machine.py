"""On what the figures were taken: without it they mean nothing."""

import os
import platform
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Any

from audit import __version__


def machine() -> dict[str, Any]:
    """Cores, load, versions and time, as JSON."""
    return {
        "version": __version__,
        "taken": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "compiled": is_compiled(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)),
        "load_1min": round(os.getloadavg()[0], 2),
    }


def is_compiled() -> bool:
    """Whether the modules that every message passes through are compiled, not interpreted."""
    spec = find_spec("audit.record.known_parts")
    return spec is not None and not str(spec.origin).endswith(".py")
