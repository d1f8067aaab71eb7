from audit.service.refusals import OTHERS, RefusalBudget, subject_of


def test_refusals_beyond_the_budget_are_counted_and_told_later() -> None:
    budget = RefusalBudget(reports=2, window_s=60)
    assert [budget.take("a", now) for now in (0, 1, 2, 3)] == [0, 0, None, None]
    assert budget.take("a", 61) == 2
    assert budget.take("a", 62) == 0


def test_addresses_do_not_share_a_budget() -> None:
    budget = RefusalBudget(reports=1)
    assert (budget.take("a", 0), budget.take("b", 0)) == (0, 0)


def test_many_addresses_do_not_fill_the_memory() -> None:
    budget = RefusalBudget(reports=1, max_addresses=3)
    for number in range(10):
        budget.take(f"10.0.0.{number}", 0)
    assert len(budget._windows) <= 4
    assert OTHERS in budget._windows
    assert budget.take("10.0.1.1", 61) == 0


def test_a_certificate_that_can_not_be_read_has_no_subject() -> None:
    assert subject_of(None) == ""
    assert subject_of(b"x") == ""
