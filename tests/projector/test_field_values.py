from audit.projector.field_values import Added, FieldValues


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


def gathered() -> Added:
    elsewhere = FieldValues(100, 100, 1000)
    elsewhere.add("user", "b", "c")
    elsewhere.add("role", "viewer")
    elsewhere.add_text(["one", "two"])
    return elsewhere.added()


def test_taking_is_adding_one_by_one() -> None:
    found = values(max_values=10, max_value_chars=10, max_text_chars=100)
    found.add("user", "a", "b")
    found.take(gathered())
    found.take_texts(gathered())
    assert found.fields() == {
        "user": ("a", "b", "c"),
        "role": ("viewer",),
        "text": ("one", "two"),
    }
    assert not found.is_cut


def test_what_is_taken_keeps_the_bounds() -> None:
    found = values(max_values=3, max_value_chars=5, max_text_chars=5)
    found.add("user", "a", "x")
    found.take(gathered())
    found.take_texts(gathered())
    assert found.fields() == {
        "user": ("a", "x", "b"),
        "role": ("viewe",),
        "text": ("one", "tw"),
    }
    assert found.is_cut


def test_texts_taken_again_don_t_use_up_the_bound() -> None:
    found = values(max_text_chars=10)
    for _ in range(3):
        found.take_texts(gathered())
    assert found.values("text") == ("one", "two")
    found.add_text(["four"])
    assert found.values("text") == ("one", "two", "four")
    assert not found.is_cut


def test_what_was_gathered_is_not_changed_by_who_takes_it() -> None:
    shared = gathered()
    found = values(max_values=10, max_value_chars=10, max_text_chars=100)
    found.take(shared)
    found.take_texts(shared)
    found.add("user", "z")
    found.add_text(["three"])
    assert shared == gathered()
