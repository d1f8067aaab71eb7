"""How questions are answered, from the settings."""

from audit.query.identities import IdentityOptions
from audit.query.language import LanguageLimits
from audit.query.merges import MergeOptions
from audit.query.search_options import SearchOptions
from audit.query.self_audit import RepositoryIdentity
from audit.service.access import scopes_for_reason
from audit.service.paths import DataPaths
from audit.service.web_options import own_key
from audit.settings import Settings

_NS_PER_S = 1_000_000_000


def search_options(
    settings: Settings, paths: DataPaths, identity: RepositoryIdentity
) -> SearchOptions:
    """Bounds, keys and manners of searches."""
    search = settings.search
    return SearchOptions(
        identity=identity,
        cursor_key=own_key(paths.cursor_key),
        pseudonym_key=own_key(paths.pseudonym_key),
        reason_for=scopes_for_reason(settings),
        pseudonyms_tried=search.pseudonyms_tried,
        count_at_most=search.count_at_most,
        count_phrases_at_most=search.count_phrases_at_most,
        max_neighbour_window_s=search.max_neighbour_window_s,
        max_about_records=search.max_about_records,
        export_page=search.export_page,
        tail_page=search.tail_page,
        language=LanguageLimits(max_terms=search.max_terms, max_depth=search.max_depth),
    )


def identity_options(settings: Settings) -> IdentityOptions:
    """Bounds of what is asked by other names."""
    identities = settings.identities
    return IdentityOptions(
        max_learned_from=identities.max_learned_from,
        max_studies=identities.max_studies,
        max_documents=identities.max_documents,
        max_asked=identities.max_asked,
    )


def merge_options(settings: Settings) -> MergeOptions:
    """Bounds of learning merges."""
    identities = settings.identities
    return MergeOptions(
        window_ns=round(identities.merge_window_s * _NS_PER_S), most=identities.merge_batch
    )
