"""The memory of a whole process, libxml2's included, that each hostile message takes.

Run as a program of its own: it forks for each message, and prints KiB by name as JSON.
"""

import json
import os
import resource
import sys

from audit.record.assess import assess
from tests.conformance.corpus import example
from tests.conformance.hostile_messages import HOSTILE
from tests.record.test_fhir import HOSTILE as HOSTILE_JSON


def peak_kib() -> int:
    """The most memory that this process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def taken_kib(octets: bytes) -> int:
    """How far the peak of a process of its own rises while it assesses the message."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        before = peak_kib()
        assess(octets)
        os.write(writing, str(peak_kib() - before).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        answer = told.read()
    os.waitpid(child, 0)
    return int(answer)


if __name__ == "__main__":
    assess(example("110103"))
    every = {name: octets for name, (octets, _) in HOSTILE.items()} | HOSTILE_JSON
    json.dump({name: taken_kib(octets) for name, octets in every.items()}, sys.stdout)
