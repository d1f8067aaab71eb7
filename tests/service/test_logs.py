import json

import pytest
import structlog

from audit.service.logs import configure_logs


def test_no_value_can_begin_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info")
    try:
        hostile = 'x\n{"event":"forged"}\r\u2028\x1b[31m"\\'
        structlog.get_logger().info("refused", peer=hostile, **{"odd\nname": "v"})
        structlog.get_logger().debug("below the level")
    finally:
        structlog.reset_defaults()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].isascii()
    said = json.loads(lines[0])
    assert (said["event"], said["peer"]) == ("refused", hostile)
