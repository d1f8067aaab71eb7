import pytest

from audit.errors import RequestError
from audit.query.identity_csv import HEADER, csv_rows, links_of_csv
from audit.state.aliases import KnownName, Link, Name


def test_rows_of_one_person_are_a_link() -> None:
    lines = [
        "\ufeffPerson,identifier,assigner\n",
        "1,A,x\n",
        '2,"B,b",\n',
        "1,C,\n",
        "\n",
        "2,D,y\n",
    ]
    assert links_of_csv(lines, "staff.csv") == (
        Link((Name("A", "x"), Name("C")), "staff.csv"),
        Link((Name("B,b"), Name("D", "y")), "staff.csv"),
    )


def test_the_assigner_may_be_left_out() -> None:
    assert links_of_csv(["person,identifier\n", "1,A\n", "1,B\n", "2,C\n"], "f") == (
        Link((Name("A"), Name("B")), "f"),
    )


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ([], "first line"),
        (["a,b\n"], "first line"),
        (["person,identifier\n", "1\n"], "line 2"),
        (["person,identifier\n", "1,A\n", ",B\n"], "line 3"),
        (["person,identifier\n", "1,A,x,y\n"], "line 2"),
        (["person,identifier\n", '1,"A\n'], "line"),
    ],
)
def test_faults_are_told_with_their_line(lines: list[str], fault: str) -> None:
    with pytest.raises(RequestError, match=fault):
        links_of_csv(lines, "f")


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.query.identity_csv.MOST_ROWS", 2)
    with pytest.raises(RequestError, match="more than 2 rows"):
        links_of_csv(["person,identifier\n", "1,A\n", "1,B\n", "1,C\n"], "f")


def test_what_is_written_is_read_again() -> None:
    names = [KnownName(Name("A", "x"), "csv", "", 1), KnownName(Name("B"), "api", "", 2)]
    lines = [",".join(row) + "\n" for row in (HEADER, *csv_rows("1", names))]
    assert links_of_csv(lines, "f") == (Link((Name("A", "x"), Name("B")), "f"),)
