"""Disclosure: what of a record may leave the repository, and the pseudonyms in place of the rest.

What ``schemas/siem/facts.toml`` doesn't call harmless is hidden. What is shown of names of
machines and people is searched for the patients, studies and searches of the same record, so that
an identifier that a sender wrote in the wrong place doesn't leave either.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice, starmap

from audit.index.criteria import fold
from audit.index.document import IndexedRecord
from audit.query.pseudonyms import Pseudonyms
from audit.siem.facts import facts_of
from audit.siem.subjects import innermost, is_plain, kind_of_key
from audit.siem.values import Facts, Value
from audit.standards.files import read_toml

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,63}")
_UID = re.compile(r"(?<![0-9])(?<![0-9]\.)[0-2](?:\.[0-9]{1,39}){4,}(?!\.?[0-9])")
_STANDARD_ROOT = "1.2.840.10008."
_FREE_FROM = 6
"""A hidden value of so many characters is hidden inside of words too; a shorter one alone."""
_SHORTEST = 2
_REMEMBERED = 8_192
_LONGEST_REMEMBERED = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What may leave.

    Attributes:
        patients: patients, studies, accession numbers, queries, reasons and details as they are;
            else as pseudonyms, or not at all.
        staff: names of users as they are; else as pseudonyms.
        original: the message as received, too.
    """

    patients: bool = False
    staff: bool = True
    original: bool = False


class Discloser:
    """Gives of each record what may leave. Safe to use from several threads."""

    def __init__(self, pseudonyms: Pseudonyms, disclosure: Disclosure) -> None:
        self.disclosure = disclosure
        self._pseudonyms = pseudonyms
        self._remembered = lru_cache(maxsize=_REMEMBERED)(pseudonyms.of)

    def facts(self, record: IndexedRecord, max_values: int | None = None) -> Facts:
        """The facts of a record that may leave, in the form in which they may.

        Args:
            record: whole.
            max_values: most values of a fact; the others are left out, so that a message of
                thousands of people and objects takes no seconds.
        """
        found, subjects = facts_of(record)
        facts = {name: values[:max_values] for name, values in found.items()}
        if self.disclosure.patients:
            return dict(self._identified(facts))
        clean = self._cleaner([*subjects.identities, *self._staff(found)])
        shown = {name: self._shown(name, values, clean) for name, values in facts.items()}
        keys = (pair for pair in subjects.keys if pair[1])
        shown["query"] = tuple(starmap(self._query_key, islice(keys, max_values)))
        return {name: tuple(dict.fromkeys(values)) for name, values in shown.items() if values}

    def pseudonym(self, kind: str, value: str) -> str:
        """Equal after folding, equal pseudonym."""
        folded = fold(value)
        if len(folded) > _LONGEST_REMEMBERED:  # strangers must not fill the memory
            return self._pseudonyms.of(kind, folded)
        return self._remembered(kind, folded)

    def _identified(self, facts: Facts) -> Iterator[tuple[str, tuple[Value, ...]]]:
        for name, values in facts.items():
            is_hidden = kinds()[name] == "staff" and not self.disclosure.staff
            yield name, tuple(self._user(values)) if is_hidden else values

    def _shown(
        self, name: str, values: tuple[Value, ...], clean: Callable[[str], str]
    ) -> tuple[Value, ...]:
        kind = kinds()[name]
        if kind == "open":
            return values
        if kind == "withheld":
            return ()
        texts = [str(value) for value in values]
        if kind == "staff" and not self.disclosure.staff:
            return tuple(self._user(texts))
        if kind in {"machine", "staff"}:
            return tuple(clean(text) for text in texts)
        if kind == "code":
            return tuple(self._code(text, clean) for text in texts)
        return tuple(self.pseudonym(kind, text) for text in texts)

    def _staff(self, facts: Facts) -> Iterator[tuple[str, str]]:
        """Names of users, when they are to be hidden: elsewhere in the record as well."""
        if not self.disclosure.staff:
            of_staff = (values for name, values in facts.items() if kinds()[name] == "staff")
            yield from (("user", str(value)) for values in of_staff for value in values)

    def _user(self, values: Iterable[Value]) -> Iterator[str]:
        return (self.pseudonym("user", str(value)) for value in values)

    def _code(self, text: str, clean: Callable[[str], str]) -> str:
        return clean(text) if _CODE.fullmatch(text) else self.pseudonym("code", text)

    def _query_key(self, keyword: str, value: str) -> str:
        """``Keyword=value`` with what was sought hidden, unless it names no patient."""
        name = innermost(keyword)
        if not _CODE.fullmatch(name):
            name = self.pseudonym("key", name)
        if is_plain(keyword, value):
            return f"{name}={value.strip()}"
        return f"{name}={self.pseudonym(kind_of_key(keyword), value)}"

    def _cleaner(self, identities: Iterable[tuple[str, str]]) -> Callable[[str], str]:
        """What hides these identities wherever a text has them, and every UID of an instance."""
        hidden: dict[str, str] = {}
        for kind, value in identities:
            for spelling in _spellings(value) if kind == "name" else (value,):
                folded = fold(spelling.strip("*?"))
                if len(folded) >= _SHORTEST:
                    hidden.setdefault(folded, self.pseudonym(kind, value))

        def clean(text: str) -> str:
            folded = fold(text)
            there = [value for value in hidden if value in folded]
            if not there:
                return _UID.sub(self._uid, text)
            return _pattern(there).sub(
                lambda found: hidden.get(found[0]) or self._uid(found), folded
            )

        return clean

    def _uid(self, found: re.Match[str]) -> str:
        uid = found[0]
        return uid if uid.startswith(_STANDARD_ROOT) else self.pseudonym("study", uid)


@cache
def kinds() -> dict[str, str]:
    """What may be shown of each fact, by its name."""
    table: dict[str, str] = read_toml("siem/facts.toml")["fact"]
    return table


def _pattern(hidden: Iterable[str]) -> re.Pattern[str]:
    """Finds hidden values and UIDs; the longer ones first, so that no part of one is left.

    A short value is not sought inside a UID: what is left of that would still tell which it is.
    """
    ranked = sorted(hidden, key=len, reverse=True)
    long = [re.escape(value) for value in ranked if len(value) >= _FREE_FROM]
    short = [rf"(?<!\w){re.escape(value)}(?!\w)" for value in ranked if len(value) < _FREE_FROM]
    return re.compile("|".join((*long, _UID.pattern, *short)))


def _spellings(name: str) -> Iterator[str]:
    """A person's name as PS3.5 6.2 writes it, and as people write it."""
    yield name
    for group in name.split("="):
        parts = [part.strip() for part in group.split("^") if part.strip()]
        if len(parts) > 1:
            family, given = parts[0], parts[1]
            yield from (f"{given} {family}", f"{family} {given}", f"{family}, {given}")
            yield from (f"{given}.{family}", f"{family}.{given}", f"{family}^{given}")
