import pytest

from audit.errors import ConfigurationError
from audit.standards import files


def test_a_schema_file_is_found_read_and_remembered() -> None:
    assert files.schema_path("rules.toml").is_file()
    assert files.read_toml("rules.toml") is files.read_toml("rules.toml")
    assert "sets" in files.read_json("ihe/transactions.json")


def test_a_missing_file_says_where_it_was_looked_for() -> None:
    with pytest.raises(ConfigurationError, match=r"schemas/nothing\.toml is missing"):
        files.schema_path("nothing.toml")


def test_every_file_of_the_standards_names_its_source_edition_and_clause() -> None:
    root = files.schema_path("rules.toml").parent
    for path in (
        root / "rules.toml",
        root / "codes.toml",
        root / "events-dicom.toml",
        *(root / "dicom").iterdir(),
        *(root / "ihe").iterdir(),
        *(root / "rfc3881").iterdir(),
        *(root / "fhir").iterdir(),
    ):
        head = path.read_text(encoding="utf-8")[:900]
        for word in ("source", "edition", "clause"):
            assert word in head, (path.name, word)
