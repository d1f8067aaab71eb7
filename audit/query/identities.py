"""Identities: a question about a patient or a person, asked by all the names they are known by.

Other identifiers come from the alias table. Studies and documents are learned from the trail: a
record that names one patient alone, with a study or a document, says whose it is, unless another
record says otherwise. So a question about a patient also finds events that carry only the study
or the document; an answer says which names it used and what is inferred.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from audit.index.criteria import And, Criteria, Exists, Not, Or, Range, Term, fold
from audit.index.document import IndexedRecord
from audit.index.port import Place
from audit.query.identities_used import IdentitiesUsed, UsedName
from audit.query.view import PrincipalView
from audit.state.aliases import Kind as AliasKind
from audit.state.aliases import KnownName, Name, Somebody

_PAGE = 500
_STUDY, _DOCUMENT = "110180", "9"
"""ParticipantObjectIDTypeCodes: Study Instance UID (DCM), Report Number (RFC 3881 5.5.3)."""

_KIND_OF: dict[str, AliasKind] = {"patient": "patient", "user": "person", "requestor": "person"}


class AliasTable(Protocol):
    """What is asked of ``audit.state.aliases.Aliases``."""

    def version(self) -> int:
        """The newest version."""

    def find(
        self, kind: AliasKind, name: Name, version: int | None = None
    ) -> tuple[Somebody, ...]:
        """Whoever has this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityOptions:
    """Bounds of what is asked by other names.

    Attributes:
        max_learned_from: newest records of a patient from which studies and documents are learned.
        max_studies: of a patient, that are asked for too; the newest.
        max_documents: of a patient, that are asked for too; the newest.
        max_asked: patients and persons of one question that are looked up.
    """

    max_learned_from: int = 1_000
    max_studies: int = 100
    max_documents: int = 100
    max_asked: int = 20


@dataclass(frozen=True, slots=True)
class ByAllNames:
    """A question to be asked by all names of the patients and persons in it."""

    query: str | Criteria


def bare(query: str | Criteria | ByAllNames) -> str | Criteria:
    """The question itself."""
    return query.query if isinstance(query, ByAllNames) else query


@dataclass(slots=True)
class _Gathered:
    """What is found while a question is rewritten."""

    names: list[UsedName] = field(default_factory=list)
    studies: dict[str, None] = field(default_factory=dict)
    documents: dict[str, None] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    asked: int = 0


class Identities:
    """Rewrites questions about patients and persons. Safe to use from several threads.

    Args:
        aliases: other names.
        options: bounds.
    """

    def __init__(self, aliases: AliasTable, options: IdentityOptions | None = None) -> None:
        self._aliases = aliases
        self._options = options or IdentityOptions()

    def patient_terms(self, identifier: str, assigner: str = "") -> tuple[Criteria, ...]:
        """Criteria of every identifier of the patient, that one first."""
        names = self._others("patient", Name(identifier, assigner), _Gathered())
        return (
            _term("patient", Name(identifier, assigner)),
            *(_term("patient", known.name) for known in names),
        )

    def applied(
        self, view: PrincipalView, criteria: Criteria, below: int, *, identified: bool = True
    ) -> tuple[Criteria, IdentitiesUsed]:
        """The question asked by all names, and which they are.

        Args:
            view: what the asking principal may see: studies are learned from nothing else.
            criteria: the question.
            below: the first journal sequence that nothing is learned from, so that pages of one
                answer are of one question.
            identified: whether the principal sees patients as they are; one who sees pseudonyms
                asks by no other name, since those would tell what is hidden.
        """
        gathered = _Gathered()
        if not identified:
            why = "other names are used for those only who see patients as they are"
            return criteria, IdentitiesUsed(version=self._aliases.version(), warnings=(why,))
        asked = self._rewritten(view, criteria, below, gathered)
        used = IdentitiesUsed(
            version=self._aliases.version(),
            names=tuple(gathered.names),
            studies=tuple(gathered.studies),
            documents=tuple(gathered.documents),
            warnings=tuple(dict.fromkeys(gathered.warnings)),
        )
        return asked, used

    def _rewritten(
        self, view: PrincipalView, criteria: Criteria, below: int, found: _Gathered
    ) -> Criteria:
        match criteria:
            case And(parts):
                return And(tuple(self._rewritten(view, one, below, found) for one in parts))
            case Or(parts):
                return Or(tuple(self._rewritten(view, one, below, found) for one in parts))
            case Not(part):
                return Not(self._rewritten(view, part, below, found))
            case Term(name, _) if name in _KIND_OF:
                return self._of_somebody(view, criteria, below, found)
            case _:
                return criteria

    def _of_somebody(
        self, view: PrincipalView, asked: Term, below: int, found: _Gathered
    ) -> Criteria:
        found.asked += 1
        if found.asked > self._options.max_asked:
            found.warnings.append(
                f"other names are used of the first {self._options.max_asked} only"
            )
            return asked
        others = self._others(_KIND_OF[asked.field], Name(asked.value), found)
        found.names += [
            UsedName(asked.field, asked.value, one.name.identifier, one.name.assigner, one.source)
            for one in others
        ]
        named = Or((asked, *(_term(asked.field, one.name) for one in others))) if others else asked
        if asked.field != "patient":
            return named
        own = {fold(asked.value), *(fold(one.name.identifier) for one in others)}
        return Or((named, *self._learned(view, named, own, below, found)))

    def _others(self, kind: AliasKind, name: Name, found: _Gathered) -> tuple[KnownName, ...]:
        somebody = self._aliases.find(kind, name)
        if len(somebody) > 1:
            found.warnings.append(
                f"{name.identifier} is an identifier of several, by who assigned it; "
                "no other name is used"
            )
        if len(somebody) != 1:
            return ()
        return tuple(
            one for one in somebody[0].names if fold(one.name.identifier) != fold(name.identifier)
        )

    def _learned(
        self, view: PrincipalView, named: Criteria, own: set[str], below: int, found: _Gathered
    ) -> Iterator[Criteria]:
        """What finds records by study or document alone."""
        studies: dict[str, None] = {}
        documents: dict[str, None] = {}
        for record in self._lessons(view, named, below, found):
            if {fold(one) for one in record.values("patient")} <= own:
                for kind, value in _carried(record):
                    (studies if kind == _STUDY else documents).setdefault(value)
        terms: list[Term] = []
        for name, word, values, most, kept in (
            ("study", "studies", studies, self._options.max_studies, found.studies),
            ("object", "documents", documents, self._options.max_documents, found.documents),
        ):
            if len(values) > most:
                found.warnings.append(f"only the newest {most} of {len(values)} {word} are used")
            sure = _sure(view, name, list(values)[:most], named)
            kept.update(dict.fromkeys(sure))
            terms += [Term(name, value) for value in sure]
        if terms:
            yield And((Not(Exists("patient")), Or(tuple(terms))))

    def _lessons(
        self, view: PrincipalView, named: Criteria, below: int, found: _Gathered
    ) -> Iterator[IndexedRecord]:
        """The newest records that name the patient and carry something."""
        carrying = And(
            (named, Or((Exists("study"), Exists("object"))), Range("sequence", None, below))
        )
        place: Place | None = None
        left = self._options.max_learned_from
        while left > 0:
            page = view.search(carrying, limit=min(_PAGE, left), after=place)
            yield from page.records
            left -= len(page.records)
            place = page.next_place
            if place is None:
                return
        found.warnings.append(
            f"studies are learned from the newest {self._options.max_learned_from} records only"
        )


def _term(name: str, one: Name) -> Criteria:
    term = Term(name, one.identifier)
    if name != "patient" or not one.assigner:
        return term
    return And((term, Term("patient_assigner", one.assigner)))


def _carried(record: IndexedRecord) -> Iterator[tuple[str, str]]:
    """Type code and id of each study and document that the record's message carries."""
    message: dict[str, Any] = record.body.get("message") or {}
    for one in message.get("objects", ()):
        code = one["id_type"]["code"]
        if code in {_STUDY, _DOCUMENT} and one["type"] == "2" and one["id"].strip():
            yield code, one["id"]


def _sure(view: PrincipalView, name: str, values: list[str], named: Criteria) -> tuple[str, ...]:
    """Those that no record gives to somebody else."""
    if not values:
        return ()
    elsewhere = And((Exists("patient"), Not(named)))

    def is_elsewhere(some: list[str]) -> bool:
        these = Or(tuple(Term(name, value) for value in some))
        return view.count(And((these, elsewhere)), at_most=1).value > 0

    if not is_elsewhere(values):
        return tuple(values)
    return tuple(value for value in values if not is_elsewhere([value]))
