"""Every bound on judging a message is a setting, and holds."""

from dataclasses import asdict
from pathlib import Path

import pytest

from audit.journal.entry import Entry, EntryKind, Received
from audit.projector.project import project
from audit.record.dicom_dataset import DataSetLimits
from audit.record.xml_input import XmlLimits
from audit.service.project import projection_options
from audit.service.validation_limits import data_set_limits, xml_limits
from audit.settings import Settings, load
from audit.settings.validation import ValidationSettings
from tests.conformance.corpus import example

QUERY = example("110112", "typical")


def test_the_defaults_are_those_of_the_parser() -> None:
    assert xml_limits(Settings()) == XmlLimits()
    assert data_set_limits(Settings()) == DataSetLimits()


def test_each_setting_reaches_its_limit() -> None:
    default = ValidationSettings()
    seen: set[str] = set()
    for name in ValidationSettings.model_fields:
        value = getattr(default, name) - 1
        settings = Settings(validation=default.model_copy(update={name: value}))
        now = {**asdict(xml_limits(settings)), **_marked(asdict(data_set_limits(settings)))}
        before = {**asdict(XmlLimits()), **_marked(asdict(DataSetLimits()))}
        changed = {key for key in now if now[key] != before[key]}
        assert len(changed) == 1, name
        assert now[next(iter(changed))] == value
        seen |= changed
    assert seen == set(asdict(XmlLimits())) | set(_marked(asdict(DataSetLimits())))


def _marked(values: dict[str, int]) -> dict[str, int]:
    return {f"query_{name}": value for name, value in values.items()}


def test_records_are_projected_within_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARR_VALIDATION__MAX_OCTETS", "1024")
    few = projection_options(load(None, {"data": tmp_path}))
    record = project(_entry(QUERY), "abcd", options=few)
    assert record.values("finding") == ("syslog-header-missing", "xml-too-large")
    monkeypatch.delenv("ARR_VALIDATION__MAX_OCTETS")
    monkeypatch.setenv("ARR_VALIDATION__QUERY_MAX_OCTETS", "4")
    narrow = projection_options(load(None, {"data": tmp_path}))
    usual = projection_options(Settings())
    for _ in range(2):
        assert project(_entry(QUERY), "abcd", options=usual).values("query_key")
        assert project(_entry(QUERY), "abcd", options=narrow).values("query_key") == ()


def _entry(raw: bytes) -> Entry:
    received = Received(raw=raw, received_at=1, listener="tls", peer="", kind=EntryKind.MESSAGE)
    return Entry(1, bytes(16), received)
