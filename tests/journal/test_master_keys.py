import base64
from pathlib import Path

import pytest

from audit.errors import ConfigurationError
from audit.journal import master_keys
from audit.journal.master_keys import KeyMissing, MasterKey, MasterKeys, load_master_keys

ONE, TWO = MasterKey(bytes(range(32))), MasterKey(bytes(range(32, 64)))


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def test_keys_are_read_raw_or_as_lines(tmp_path: Path) -> None:
    path = tmp_path / "key"
    assert load_master_keys(write(path, ONE.octets)).current == ONE
    lines = base64.b64encode(TWO.octets) + b"\n\n" + ONE.octets.hex().encode() + b"\n"
    keys = load_master_keys(write(path, lines))
    assert keys.current == TWO
    assert keys.find(ONE.key_id) == ONE
    assert ONE.key_id != TWO.key_id
    assert ONE.octets.hex() not in repr(ONE)
    with pytest.raises(KeyMissing, match=r"journal\.key_file"):
        MasterKeys([ONE]).find(TWO.key_id)
    assert MasterKeys().current is None


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"AAAA\n", b"z" * 64, b"\xff" * 44])
def test_what_holds_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ConfigurationError, match="holds no keys"):
        load_master_keys(write(tmp_path / "key", content))


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "key", ONE.octets)
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        load_master_keys(path)
    with pytest.raises(ConfigurationError, match="can't be read"):
        load_master_keys(tmp_path / "none")


def test_a_process_has_one_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(master_keys._Process, "keys", MasterKeys())
    assert master_keys.in_use().current is None
    master_keys.use(MasterKeys([TWO]))
    assert master_keys.in_use().current == TWO
