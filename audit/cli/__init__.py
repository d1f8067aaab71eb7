"""The command line ``arr``: stdout is data, stderr is messages.

Commands are imported when they are called, so that ``arr version`` need not load a web server.
"""

import importlib
import sys
from collections.abc import Mapping
from typing import Any

import click
from typing_extensions import override

from audit.errors import AuditError
from audit.garbage import spare_collections

COMMANDS: Mapping[str, tuple[str, str]] = {
    "serve": ("audit.cli.serve:serve", "Run the repository, or one of its processes."),
    "demo": ("audit.cli.demo:demo", "Run a repository and a hospital that feeds it."),
    "send": ("audit.cli.send:send", "Send audit messages to a repository."),
    "import": ("audit.cli.take_in:take_in", "Take in messages received elsewhere."),
    "validate": ("audit.cli.validate:validate", "Say of audit messages how good they are."),
    "search": ("audit.cli.search:search", "Search the audit trail."),
    "show": ("audit.cli.search:show", "Show one record."),
    "tail": ("audit.cli.feeds:tail", "Show records as they come."),
    "export": ("audit.cli.export:export", "Write every record that matches."),
    "report": ("audit.cli.report:report", "Report on disclosures, accesses, users and senders."),
    "verify": ("audit.cli.verify:verify", "Check that the journal is unaltered and whole."),
    "prove": ("audit.cli.prove:prove", "Prove to a stranger that a record is unaltered."),
    "checkpoint": (
        "audit.cli.checkpoint:checkpoint",
        "Print the journal's signed head; copy it outside.",
    ),
    "witness": ("audit.cli.witness:witness", "Watch logs of other machines; cosign their heads."),
    "reindex": ("audit.cli.reindex:reindex", "Build the search index anew, or check it."),
    "dead-letters": (
        "audit.cli.dead_letters:letters",
        "List, retry or drop what Elasticsearch refused.",
    ),
    "retention": ("audit.cli.retention:retention", "Remove records whose time is over."),
    "hold": ("audit.cli.hold:hold", "Keep the records of a case from being removed."),
    "backup": ("audit.cli.backup:backup", "Copy the repository while it runs."),
    "restore": ("audit.cli.restore:restore", "Put a backup into an empty data folder."),
    "simulate": ("audit.cli.simulate:simulate", "Write a hospital's days as audit messages."),
    "bench": ("audit.cli.bench:bench", "Measure the product on this machine."),
    "user": ("audit.cli.accounts:user", "Manage local accounts."),
    "token": ("audit.cli.accounts:token", "Manage API tokens."),
    "identities": (
        "audit.cli.identities:identities",
        "Say which identifiers are of one patient or person.",
    ),
    "pki": ("audit.cli.pki:pki", "Make and enrol certificates."),
    "doctor": ("audit.cli.doctor:doctor", "Check this machine and say what to mend."),
    "config": ("audit.cli.config:config", "Check and show the settings."),
    "version": ("audit.cli.version:version", "Print the version."),
}
HIDDEN: Mapping[str, str] = {"demo-hospital": "audit.cli.demo:demo_hospital"}

HELP_OPTIONS = ("-h", "--help")
INTERRUPTED = 130


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        target, _ = COMMANDS.get(cmd_name, (HIDDEN.get(cmd_name), ""))
        if target is None:
            return None
        module, _, name = target.partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, meaning) for name, (_, meaning) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": list(HELP_OPTIONS)},
    epilog="\b\nExit codes: 0 ok, 1 failure, 2 usage, 4 integrity violation, 5 could not check\n"
    "everything, 6 configuration, 7 cannot connect, 8 denied, 9 disk full or journal\n"
    "unavailable.\n\n\b\nExamples:\n  arr demo\n  arr serve --data /var/lib/arr\n"
    "  arr search 'category:export outcome:failure'",
)
def arr() -> None:
    """Audit Record Repository for DICOM nodes (IHE ATNA)."""


def main(arguments: list[str] | None = None, **extra: Any) -> None:
    """Run ``arr`` and end the process with the documented exit code."""
    spare_collections()
    try:
        # Outside of its own mode click returns the code of an Exit rather than raise it.
        code = arr.main(args=arguments, prog_name="arr", standalone_mode=False, **extra)
        if code:
            sys.exit(code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(INTERRUPTED)
    except AuditError as error:
        click.echo(f"arr: {error}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
