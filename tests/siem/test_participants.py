"""Who asked, from where, to where."""

from typing import Any

import pytest

from audit.siem.participants import participant_facts
from audit.siem.values import present

SOURCE = {"code": "110153", "system": "DCM", "text": "Source Role ID"}
DESTINATION = {"code": "110152", "system": "DCM", "text": "Destination Role ID"}
MEDIUM = {"code": "110154", "system": "DCM", "text": "Destination Media"}
DOCTOR = {"code": "309343006", "system": "SCT", "text": "Physician"}


def one(user_id: str = "u", *roles: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"user_id": user_id, "roles": list(roles)} | more


def facts(*participants: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    found = {name: present(values) for name, values in participant_facts(participants).items()}
    return {name: values for name, values in found.items() if values}


@pytest.mark.parametrize(
    ("address", "kind", "ips", "hosts"),
    [
        ("10.1.2.3", "2", ("10.1.2.3",), ()),
        ("10.1.2.3", "1", ("10.1.2.3",), ()),
        ("2001:DB8::1", "2", ("2001:db8::1",), ()),
        ("fe80::1%eth0", "2", (), ("fe80::1%eth0",)),
        ("ws12", "1", (), ("ws12",)),
        ("https://pacs.example/patients/4711", "5", (), ("pacs.example",)),
        ("https://pacs.example/patients/4711", None, (), ("pacs.example",)),
        ("https://[::1/x", "5", (), ()),
        ("urn:oid:1.2.3", "5", (), ()),
        ("+41 44 000 00 00", "3", (), ()),
        ("jane@example.org", "4", (), ()),
        (None, None, (), ()),
    ],
)
def test_network_access_points(
    address: str | None, kind: str | None, ips: tuple[str, ...], hosts: tuple[str, ...]
) -> None:
    found = facts(one(address=address, address_type=kind))
    assert (found.get("ips", ()), found.get("hosts", ())) == (ips, hosts)


def test_the_requestor_is_who_asked() -> None:
    found = facts(one("process"), one("jdoe", DOCTOR, is_requestor=True, user_name="Doe"))
    assert (found["requestor_id"], found["requestor_name"]) == (("jdoe",), ("Doe",))
    assert (found["roles"], found["role_codes"]) == (("Physician",), ("309343006",))
    assert facts(one("first"), one("second"))["requestor_id"] == ("first",)


def test_roles_are_those_of_who_asked_and_no_technical_ones() -> None:
    nurse = {"code": "224608005", "system": "SCT", "text": "Nurse"}
    local = {"code": "110199", "system": "99LOCAL", "text": "Night duty"}
    found = facts(one("receiver", nurse), one("jdoe", SOURCE, DOCTOR, local, is_requestor=True))
    assert found["roles"] == ("Physician", "Night duty")
    assert found["role_codes"] == ("224608005", "309343006", "110199")


def test_other_names_and_addresses_of_pages_are_kept() -> None:
    page = "https://pacs.example/patients/4711"
    found = facts(
        one("jdoe", alternative_user_id="jane@idp.example", address=page, address_type="5"),
        one("17", alternative_user_id="AETITLES=PACS"),
    )
    assert found["users"] == ("jdoe", "jane@idp.example", "17")
    assert found["urls"] == (page,)


def test_sides_and_their_ae_titles() -> None:
    found = facts(
        one("1", SOURCE, alternative_user_id="AETITLES= A ; B"),
        one("2", DESTINATION, alternative_user_id="x@y", address="10.0.0.2"),
        one("jdoe", is_requestor=True, address="10.0.0.3"),
    )
    assert (found["source_ae"], found["source_id"]) == (("A", "B"), ("1",))
    assert (found["destination_id"], found["destination_ip"]) == (("2",), ("10.0.0.2",))
    assert "source_ip" not in found
    alone = facts(one("jdoe", is_requestor=True, address="10.0.0.3"))
    assert alone["source_ip"] == ("10.0.0.3",)


def test_a_medium_is_nobody() -> None:
    media = {"code": "110033", "system": "DCM", "text": "DVD"}
    found = facts(one("DVD of Jane Doe", MEDIUM, media=media), one("jdoe"))
    assert (found["users"], found["medium"]) == (("jdoe",), ("DVD of Jane Doe",))
    assert found["media"] == ("110033",)
    assert facts() == {}
