"""On what the figures were taken: without it they mean nothing."""

import os
import platform
from datetime import UTC, datetime
from typing import Any

from audit import __version__


def machine() -> dict[str, Any]:
    """Cores, load, versions and time, as JSON."""
    return {
        "version": __version__,
        "taken": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)),
        "load_1min": round(os.getloadavg()[0], 2),
    }
