import pytest

from audit.nodes.people import clerks, outside_patient, patients, shift_at, staff


def test_the_same_seed_gives_the_same_people() -> None:
    assert patients(3) == patients(3)
    assert staff(3) == staff(3)
    assert clerks(3) == clerks(3)


def test_another_seed_gives_others() -> None:
    assert patients(3) != patients(4)
    assert staff(3) != staff(4)


def test_patient_numbers_and_user_names_are_unique() -> None:
    assert len({patient.patient_id for patient in patients(1, 500)}) == 500
    members = staff(1) + clerks(1)
    assert len({member.user_id for member in members}) == len(members)


@pytest.mark.parametrize(
    ("hour", "shift"),
    [(5, "night"), (6, "early"), (13, "early"), (14, "late"), (21, "late"), (22, "night")],
)
def test_shifts_change_at_six_fourteen_and_twenty_two(hour: int, shift: str) -> None:
    assert shift_at(hour) == shift


def test_somebody_of_each_department_is_on_duty_at_every_hour() -> None:
    departments = {member.department for member in staff(1)}
    for hour in range(24):
        assert {one.department for one in staff(1) if one.on_duty(hour)} == departments
        assert any(one.on_duty(hour) for one in clerks(1))


def test_an_outside_patient_has_another_kind_of_number() -> None:
    assert outside_patient(1, 1).patient_id == "X7001"
    assert outside_patient(1, 1) == outside_patient(1, 1)
