"""Facets show no patient's identifier that a sender wrote among the words of another field."""

from contextlib import closing
from pathlib import Path

from audit.errors import Denied
from audit.index.criteria import Everything, fold
from audit.index.document import IndexedRecord
from audit.index.sqlite_index import SqliteIndex, SqliteIndexOptions
from audit.query.disguise import Disguise
from audit.query.pseudonyms import Pseudonyms
from audit.query.view import FieldRules, PrincipalView
from tests.projector.messages import NOW
from tests.query.test_levels import UNIDENTIFIED


def test_facets_of_words_that_name_patients_hide_those_alone(
    tmp_path: Path,
) -> None:
    known = ("P12", "DOE", "zorro77", "9")
    said = [
        "P12", "ward P12", "xP12 P12/P12", "DOE", "at doe, bed 9", "9", "nobody", "WARD P13",
        " ".join(f"word{n}" for n in range(16)), " ".join(f"word{n}" for n in range(17)),
        *(" ".join(f"{n}w{m}" for m in range(12)) for n in range(50)), "x" * 5_000,
    ]  # fmt: skip
    hidden = {
        "P12": "{}", "ward P12": "ward {}", "xP12 P12/P12": "xp12 {}/{}", "DOE": "{}",
        "at doe, bed 9": "at {}, bed 9", "9": "{}", said[9]: "…",
    }  # fmt: skip
    with closing(SqliteIndex(SqliteIndexOptions(directory=tmp_path / "index"))) as index:
        records = [
            IndexedRecord(
                id=f"k-{n}", sequence=n, time=NOW + n, received=NOW,
                fields={"source": (one,), "patient": known, "patient_name": ("Doe^J",)},
            )
            for n, one in enumerate(said)
        ]  # fmt: skip
        index.put(records, len(records))
        disguise = Disguise(Pseudonyms(bytes(32)))
        rules = FieldRules(disguise, lambda *_: None, Denied)
        view = PrincipalView(index, UNIDENTIFIED, None, rules)
        shown = dict(view.facets(Everything(), ["source"], 100)["source"])
    assert len(shown) == len(said)
    for one in said:
        found = [name for name in known if name.casefold() in one.casefold()]
        pseudonym = disguise.of("patient", found[0]) if found else ""
        assert fold(hidden.get(one, one).format(*[pseudonym] * 3)) in map(fold, shown), one
