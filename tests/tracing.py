"""How coverage gets into processes that tests start."""

from typing import Final

TRACING: Final = "COVERAGE_PROCESS_CONFIG"
"""The variable that makes coverage trace a process from its beginning, at twice its time."""
