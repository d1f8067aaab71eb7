from audit.projector.field_values import FieldValues


def values(max_values: int = 3, max_value_chars: int = 5, max_text_chars: int = 10) -> FieldValues:
    return FieldValues(max_values, max_value_chars, max_text_chars)


def test_values_are_trimmed_kept_in_order_and_once() -> None:
    found = values()
    found.add("user", " b ", "a", "b", None, "", "  ")
    assert found.fields() == {"user": ("b", "a")}
    assert found.values("user") == ("b", "a")
    assert found.values("role") == ()
    assert not found.is_cut


def test_more_values_than_the_bound_are_left_out_and_told() -> None:
    found = values()
    found.add("user", "a", "b", "c", "a")
    assert not found.is_cut
    found.add("user", "d")
    assert found.values("user") == ("a", "b", "c")
    assert found.is_cut


def test_a_value_longer_than_the_bound_is_known_by_its_beginning() -> None:
    found = values()
    found.add("user", "abcdefg")
    assert found.values("user") == ("abcde",)
    assert found.is_cut


def test_text_within_its_bound() -> None:
    found = values()
    found.add_text(["one", "one", None, " ", "two"])
    assert found.values("text") == ("one", "two")
    assert not found.is_cut
    found.add_text(["three!!!", "more"])
    assert found.values("text") == ("one", "two", "thre")
    assert found.is_cut
