"""Settings of searches, and of the other names that they use."""

from pydantic import Field

from audit.settings.section import Section


class SearchSettings(Section):
    """How much one question may cost."""

    max_terms: int = Field(200, ge=1, le=2_000, description="terms of one query")
    max_depth: int = Field(
        20, ge=1, le=100, description="nesting of parentheses and negations in a query"
    )
    count_at_most: int = Field(
        10_000, ge=1, description="counting stops there, and the total says so"
    )
    count_phrases_at_most: int = Field(
        1_000,
        ge=1,
        description="the same for a query with a phrase, which is sought in each document",
    )
    max_about_records: int = Field(
        2_000,
        ge=1,
        le=100_000,
        description="newest records that a page about one patient, user, study, node or address "
        "sums up",
    )
    max_neighbour_window_s: int = Field(
        86_400, ge=1, le=86_400, description="how far from a record its neighbours may lie"
    )
    pseudonyms_tried: int = Field(
        500_000,
        ge=0,
        description="values of a field among which that of a pseudonym is looked for",
    )
    export_page: int = Field(
        500, ge=1, le=10_000, description="records that an export reads at a time"
    )
    tail_page: int = Field(
        500, ge=1, le=10_000, description="journal entries that a live tail looks at in one step"
    )


class IdentitySettings(Section):
    """Other names of patients and people, and what of a patient is learned from the trail."""

    max_names: int = Field(
        2_000_000, ge=1, description="identifiers that the table of other names holds"
    )
    max_names_of_one: int = Field(
        50, ge=2, le=1_000, description="identifiers of one patient or person"
    )
    max_asked: int = Field(
        20, ge=0, description="patients and people of one question that are looked up"
    )
    max_learned_from: int = Field(
        1_000,
        ge=0,
        le=100_000,
        description="records of a patient that are read to learn studies and documents",
    )
    max_studies: int = Field(
        100, ge=0, le=1_000, description="studies of one patient that are asked for too"
    )
    max_documents: int = Field(
        100, ge=0, le=1_000, description="documents of one patient that are asked for too"
    )
    merge_window_s: float = Field(
        300.0,
        gt=0,
        description="the two records of one merge of patients lie at most so far apart",
    )
    merge_batch: int = Field(
        2_000,
        ge=1,
        le=100_000,
        description="Patient Record events that are looked at for merges in one step",
    )
    learn_every_s: float = Field(
        60.0, ge=1, description="how often merges of patients are learned from the trail"
    )
