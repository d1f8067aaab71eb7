"""Programs that nobody here wrote: found, or their absence said loudly.

Provisioning asks too, beside the installing of what the tests import: so this imports none of it.
"""

import os
import shutil
import sys

_SYSTEM_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))


def program(name: str) -> str:
    """The path of a program; without it the test is skipped, or fails with ``CI=true``."""
    found = shutil.which(name, path=_SYSTEM_PATH)
    if found is not None:
        return found
    return missing(f"{name} is not installed")


def missing(what: str) -> str:
    """Skip with one loud line, or fail where everything must be there; provisioning ends."""
    if "pytest" not in sys.modules:
        sys.exit(what)
    import pytest

    if os.environ.get("CI") == "true":
        pytest.fail(f"NOT TESTED: {what}")
    pytest.skip(f"NOT TESTED HERE: {what}")
