import subprocess
import sys

import pytest

from audit.frame.explain import explain_header


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"<85>1 - - - - - - x", ""),
        (b"<85>1 yesterday - - - - - x", "TIMESTAMP"),
        (b"<85>1 - - -", "ends inside APP-NAME"),
        (b"85>1 - - - - - - x", "PRI and VERSION"),
        (b"<85>1 - - - - - [", "STRUCTURED-DATA"),
        (b"\xff\xfe", "PRI and VERSION"),
        (b"", "ends inside PRI"),
    ],
)
def test_the_faulty_field_is_named(raw: bytes, words: str) -> None:
    assert words in explain_header(raw)
    assert bool(explain_header(raw)) == bool(words)


def test_the_explaining_parser_is_not_imported_for_good_headers() -> None:
    code = (
        "import sys; from audit.frame.syslog import read_header;"
        "read_header(b'<85>1 - - - - IHE+RFC-3881 - <x/>');"
        "sys.exit('lark' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
