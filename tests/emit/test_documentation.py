"""The examples of docs/secure-node.md run as they stand."""

import re
from pathlib import Path

from audit.emit import SecureNode
from tests.emit.repository import Pki, Repository
from tests.emit.test_connect import events
from tests.emit.test_secure_node import ACTS
from tests.waiting import until

PAGE = Path(__file__).parents[2] / "docs" / "secure-node.md"


def test_the_examples_run(tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    client = pki.client()
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    with Repository().listening(pki.server_options()) as repository:
        names: dict[str, object] = {
            "HOST": "127.0.0.1",
            "PORT": repository.tls_port,
            "CA_FILE": client.trust.ca_files[0],
            "CERTIFICATE_FILE": client.certificate,
            "KEY_FILE": client.private_key,
            "SPOOL_FOLDER": tmp_path / "spool",
            "IDENTIFIER": b"\x08\x00\x52\x00\x06\x00\x00\x00STUDY ",
        }
        exec("\n".join(examples), names)  # noqa: S102 - the page is ours
        until(lambda: len(repository.arrived) == 9)
    assert isinstance(names["node"], SecureNode)
    assert names["node"].lost == 0
    assert {"110100", "110114", "110112", "110104", "110103", "110106"} == set(
        events(repository.arrived)
    )


def test_every_method_stands_in_the_table() -> None:
    text = PAGE.read_text()
    for method, (event, _) in ACTS.items():
        rows = [line for line in text.splitlines() if f"`{method}`" in line and "| 1101" in line]
        assert len(rows) == 1, method
        assert event in rows[0]
