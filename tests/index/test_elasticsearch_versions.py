"""Which Elasticsearch the tests start, by the Java that is there."""

import pytest

from tests.elasticsearch_server import VERSIONS, chosen_version, needed_java


@pytest.mark.parametrize(
    ("asked", "javas", "version"),
    [
        (None, [17], VERSIONS[17]),
        (None, [17, 25], VERSIONS[21]),
        (None, [21], VERSIONS[21]),
        (None, [11], None),
        (None, [], None),
        ("8.19.4", [17, 25], "8.19.4"),
        ("8.19.4", [25], "8.19.4"),
        ("9.5.0", [17], None),
        ("9.5.0", [21, 17], "9.5.0"),
        ("", [17], VERSIONS[17]),
    ],
)
def test_the_newest_that_runs_here_is_tested_against(
    asked: str | None, javas: list[int], version: str | None
) -> None:
    assert chosen_version(asked, javas) == version


def test_every_version_is_listed_under_the_java_that_it_needs() -> None:
    assert {needed_java(version): version for version in VERSIONS.values()} == VERSIONS
