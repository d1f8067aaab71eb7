"""Writes the generated pages of ``docs/``: the command line and the settings."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from audit.cli import COMMANDS, HELP_OPTIONS, arr
from audit.settings import render_markdown

WIDTH = 88


def render_commands() -> str:
    """docs/cli.md: the help of every command."""
    parts = [
        (
            "# Command line\n\nGenerated from the commands' own help. stdout is data, stderr is"
            " messages.\n"
        )
    ]
    for path, command in _every_command():
        context = click.Context(
            command,
            info_name=" ".join(path),
            terminal_width=WIDTH,
            max_content_width=WIDTH,
            help_option_names=list(HELP_OPTIONS),
        )
        parts.append(f"## {' '.join(path)}\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


def _every_command() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield ("arr",), arr
    context = click.Context(arr)
    for name in COMMANDS:
        command = arr.get_command(context, name)
        if command is not None:
            yield from _walk(("arr", name), command)


def _walk(
    path: tuple[str, ...], command: click.Command
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _walk((*path, name), inner)


def write_pages(folder: Path) -> None:
    """Write the generated pages into the folder of documents."""
    (folder / "cli.md").write_text(render_commands(), encoding="utf-8")
    (folder / "settings.md").write_text(render_markdown(), encoding="utf-8")


if __name__ == "__main__":
    write_pages(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
