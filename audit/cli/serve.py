"""``arr serve``."""

from pathlib import Path

import click

from audit.cli.options import data_option, examples, settings_from


@click.command(
    epilog=examples(
        "arr serve --data /var/lib/arr",
        "arr serve --config /etc/arr/arr.toml",
        "arr serve receive --tls-port 6514",
    )
)
@click.argument("role", required=False, type=click.Choice(["receive", "project", "web", "push"]))
@data_option
@click.option("--tls-port", type=int, help="TLS syslog port (default 6514).")
@click.option("--udp-port", type=int, help="UDP syslog port (default 514).")
@click.option("--http-port", type=int, help="HTTPS port (default 8443).")
@click.option("--supervised", is_flag=True, hidden=True)
def serve(
    role: str | None,
    data: Path | None,
    config_file: Path | None,
    supervised: bool,
    **ports: int | None,
) -> None:
    """Run the repository, or one of its processes, until SIGTERM or SIGINT."""
    # Loaded here, so that the other commands start quickly.
    from audit.service.logs import configure_logs
    from audit.service.serve import run_all, run_role
    from audit.service.supervise import follow_parent
    from audit.settings import Settings

    if supervised:
        settings = Settings.model_validate_json(follow_parent())
    else:
        settings = settings_from(
            data,
            config_file,
            syslog__tls_port=ports["tls_port"],
            syslog__udp_port=ports["udp_port"],
            web__port=ports["http_port"],
        )
    configure_logs(settings.ops.log_level)
    if role is None:
        run_all(settings)
    else:
        run_role(settings, role, supervised=supervised)
