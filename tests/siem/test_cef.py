"""Every record as a CEF line, read back by a parser of others and by the letter of the format."""

import re
from typing import Any

import pycef  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.siem.cef import escape_header, escape_value
from audit.siem.formats import SiemFormat
from audit.standards.files import read_toml
from tests.siem.records import corpus, formatter

KEYS = {row["key"] for row in read_toml("siem/cef.toml")["field"]}
LABELS = {
    row["label"]: row["key"] for row in read_toml("siem/cef.toml")["field"] if "label" in row
}


def line_of(name: str, **disclosure: bool) -> str:
    return formatter(SiemFormat.CEF, **disclosure).line(corpus()[name]).decode()


def read(line: str) -> tuple[list[str], dict[str, str]]:
    """Header fields and extension, by the letter: escapes undone, keys split at bare ``=``."""
    parts = re.split(r"(?<!\\)((?:\\\\)*)\|", line, maxsplit=7)
    header = ["".join(parts[i : i + 2]) for i in range(0, 14, 2)]
    found: dict[str, str] = {}
    pairs = re.split(r"(?:^| )([A-Za-z0-9]+)=", parts[-1])
    for key, value in zip(pairs[1::2], pairs[2::2], strict=True):
        assert key not in found
        found[key] = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], value)
    return header, found


@pytest.mark.parametrize("name", corpus())
def test_every_line_is_read_by_others(name: str) -> None:
    for line in (line_of(name), line_of(name, patients=True)):
        assert "\n" not in line
        header, extension = read(line)
        assert header[0] == "CEF:0"
        assert len(header) == 7
        assert 0 <= int(header[6]) <= 10
        assert {key.removesuffix("Label") for key in extension} <= KEYS
        theirs: dict[str, Any] = pycef.parse(line)
        assert theirs["DeviceEventClassID"] == header[4]
        for key, value in extension.items():
            label = extension.get(f"{key}Label")
            if not key.endswith("Label") and not {"\n", "\\", "="} & set(value):
                assert theirs[label or key].strip() == value.strip()


def test_what_the_fields_mean() -> None:
    header, extension = read(line_of("110112 full"))
    assert header[4:6] == ["DCM:110112", "Query"]
    assert extension["flexString1"].startswith("QueryRetrieveLevel=STUDY, PatientName=name-")
    assert (extension["cat"], extension["act"], extension["outcome"]) == (
        "database",
        "query",
        "failure",
    )
    assert extension["src"] == "10.1.2.9"
    export = read(line_of("110106 full"))[1]
    assert "cnt" not in export
    assert "request" not in export
    assert (export["cn2"], export["cn2Label"]) == ("3", "Instances")


@pytest.mark.parametrize("row", read_toml("siem/cef.toml")["field"], ids=lambda row: row["key"])
def test_no_value_is_longer_than_its_field(row: dict[str, Any]) -> None:
    for name in corpus():
        value = read(line_of(name, patients=True))[1].get(row["key"], "")
        assert len(value) <= row.get("longest", 4000)


@given(st.text(), st.text())
def test_no_text_breaks_header_field_or_line(first: str, second: str) -> None:
    writable = [text.encode("utf-8", "replace").decode() for text in (first, second)]
    line = f"CEF:0|{escape_header(writable[0])}|a|b|c|d|e|k={escape_value(writable[1])} m=x"
    assert len(line.splitlines()) == 1
    header, extension = read(line)
    assert len(header) == 7
    assert set(extension) >= {"k", "m"}
    assert extension["m"] == "x"
    assert set(extension) == {"k", "m"}
