"""Which tests share a worker: those of a module, whose fixtures are then made once, and those of
one Elasticsearch or one demo.
"""

from typing import Any, Final

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # has no marker

SERVER: Final = "elastic"
"""In the names of all tests that ask the one Elasticsearch, and of those that imitate it."""


_DEMO: Final = "tests/end_to_end"


def scope_of(nodeid: str) -> str:
    """What is run by one worker, in one go."""
    if SERVER in nodeid:
        return SERVER
    return _DEMO if nodeid.startswith(_DEMO) else nodeid.partition("::")[0]


class ByModule(LoadScopeScheduling):  # type: ignore[misc]  # as above
    """Gives workers one scope after the other, in the order of the collection."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


def scheduler(config: pytest.Config, log: Any) -> ByModule:
    """What xdist asks for."""
    config.option.loadscopereorder = False  # the longest ones aren't those with the most tests
    return ByModule(config, log)
