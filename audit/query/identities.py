"""Identities: a question about a patient or a person, asked by all the names they are known by.

Other identifiers come from the alias table. Studies and documents are learned from the trail: a
record that names one patient alone, with a study or a document, says whose it is, unless another
record says otherwise. So a question about a patient also finds events that carry only the study
or the document; an answer says which names it used and what is inferred.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from audit.index.criteria import And, Criteria, Exists, Not, Or, Range, Term, fold
from audit.index.document import IndexedRecord
from audit.index.port import Place
from audit.query.identities_used import IdentitiesUsed, UsedName
from audit.query.lessons import Lessons
from audit.query.view import PrincipalView
from audit.state.aliases import Kind as AliasKind
from audit.state.aliases import KnownName, Name, Somebody

_OTHERS = 100
"""Records of others that are read at a time; each takes at least one study or document away."""
_STUDY, _DOCUMENT = "110180", "9"
"""ParticipantObjectIDTypeCodes: Study Instance UID (DCM), Report Number (RFC 3881 5.5.3)."""
_NO_NUMBER = frozenset({_STUDY, "110181", "110182", "10", "12"})
"""ParticipantObjectIDTypeCodes of what can be no report's number: UIDs and nodes (DCM), search
criteria and addresses (RFC 3881 5.5.4)."""

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
        max_learned_from: records of a patient that are read to learn studies and documents.
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


Asked: TypeAlias = str | Criteria | ByAllNames
"""A question: by the names in it, or by all names of whoever is named in it."""


def bare(query: Asked) -> str | Criteria:
    """The question itself."""
    return query.query if isinstance(query, ByAllNames) else query


@dataclass(frozen=True, slots=True)
class Setting:
    """Who asks, and as of when.

    Attributes:
        view: what the asking principal may see: studies are learned from nothing else.
        below: the first journal sequence that nothing is learned from, so that pages of one
            answer are of one question.
        identified: whether the principal sees patients as they are; one who sees pseudonyms asks
            by no other name, since those would tell what is hidden.
        version: of the alias table, as ``below`` is of the trail; the newest by default.
    """

    view: PrincipalView
    below: int
    identified: bool = True
    version: int | None = None


@dataclass(frozen=True, slots=True)
class _Sought:
    """One patient or person as the question names them.

    Attributes:
        field: of the query language.
        identifier: as asked.
        assigners: as asked, if any: then another's identifier of the same spelling isn't meant.
        criteria: what the question says of them.
    """

    field: str
    identifier: str
    assigners: tuple[str, ...]
    criteria: Criteria

    def means(self, somebody: Somebody) -> bool:
        """Whether the table's patient or person is the one who is sought."""
        return any(self.is_called(one.name) for one in somebody.names)

    def is_called(self, name: Name) -> bool:
        """Whether the question has the name already: another assigner's is another name."""
        if fold(name.identifier) != fold(self.identifier):
            return False
        return not self.assigners or fold(name.assigner) in {"", *map(fold, self.assigners)}


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
        own = _term("patient", Name(identifier, assigner))
        sought = _Sought("patient", identifier, (assigner,) if assigner else (), own)
        names = self._others(sought, self._aliases.version(), _Gathered())
        return (own, *(_term("patient", known.name) for known in names))

    def version(self) -> int:
        """The alias table's newest version."""
        return self._aliases.version()

    def other_names(
        self, field: str, identifier: str, assigners: tuple[str, ...], version: int
    ) -> tuple[tuple[UsedName, ...], tuple[str, ...]]:
        """Other names of a patient or user at a version, and what to know about them."""
        found = _Gathered()
        sought = _Sought(field, identifier, assigners, Term(field, identifier))
        others = self._others(sought, version, found)
        return tuple(_used(sought, one) for one in others), tuple(found.warnings)

    def applied(self, criteria: Criteria, setting: Setting) -> tuple[Criteria, IdentitiesUsed]:
        """The question asked by all names, and which they are."""
        version = self._aliases.version() if setting.version is None else setting.version
        gathered = _Gathered()
        if setting.identified:
            rewriting = _Rewriting(self, setting, version, gathered)
            criteria = rewriting.of(criteria)
        elif any(_names_somebody(one) for one in _leaves(criteria)):
            gathered.warnings.append(
                "other names are used for those only who see patients as they are"
            )
        return criteria, IdentitiesUsed(
            version=version,
            names=tuple(gathered.names),
            studies=tuple(gathered.studies),
            documents=tuple(gathered.documents),
            warnings=tuple(dict.fromkeys(gathered.warnings)),
        )

    def of_somebody(
        self, sought: _Sought, setting: Setting, version: int, found: _Gathered
    ) -> Criteria:
        """What finds them by every name, and a patient by study and document as well."""
        found.asked += 1
        if found.asked > self._options.max_asked:
            found.warnings.append(
                f"other names are used of the first {self._options.max_asked} only"
            )
            return sought.criteria
        others = self._others(sought, version, found)
        found.names += [_used(sought, one) for one in others]
        terms = tuple(_term(sought.field, one.name) for one in others)
        named = Or((sought.criteria, *terms)) if terms else sought.criteria
        if sought.field != "patient":
            return named
        own = {fold(sought.identifier), *(fold(one.name.identifier) for one in others)}
        return Or((named, *self._learned(setting, named, own, found)))

    def _others(self, sought: _Sought, version: int, found: _Gathered) -> tuple[KnownName, ...]:
        known = self._aliases.find(_KIND_OF[sought.field], Name(sought.identifier), version)
        somebody = [one for one in known if sought.means(one)]
        if len(somebody) > 1:
            found.warnings.append(
                f"{sought.identifier} is an identifier of several, by who assigned it; "
                "no other name is used"
            )
        if len(somebody) != 1:
            return ()
        return tuple(one for one in somebody[0].names if not sought.is_called(one.name))

    def _learned(
        self, setting: Setting, named: Criteria, own: set[str], found: _Gathered
    ) -> Iterator[Criteria]:
        """What finds records by study or document alone."""
        studies: dict[str, Place] = {}
        documents: dict[str, Place] = {}
        read = self._options.max_learned_from
        lessons = Lessons(setting.view, named, setting.below, read)
        for record in lessons:
            if {fold(one) for one in record.values("patient")} <= own:
                lessons.tell(_told(record))
                at = Place(record.time, record.sequence)
                for kind, value in _carried(record):
                    (studies if kind == _STUDY else documents).setdefault(value, at)
        if not lessons.are_all:
            found.warnings.append(f"studies are learned from {read} of the records only")
        terms: list[Term] = []
        for name, word, values, most in (
            ("study", "studies", studies, self._options.max_studies),
            ("object", "documents", documents, self._options.max_documents),
        ):
            if len(values) > most:
                found.warnings.append(f"only the newest {most} of {len(values)} {word} are used")
            terms += [Term(name, one) for one in _newest_first(values)[:most]]
        sure = _sure(setting, terms, named, found)
        found.studies |= dict.fromkeys(one.value for one in sure if one.field == "study")
        found.documents |= dict.fromkeys(one.value for one in sure if one.field == "object")
        if sure:
            yield And((Not(Exists("patient")), Or(sure)))


def _newest_first(told: dict[str, Place]) -> list[str]:
    return sorted(told, key=lambda one: (told[one].time, told[one].sequence), reverse=True)


def _used(sought: _Sought, one: KnownName) -> UsedName:
    name = one.name
    return UsedName(sought.field, sought.identifier, name.identifier, name.assigner, one.source)


def _term(name: str, one: Name) -> Criteria:
    term = Term(name, one.identifier)
    if name != "patient" or not one.assigner:
        return term
    return And((term, Term("patient_assigner", one.assigner)))


def _carried(record: IndexedRecord) -> Iterator[tuple[str, str]]:
    """Type code and id of each study and document that the record's message carries."""
    for code, system_object, identifier in _objects(record):
        if system_object and code in {_STUDY, _DOCUMENT}:
            yield code, identifier


def _told(record: IndexedRecord) -> Iterator[tuple[str, str]]:
    """Field and value of ids that the record says all of: they are carried, or no such thing.

    A number of another kind is neither: an order's may be its report's in another message.
    """
    for code, system_object, identifier in _objects(record):
        if not system_object or code in _NO_NUMBER:
            yield "object", identifier
    for code, identifier in _carried(record):
        yield "object", identifier
        if code == _STUDY:
            yield "study", identifier


def _objects(record: IndexedRecord) -> Iterator[tuple[str, bool, str]]:
    """Type code of the id, whether a system object, and the id of each object that has one."""
    message: dict[str, Any] = record.body.get("message") or {}
    for one in message.get("objects", ()):
        if one["id"].strip():
            yield one["id_type"]["code"], one["type"] == "2", one["id"]


def _sure(
    setting: Setting, terms: list[Term], named: Criteria, found: _Gathered
) -> tuple[Term, ...]:
    """Those that no record gives to somebody else, as far as the answer's records go."""
    elsewhere = And((Exists("patient"), Not(named), Range("sequence", None, setting.below)))
    left = terms
    while left:
        page = setting.view.search(And((Or(tuple(left)), elsewhere)), limit=_OTHERS)
        if page.partial:
            found.warnings.append("a part of the index did not answer: no study is used")
            return ()
        others = {
            (name, fold(value))
            for record in page.records
            for name in ("study", "object")
            for value in record.values(name)
        }
        left = [one for one in left if (one.field, fold(one.value)) not in others]
        if page.next_place is None:
            break
    return tuple(left)


class _Rewriting:
    """One question on its way to be asked by all names."""

    def __init__(
        self, identities: Identities, setting: Setting, version: int, found: _Gathered
    ) -> None:
        self._identities = identities
        self._setting = setting
        self._version = version
        self._found = found
        self._made: dict[_Sought, Criteria] = {}

    def of(self, criteria: Criteria) -> Criteria:
        """The same question, everybody in it by all names."""
        match criteria:
            case And(parts):
                return And(self._all(parts))
            case Or(parts):
                return Or(tuple(map(self.of, parts)))
            case Not(part):
                return Not(self.of(part))
            case Term(name, value) if name in _KIND_OF:
                return self._by_all_names(_Sought(name, value, (), criteria))
            case _:
                return criteria

    def _all(self, parts: Sequence[Criteria]) -> tuple[Criteria, ...]:
        """What must hold together: an assigner beside one patient belongs to the identifier."""
        patients = [one for one in parts if isinstance(one, Term) and one.field == "patient"]
        assigners = [
            one for one in parts if isinstance(one, Term) and one.field == "patient_assigner"
        ]
        if len(patients) != 1 or not assigners:
            return tuple(map(self.of, parts))
        own = [*patients, *assigners]
        values = tuple(one.value for one in assigners)
        sought = _Sought("patient", patients[0].value, values, And(tuple(own)))
        others = (self.of(one) for one in parts if one not in own)
        return (self._by_all_names(sought), *others)

    def _by_all_names(self, sought: _Sought) -> Criteria:
        if sought not in self._made:
            self._made[sought] = self._identities.of_somebody(
                sought, self._setting, self._version, self._found
            )
        return self._made[sought]


def _leaves(criteria: Criteria) -> Iterator[Criteria]:
    match criteria:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _leaves(part)
        case Not(part):
            yield from _leaves(part)
        case _:
            yield criteria


def _names_somebody(leaf: Criteria) -> bool:
    return isinstance(leaf, Term) and leaf.field in _KIND_OF
