import pytest

from audit.standards import code_tables, event_table
from audit.standards.code_tables import event_name, is_transaction, table, text_of


@pytest.mark.parametrize(
    ("code", "system", "text"),
    [
        ("110112", "DCM", "Query"),
        ("110153", "DCM", "Source Role ID"),
        ("110032", "DCM", "CD"),
        ("2", "RFC-3881", "Patient Number"),
        ("ITI-18", "IHE Transactions", "Registry Stored Query"),
        ("110112", "99X", ""),
        ("none", "DCM", ""),
    ],
)
def test_the_name_of_a_code(code: str, system: str, text: str) -> None:
    assert text_of(code, system) == text


def test_names_of_events_and_transactions() -> None:
    assert event_name("110106") == "Export"
    assert event_name("IHE0004") == "Patient Care Episode"
    assert event_name("1") == ""
    assert is_transaction("ITI-41", "IHE Transactions")
    assert is_transaction("ITI-41", "ITI")
    assert is_transaction("RAD-107", "IHE Transactions")
    assert is_transaction("RAD-107", "")
    assert is_transaction("RAD-107", "1.3.6.1.4.1.19376.1.2")
    assert not is_transaction("RAD-107", "99LOCAL")
    assert is_transaction("PPQ-2", "e-health-suisse")
    assert not is_transaction("ADR", "99LOCAL")
    assert is_transaction("IHE0006", "IHE")
    assert not is_transaction("110120", "DCM")


def test_the_ranges_of_enumerations() -> None:
    assert set(table("event_action").codes) == set("CRUDE")
    assert set(table("event_outcome").codes) == {"0", "4", "8", "12"}
    assert len(table("object_role").codes) == 26
    assert len(table("object_life_cycle").codes) == 15


def test_there_is_a_row_for_every_event_of_dicom() -> None:
    assert set(event_table.dicom_events()) == set(table("event_id").codes)
    clauses = [row.clause for row in event_table.dicom_events().values()]
    assert clauses == [f"PS3.15 A.5.3.{n}" for n in range(1, 16)]


def test_rows_agree_with_the_code_tables() -> None:
    rows = [*event_table.dicom_events().values()]
    for of in (event_table.transactions(), event_table.common_practice()):
        rows += [row for several in of.values() for row in several]
    rows += event_table.fhir_profiles().values()
    roles = {*table("role_id").codes, "", "159541003", "429577009", "custodian"}
    for row in rows:
        assert row.event in table("event_id").codes or (row.profile and row.event == "rest")
        assert set(row.actions) <= set("CRUDE")
        assert not row.transaction or is_transaction(row.transaction, _system_of(row.transaction))
        assert {one.role for one in row.participants} <= roles
        for one in row.objects:
            assert set(one.types) <= set(table("object_type").codes)
            assert set(one.roles) <= set(table("object_role").codes)


def test_every_transaction_that_the_framework_tells_is_there() -> None:
    assert len(event_table.transactions()) == 26
    assert len(event_table.transactions()["ITI-43"]) == 2


def test_what_the_framework_tells_is_told_nowhere_else() -> None:
    assert not set(event_table.transactions()) & set(event_table.common_practice())
    assert not set(event_table.transactions()) & set(event_table.fhir_transactions())
    assert all(row.practice for rows in event_table.common_practice().values() for row in rows)
    assert not any(row.binding for row in event_table.fhir_profiles().values())
    assert "RAD-69" in event_table.common_practice()
    assert "ITI-67" in event_table.fhir_transactions()
    assert "IHE.BasicAudit.PatientRead" in event_table.fhir_profiles()


def test_only_export_and_import_demand_exactly_one_requestor() -> None:
    demanding = {
        row.event for row in event_table.dicom_events().values() if row.requestors == "exactly-one"
    }
    assert demanding == {"110106", "110107"}


def test_tables_can_not_be_changed() -> None:
    with pytest.raises(TypeError):
        code_tables.table("event_id").codes["x"] = "y"  # type: ignore[index]


def _system_of(transaction: str) -> str:
    swiss = table("transaction_swiss")
    return swiss.system if transaction in swiss.codes else "IHE Transactions"
