"""C-FIND attribute matching (PS3.4 C.2.2.2): a pure function of a stored value and a key."""

from pydicom.dataelem import DataElement
from pydicom.multival import MultiValue

RANGE_VRS = {"DA", "TM", "DT"}
WILDCARD_VRS = {"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"}


def element_matches(key: DataElement, stored: DataElement | None) -> bool:
    """Whether the stored attribute matches the key.

    Universal, single value, UID list, wild card and range matching; a multi-valued attribute
    matches when any of its values does, and PN is compared without regard to case and trailing
    delimiters. A sequence key matches when one stored item matches one key item.
    """
    if key.VR == "SQ":
        return _sequence_matches(key, stored)
    wanted = texts(key)
    if not any(wanted):
        return True
    held = texts(stored)
    return any(_value_matches(key.VR, want, value) for want in wanted for value in held)


def texts(element: DataElement | None) -> tuple[str, ...]:
    """The element's values as text, ``("",)`` when it is absent or empty."""
    value = None if element is None else element.value
    if value is None:
        return ("",)
    values = value if isinstance(value, (MultiValue, list)) else [value]
    return tuple(str(item).strip() for item in values) or ("",)


def _value_matches(vr: str, wanted: str, held: str) -> bool:
    if vr in RANGE_VRS:
        return _range_matches(vr, wanted, held)
    if vr == "PN":
        wanted, held = _plain_name(wanted), _plain_name(held)
    if vr in WILDCARD_VRS and ("*" in wanted or "?" in wanted):
        return _wild_card_matches(wanted, held)
    return wanted == held


def _range_matches(vr: str, wanted: str, held: str) -> bool:
    if not held:
        return False
    if "-" not in wanted:
        return _moment(vr, held, "0").startswith(_moment(vr, wanted, ""))
    first, _, last = wanted.partition("-")
    value = _moment(vr, held, "0")
    return (not first or value >= _moment(vr, first, "0")) and (
        not last or value <= _moment(vr, last, "9")
    )


def _moment(vr: str, text: str, fill: str) -> str:
    """Digits that compare as the moments do: 8 of a DA, 6 of a TM, 14 of a DT."""
    if vr == "DA":
        return text.replace(".", "")[:8]
    digits = text.replace(":", "").partition(".")[0].partition("+")[0]
    length = 6 if vr == "TM" else 14
    return digits.ljust(length, fill) if fill else digits


def _plain_name(name: str) -> str:
    return name.rstrip("^= ").casefold()


def _wild_card_matches(wanted: str, held: str) -> bool:
    """``*`` any run, ``?`` any one character; at worst len(wanted) x len(held) steps."""
    at = here = 0
    star, resume = -1, 0
    while here < len(held):
        if at < len(wanted) and wanted[at] == "*":
            star, resume = at, here
            at += 1
        elif at < len(wanted) and wanted[at] in ("?", held[here]):
            at += 1
            here += 1
        elif star >= 0:
            at, resume = star + 1, resume + 1
            here = resume
        else:
            return False
    return not wanted[at:].strip("*")


def _sequence_matches(key: DataElement, stored: DataElement | None) -> bool:
    items = list(key.value or ())
    if not items or not any(True for _ in items[0]):
        return True
    held = list(stored.value or ()) if stored is not None and stored.VR == "SQ" else []
    return any(
        all(element_matches(part, item.get(part.tag)) for part in items[0]) for item in held
    )
