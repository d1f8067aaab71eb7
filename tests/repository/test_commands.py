"""Every command says what it does and shows an example."""

import click
import pytest
from click.testing import CliRunner

from audit.cli import COMMANDS, arr


def walk(command: click.Command, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    if not isinstance(command, click.Group):
        return [path]
    found = [path]
    for name, inner in command.commands.items():
        found += walk(inner, (*path, name))
    return found


def every_command() -> list[tuple[str, ...]]:
    context = click.Context(arr)
    found: list[tuple[str, ...]] = []
    for name in COMMANDS:
        command = arr.get_command(context, name)
        assert command is not None
        found += walk(command, (name,))
    return found


@pytest.mark.parametrize("path", every_command(), ids=" ".join)
def test_help_shows_an_example(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(arr, [*path, "--help"])
    assert result.exit_code == 0, result.output
    assert "Examples:" in result.output
    assert f"arr {' '.join(path)}" in result.output
