"""Settings of searches and identities reach what answers."""

from pathlib import Path
from typing import Any

from audit.query.self_audit import RepositoryIdentity
from audit.service.asking import identity_options, merge_options, search_options
from audit.service.paths import DataPaths
from audit.service.web_options import state_options
from audit.settings import Settings, load

SEARCH = {
    "max_terms": 7,
    "max_depth": 3,
    "count_at_most": 11,
    "count_phrases_at_most": 5,
    "max_about_records": 13,
    "max_neighbour_window_s": 17,
    "pseudonyms_tried": 19,
    "export_page": 23,
    "tail_page": 29,
}
IDENTITIES: dict[str, float] = {
    "max_names": 31,
    "max_names_of_one": 3,
    "max_asked": 37,
    "max_learned_from": 41,
    "max_studies": 43,
    "max_documents": 47,
    "merge_window_s": 1.5,
    "merge_batch": 53,
}


def settings(folder: Path) -> Settings:
    named: dict[str, Any] = {f"search.{name}": value for name, value in SEARCH.items()}
    named |= {f"identities.{name}": value for name, value in IDENTITIES.items()}
    return load(None, {"data": folder, **named}, {})


def test_bounds_of_searches(tmp_path: Path) -> None:
    paths = DataPaths(tmp_path)
    paths.prepare()
    identity = RepositoryIdentity(source_id="a", hostname="h", process_id="1", log_uri="urn:a")
    options = search_options(settings(tmp_path), paths, identity)
    held = {name: getattr(options, name) for name in SEARCH if hasattr(options, name)}
    limits = {"max_terms": options.language.max_terms, "max_depth": options.language.max_depth}
    assert held | limits == SEARCH
    again = search_options(settings(tmp_path), paths, identity)
    assert again.cursor_key == options.cursor_key


def test_bounds_of_identities(tmp_path: Path) -> None:
    asked = settings(tmp_path)
    options, merges, state = identity_options(asked), merge_options(asked), state_options(asked)
    assert (options.max_asked, options.max_learned_from) == (37, 41)
    assert (options.max_studies, options.max_documents) == (43, 47)
    assert (merges.window_ns, merges.most) == (1_500_000_000, 53)
    assert (state.max_identities, state.max_names_of_one) == (31, 3)
