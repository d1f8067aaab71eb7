"""A FHIR search for a patient or a person, asked by all identifiers that are known of them.

A patient.identifier is one of the Patient's, who has others too (FHIR R4 3.1.1.4.3, chained
parameters); the table of other names stands for that resource. What names no patient isn't
given: an AuditEvent is held to what it says itself.
"""

from collections.abc import Iterator

from audit.fhir.matching import bare_identifier
from audit.fhir.parameters import known_parameter, read_token, values_in
from audit.fhir.question import Pairs
from audit.query.identities import Identities
from audit.query.identities_used import IdentitiesUsed, UsedName

_FIELDS = {"patient.identifier": "patient", "agent.identifier": "user"}
_OID = "urn:oid:"


def by_all_names(asked: Pairs, identities: Identities) -> tuple[Pairs, IdentitiesUsed]:
    """The parameters with further values for the other identifiers, and which these are."""
    names: dict[UsedName, None] = {}
    warnings: dict[str, None] = {}
    version = identities.version()
    told: list[tuple[str, str]] = []
    for name, text in asked:
        known = known_parameter(name)
        field = _FIELDS.get(known[0].name) if known and known[1] in {"", "not"} else None
        values = [text]
        for identifier, assigner in _identifiers(text) if field else ():
            others, remarks = identities.other_names(
                field or "", identifier, (assigner,) if assigner else (), version
            )
            names |= dict.fromkeys(others)
            warnings |= dict.fromkeys(remarks)
            values += [_written(one) for one in others]
        told.append((name, ",".join(dict.fromkeys(values))))
    return tuple(told), IdentitiesUsed(
        version=version, names=tuple(names), warnings=tuple(warnings)
    )


def _identifiers(text: str) -> Iterator[tuple[str, str]]:
    """Identifier and assigner of each value; none of those that name a system alone."""
    for value in values_in(text):
        token = read_token(value)
        if token.code:
            yield bare_identifier(token.code), bare_identifier(token.system or "")


def _written(one: UsedName) -> str:
    """The name as a token, its system known only where the assigner is an OID."""
    code = one.identifier
    for character in "\\|$,":
        code = code.replace(character, f"\\{character}")
    is_oid = bool(one.assigner) and one.assigner.replace(".", "").isdecimal()
    return f"{_OID}{one.assigner}|{code}" if is_oid else code
