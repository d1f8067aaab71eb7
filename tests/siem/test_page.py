"""docs/siem.md says what the settings and formats are."""

from pathlib import Path

from audit.settings.siem import SiemDestination
from audit.siem.formats import SiemFormat
from audit.standards.files import read_toml

PAGE = (Path(__file__).parents[2] / "docs" / "siem.md").read_text(encoding="utf-8")


def test_every_key_of_a_destination_is_explained() -> None:
    for name in SiemDestination.model_fields:
        assert f"`{name}`" in PAGE


def test_formats_and_editions() -> None:
    for form in SiemFormat:
        assert f"| `{form}` |" in PAGE
    assert read_toml("siem/ecs.toml")["edition"].startswith("8.11")
    assert read_toml("siem/ocsf.toml")["edition"] in PAGE
    assert read_toml("siem/ecs.toml")["constants"]["ecs.version"] == "8.11.0"


def test_every_metric_is_named() -> None:
    from audit.service.push import _MEASURES

    for family, _ in _MEASURES:
        assert f"`{family.name}" in PAGE
