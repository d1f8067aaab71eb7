from audit.projector.derivations import OTHER, derivations
from audit.standards.code_tables import table
from audit.standards.fields import field_named
from audit.standards.files import read_toml


def test_every_event_of_the_standard_has_a_category() -> None:
    codes = set(table("event_id").codes)
    assert codes == set(derivations().category_of_event)
    assert OTHER not in derivations().category_of_event.values()


def test_categories_are_those_that_the_field_table_names() -> None:
    field = field_named("category")
    assert field is not None
    named = {name.strip() for name in field.meaning.split(",")}
    assert named == set(read_toml("index/categories.toml")["category"])


def test_restful_access_gets_a_category_of_the_field_table() -> None:
    named = set(read_toml("index/categories.toml")["category"])
    known = derivations()
    assert {*known.rest_by_subtype.values(), *known.rest_by_action.values()} <= named
    assert set(known.rest_by_action) == set("CRUDE")


def test_every_outcome_and_role_of_the_standard_is_known() -> None:
    assert set(derivations().outcomes) == set(table("event_outcome").codes)
    roles = {code for code in table("role_id").codes if code.startswith("11015")}
    assert roles == derivations().roles["technical"]


def test_kinds_name_categories_and_codes_that_exist() -> None:
    types = {
        code
        for name in ("event_type", "event_type_ihe", "transaction", "transaction_fhir")
        for code in table(name).codes
    }
    for rule in {one for rules in derivations().kinds_of.values() for one in rules}:
        assert rule.categories <= set(read_toml("index/categories.toml")["category"])
        assert rule.media <= set(table("media_type").codes), rule
        assert rule.events <= set(derivations().category_of_event)
        assert rule.types <= types | {"RAD-68"}, rule
        assert not rule.near or rule.near in derivations().destination_words


def test_fields_that_are_fed_exist() -> None:
    for name in (*derivations().query_fields.values(), "study", "sop_class", "patient"):
        assert field_named(name) is not None, name
