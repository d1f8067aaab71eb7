"""ActiveParticipants and AuditSources → agent and source.

Source: FHIR R4 AuditEvent 6.4.6; IHE ITI TF-2 3.40 (UserName of XUA).
"""

import re

from audit.fhir.values import (
    NOT_TOLD,
    Json,
    absent,
    absolute_uri,
    agent_types,
    code,
    coding,
    concept,
    enumerated,
    string,
    without_gaps,
)
from audit.record.audit_message import ActiveParticipant, AuditSource

OTHER_ID = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/ihe-otherId"

_XUA = re.compile(r"\s*[^<>]*<(?P<user>[^<>]+)@(?P<issuer>[^<>@]+)>\s*")
_NETWORK_TYPES = frozenset("12345")
_BARE_SYSTEM = frozenset({"", "DCM", "RFC-3881"})


def agent_of(participant: ActiveParticipant) -> Json:
    """One participant as agent."""
    types = [one for one in participant.role_id_codes if code(one.csd_code) in agent_types()]
    roles = [one for one in participant.role_id_codes if one not in types[:1]]
    media = participant.media_type
    return without_gaps(
        {
            "type": concept(types[0]) if types else {},
            "role": [told for one in roles if (told := concept(one))],
            "who": _who(participant),
            "altId": string(participant.alternative_user_id),
            "name": string(participant.user_name),
            "requestor": participant.user_is_requestor,
            "media": coding(media) if media is not None else {},
            "network": _network(participant),
        }
    )


def nobody() -> Json:
    """The agent of an event that names none: FHIR demands one."""
    return {"extension": absent(), "requestor": False}


def _who(participant: ActiveParticipant) -> Json:
    """By the user's name with its issuer where XUA gives it, else by UserID."""
    user_id = string(participant.user_id)
    for told in (participant.user_name or "", user_id):
        if (found := _XUA.fullmatch(told)) is None:
            continue
        issued = _issued(found["user"], found["issuer"])
        also = user_id if user_id not in {told, issued.get("value")} else ""
        other = [{"url": OTHER_ID, "valueIdentifier": {"value": also}}] if also else []
        return without_gaps({"extension": other, "identifier": issued})
    return {"identifier": {"value": user_id}} if user_id else {}


def _issued(user: str, issuer: str) -> Json:
    system = absolute_uri(issuer)
    assigner = {} if system else {"display": string(issuer)}
    return without_gaps({"system": system, "value": string(user), "assigner": assigner})


def _network(participant: ActiveParticipant) -> Json:
    address = string(participant.network_access_point_id)
    kind = code(participant.network_access_point_type_code)
    told = {"address": address, "type": kind if kind in _NETWORK_TYPES else ""}
    return without_gaps(told)


def source_of(sources: tuple[AuditSource, ...]) -> Json:
    """The first AuditSource as source; FHIR has room for one."""
    if not sources:
        return {"observer": {"extension": absent(), "display": NOT_TOLD}}
    first = sources[0]
    return without_gaps(
        {
            "site": string(first.audit_enterprise_site_id),
            "observer": _observer(first),
            "type": source_types(first),
        }
    )


def source_types(source: AuditSource) -> list[Json]:
    """AuditSourceTypeCodes; the bare codes 1 to 9 are those of RFC 3881."""
    made: list[Json] = []
    for one in source.audit_source_type_codes:
        bare = code(one.csd_code)
        is_bare = one.code_system_name in _BARE_SYSTEM and len(bare) == 1 and bare.isdecimal()
        made.append(enumerated("source_type", bare) if is_bare else coding(one))
    return [one for one in made if one]


def _observer(source: AuditSource) -> Json:
    known = string(source.audit_source_id)
    if known:
        return {"identifier": {"value": known}}
    return {"extension": absent(), "display": NOT_TOLD}
