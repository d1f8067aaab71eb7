"""Who is on duty when."""

from datetime import datetime

from audit.simulate.facts import facts
from audit.simulate.people import Staff, mixed

_SATURDAY = 5
_TURNS = ("early", "late", "night")
_WEEKS_IN_TURN = 4
_ON_LEAVE_ONE_IN = 12


def _covers(shift: str, hour: int) -> bool:
    begin, end = facts().shifts[shift]
    return begin <= hour < end if begin < end else hour >= begin or hour < end


def hours_left(shift: str, hour: int) -> int:
    """Whole hours until the shift ends, one at least."""
    _, end = facts().shifts[shift]
    return (end - hour) % 24 or 1


def shift_of(member: Staff, local: datetime) -> str | None:
    """The shift that a member works on that local day; None when off."""
    day = local.toordinal()
    if mixed(member.index + 1, day) % _ON_LEAVE_ONE_IN == 0:
        return None
    weekend = local.weekday() >= _SATURDAY
    if not member.turning:
        return None if weekend else "day"
    turn = (member.phase + day // 7) % _WEEKS_IN_TURN
    if weekend:
        return _TURNS[member.phase % 3] if turn % 2 else None
    return _TURNS[turn] if turn < len(_TURNS) else "day"


class Roster:
    """The members of each department on duty; found once per hour."""

    def __init__(self, staff: tuple[Staff, ...]) -> None:
        self._by_department: dict[str, list[Staff]] = {}
        for member in staff:
            self._by_department.setdefault(member.department.code, []).append(member)
        self._hour: tuple[int, int] = (0, -1)
        self._present: dict[str, list[Staff]] = {}

    def on_duty(self, department: str, local: datetime) -> list[Staff]:
        """Who is there at that local time; never empty: out of hours one member is on call."""
        hour = (local.toordinal(), local.hour)
        if hour != self._hour:
            self._hour, self._present = hour, {}
        present = self._present.get(department)
        if present is None:
            present = self._present[department] = self._found(department, local)
        return present

    def _found(self, department: str, local: datetime) -> list[Staff]:
        members = self._by_department[department]
        present = [
            member
            for member in members
            if (shift := shift_of(member, local)) is not None and _covers(shift, local.hour)
        ]
        return present or [members[local.toordinal() % len(members)]]
