"""Identifiers as senders write them, taken apart: users, patients, AE titles, addresses."""

import re
from dataclasses import dataclass
from ipaddress import ip_address

_XUA = re.compile(r"\s*(?P<alias>[^<>]*)<(?P<user>[^<>]+)@(?P<issuer>[^<>@]+)>\s*")
_DOMAIN_BACKSLASH = re.compile(r"(?P<domain>[^\\@\s]+)\\(?P<user>[^\\]+)")
_USER_AT_DOMAIN = re.compile(r"(?P<user>[^@\s]+)@(?P<domain>[^@\s]+)")
_AE_TITLES = re.compile(r"\s*AETITLES?\s*=\s*(?P<titles>.*)", re.DOTALL)
_PORT = re.compile(r"\[(?P<six>[^\]]+)\](:\d+)?|(?P<four>\d+(\.\d+){3})(:\d+)?")
_CX_ESCAPES = {"\\S\\": "^", "\\T\\": "&", "\\R\\": "~", "\\E\\": "\\"}
_CX_ESCAPE = re.compile(r"\\[STRE]\\")
_CX_PARTS_BEFORE_ASSIGNER = 3


@dataclass(frozen=True, slots=True)
class UserNames:
    """What one identifier of a person or process says.

    Attributes:
        canonical: ``user@domain`` when a domain is named, else the identifier itself.
        also: other spellings by which the same one may be sought: the bare name, the alias.
    """

    canonical: str
    also: tuple[str, ...] = ()


def user_names(identifier: str) -> UserNames | None:
    r"""Take apart ``alias<user@issuer>`` (IHE ITI-40), ``DOMAIN\user`` and ``user@domain``.

    None when the identifier has no such form: it is then a plain name.
    """
    if "@" not in identifier and "\\" not in identifier:
        return None
    if found := _XUA.fullmatch(identifier):
        user, alias = found["user"].strip(), found["alias"].strip()
        return UserNames(f"{user}@{found['issuer'].strip()}", (user, alias) if alias else (user,))
    text = identifier.strip()
    for form in (_DOMAIN_BACKSLASH, _USER_AT_DOMAIN):
        if found := form.fullmatch(text):
            return UserNames(f"{found['user']}@{found['domain']}", (found["user"],))
    return None


def canonical_user(user_id: str, alternative_user_id: str, user_name: str) -> str:
    """The one name under which a participant's acts are counted.

    The first of UserName (XUA form only), UserID and AlternativeUserID that names a user with a
    domain, else the UserID, else the AlternativeUserID.
    """
    xua = user_names(user_name) if "<" in user_name else None
    for names in (xua, user_names(user_id), user_names(alternative_user_id)):
        if names is not None:
            return names.canonical
    return user_id.strip() or alternative_user_id.strip()


def ae_titles(alternative_user_id: str) -> tuple[str, ...]:
    """The AE titles of ``AETITLES=A;B`` or ``AETITLE=A`` (PS3.15 A.5.2.1), () without them."""
    found = _AE_TITLES.fullmatch(alternative_user_id)
    if found is None:
        return ()
    return tuple(title for part in found["titles"].split(";") if (title := part.strip()))


@dataclass(frozen=True, slots=True)
class PatientIdentifier:
    """An identifier, its assigning authorities apart: name and universal id, as far as given."""

    identifier: str
    assigners: tuple[str, ...] = ()


def _unescaped(text: str) -> str:
    return _CX_ESCAPE.sub(lambda found: _CX_ESCAPES[found[0]], text).strip()


def _one_patient(text: str) -> PatientIdentifier:
    parts = text.split("^")
    authority = parts[_CX_PARTS_BEFORE_ASSIGNER] if len(parts) > _CX_PARTS_BEFORE_ASSIGNER else ""
    named = (_unescaped(part) for part in authority.split("&")[:2])
    return PatientIdentifier(_unescaped(parts[0]), tuple(dict.fromkeys(filter(None, named))))


def patient_identifiers(text: str) -> tuple[PatientIdentifier, ...]:
    """The patients of an HL7 CX ``id^^^namespace&OID&ISO`` (ITI TF-2 3.20.7), repetitions too.

    A bare DICOM Patient ID is one identifier without assigner.
    """
    if "^" not in text:
        bare = text.strip()
        return (PatientIdentifier(bare),) if bare else ()
    split = (_one_patient(part) for part in text.split("~"))
    return tuple(patient for patient in split if patient.identifier)


def host_of(peer: str) -> str:
    """A peer's address without its port: ``192.0.2.1:5140`` and ``[2001:db8::1]:5140`` alike."""
    found = _PORT.fullmatch(peer.strip())
    if found is None:
        return peer.strip()
    return found["six"] or found["four"]


def is_internet_address(address: str) -> bool:
    """Whether this is an IP address of the public Internet; a host name never is."""
    try:
        return ip_address(address.strip()).is_global
    except ValueError:
        return False
