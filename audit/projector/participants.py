"""ActiveParticipants → user, requestor, role, source, destination, ae, address, media."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from audit.index.criteria import fold
from audit.projector.derivations import derivations
from audit.projector.field_values import FieldValues
from audit.projector.identities import (
    ae_titles,
    canonical_user,
    is_internet_address,
    user_names,
)
from audit.record.audit_message import ActiveParticipant, CodedValue

_LETTERS = re.compile(r"[^\W\d_]+")
_LONG_WORD = 5
_MAX_REMEMBERED_CHARS = 512


def has_role(participant: ActiveParticipant, role: str) -> bool:
    """Whether one of the RoleIDCodes is of this group: source, destination, media, technical."""
    codes = derivations().roles[role]
    return any(code.csd_code in codes for code in participant.role_id_codes)


def _role_values(codes: Iterable[CodedValue]) -> Iterable[str]:
    technical = derivations().roles["technical"]
    for code in codes:
        if code.csd_code not in technical:
            yield code.csd_code
            yield code.original_text


def _add_user(values: FieldValues, participant: ActiveParticipant) -> None:
    ids = (participant.user_id, participant.alternative_user_id or "")
    name = participant.user_name or ""
    values.add("user", *ids)
    for identifier in (*ids, name):
        names = user_names(identifier)
        if names is not None:
            values.add("user", names.canonical, *names.also)
    values.add("user_name", name)
    if participant.user_is_requestor:
        values.add("requestor", canonical_user(*ids, name))


def add_participant(values: FieldValues, participant: ActiveParticipant) -> None:
    """Add what one participant says. A medium is no user: it feeds ``media`` only."""
    if has_role(participant, "media"):
        values.add("object", participant.user_id)
    else:
        _add_user(values, participant)
    values.add("role", *_role_values(participant.role_id_codes))
    if has_role(participant, "source"):
        values.add("source", participant.user_id)
    if has_role(participant, "destination"):
        values.add("destination", participant.user_id)
    values.add("ae", *ae_titles(participant.alternative_user_id or ""))
    values.add("address", participant.network_access_point_id)
    if participant.media_type is not None:
        values.add("media", participant.media_type.csd_code, participant.media_type.original_text)


def _names(participant: ActiveParticipant) -> tuple[str, ...]:
    alternative = participant.alternative_user_id or ""
    return (participant.user_id, participant.user_name or "", *ae_titles(alternative))


def _kind_by_words(names: Iterable[str]) -> str:
    runs = {run for name in names for run in _LETTERS.findall(fold(name))}
    for kind, words in derivations().destination_words.items():
        for word in words:
            if word in runs or (len(word) >= _LONG_WORD and any(word in run for run in runs)):
                return kind
    return ""


def destination_kind(participant: ActiveParticipant, known: Mapping[str, str]) -> str:
    """viewer, archive or outside; empty when nothing says it.

    Args:
        participant: one in the role of destination.
        known: the site's own list, kind by folded AE title, UserID or network access point;
            it beats every guess.
    """
    names = (*_names(participant), participant.network_access_point_id or "")
    if known:
        for name in names:
            if (listed := known.get(fold(name))) is not None:
                return listed
    if sum(map(len, names)) > _MAX_REMEMBERED_CHARS:
        return _guessed_kind(names)
    return _remembered_guess(names)


def _guessed_kind(names: tuple[str, ...]) -> str:
    """By the words of the names; the last one is the network access point."""
    if is_internet_address(names[-1]):
        return "outside"
    return _kind_by_words(names[:-1])


_remembered_guess = lru_cache(maxsize=1_024)(_guessed_kind)
