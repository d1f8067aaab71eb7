"""Records of every event and of every message of the corpus, as the index would hold them."""

from functools import cache
from pathlib import Path

from audit.index.document import IndexedRecord
from audit.projector.project import project, project_failure
from audit.query.pseudonyms import Pseudonyms
from audit.siem.disclosure import Discloser, Disclosure
from audit.siem.formats import Formatter, SiemFormat
from tests.conformance.corpus import EXAMPLES, MESSAGES, SIZES, example
from tests.conformance.rule_cases import CASES
from tests.projector.messages import ORIGIN, entry

HEADER = b"<85>1 2026-05-28T20:26:40Z host.example app 4711 IHE+RFC-3881 - "
PSEUDONYMS = Pseudonyms(bytes(32))
RESOURCES = Path(__file__).parents[1] / "conformance" / "resources"


def record_of(message: bytes) -> IndexedRecord:
    """The record of a message that came over TLS."""
    return project(entry(HEADER + message), ORIGIN)


@cache
def corpus() -> dict[str, IndexedRecord]:
    """A record of each message that the repository's tests know, good and bad, by its name."""
    messages = {f"{event} {size}": example(event, size) for event in EXAMPLES for size in SIZES}
    messages |= {path.name: path.read_bytes() for path in sorted(MESSAGES.iterdir())}
    messages |= {path.name: path.read_bytes() for path in sorted(RESOURCES.iterdir())}
    messages |= {f"breaks {case.rule} {n}": case.broken for n, case in enumerate(CASES)}
    messages |= {"nothing": b"", "no message": b"\x00\xff<", "words": b"hello\nworld"}
    records = {name: record_of(message) for name, message in messages.items()}
    records["failure"] = project_failure(entry(b"<85>x"), ORIGIN, ValueError("no"))
    return records


def formatter(form: SiemFormat, **disclosure: bool) -> Formatter:
    """A formatter as the default settings make it, but for what is named."""
    return Formatter(form, Discloser(PSEUDONYMS, Disclosure(**disclosure)))
