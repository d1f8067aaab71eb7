"""ActiveParticipants → who asked, from where, to where (PS3.15 A.5.1)."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from audit.siem.values import Found, JsonObject, ip_of

_DESTINATION, _SOURCE = "110152", "110153"
_MEDIA = frozenset({"110154", "110155"})
_TECHNICAL = frozenset({"110150", "110151", "110152", "110153", "110154", "110155", "110156"})
"""Codes that say what a participant did; others are a person's access-control roles."""

_MACHINE, _ADDRESS, _URI = "1", "2", "5"
_AE_TITLES = ("AETITLES=", "AETITLE=")


def participant_facts(participants: Sequence[JsonObject]) -> Found:
    """Facts of all participants of a message."""
    media = [one for one in participants if _has(one, *_MEDIA)]
    acting = [one for one in participants if not _has(one, *_MEDIA)]
    requestor = _first([one for one in acting if one.get("is_requestor")]) or _first(acting)
    return {
        **_person(requestor),
        **_side("source", _first([one for one in acting if _has(one, _SOURCE)]) or requestor),
        **_side("destination", _first([one for one in acting if _has(one, _DESTINATION)])),
        "users": (name for one in acting for name in (one.get("user_id"), _alternative(one))),
        "user_names": (one.get("user_name") for one in acting),
        "role_codes": _roles(acting, "code"),
        "roles": _roles([requestor] if requestor else (), "text"),
        "ips": (ip for one in acting for ip in _ips(one)),
        "hosts": (host for one in acting for host in _hosts(one)),
        "urls": (_point(one) for one in acting if one.get("address_type") == _URI),
        "media": (one["media"]["code"] for one in participants if one.get("media")),
        "medium": (one.get("user_id") for one in media),
    }


def _first(found: Sequence[JsonObject]) -> JsonObject | None:
    return found[0] if found else None


def _has(participant: JsonObject, *codes: str) -> bool:
    return any(role["code"] in codes for role in participant.get("roles") or ())


def _roles(participants: Iterable[JsonObject], part: str) -> Iterator[str]:
    for one in participants:
        for role in one.get("roles") or ():
            if role["code"] not in _TECHNICAL:
                yield role[part] or role["code"]


def _person(requestor: JsonObject | None) -> Found:
    """Who asked for it; a process where no person is named."""
    if requestor is None:
        return {}
    return {
        "requestor_id": (requestor.get("user_id"), _alternative(requestor)),
        "requestor_name": (requestor.get("user_name"),),
        "requestor_ip": _ips(requestor),
        "requestor_host": _hosts(requestor),
    }


def _side(name: str, participant: JsonObject | None) -> Found:
    """The participant that sends or takes, or the medium's other side."""
    if participant is None:
        return {}
    return {
        f"{name}_id": (participant.get("user_id"),),
        f"{name}_ip": _ips(participant),
        f"{name}_host": _hosts(participant),
        f"{name}_ae": _ae_titles(participant),
    }


def _alternative(participant: JsonObject) -> str | None:
    text: str | None = participant.get("alternative_user_id")
    return None if text is None or text.upper().startswith(_AE_TITLES) else text


def _ae_titles(participant: JsonObject) -> Iterator[str]:
    text = participant.get("alternative_user_id") or ""
    if text.upper().startswith(_AE_TITLES):
        yield from filter(None, map(str.strip, text.partition("=")[2].split(";")))


def _ips(participant: JsonObject) -> tuple[str, ...]:
    """Its address; a sender may call it a machine name, so the type isn't asked."""
    return ip_of(_point(participant))


def _hosts(participant: JsonObject) -> tuple[str, ...]:
    """Its machine name; of a URI the host alone, for the rest may name a patient."""
    point, kind = _point(participant), participant.get("address_type")
    if ip_of(point):
        return ()
    if kind == _URI or "://" in point:
        return _host_of_uri(point)
    return (point,) if point and kind in {_MACHINE, _ADDRESS, None} else ()


def _point(participant: JsonObject) -> str:
    return (participant.get("address") or "").strip()


def _host_of_uri(uri: str) -> tuple[str, ...]:
    try:
        host: Any = urlsplit(uri).hostname
    except ValueError:
        return ()
    return (host,) if host else ()
