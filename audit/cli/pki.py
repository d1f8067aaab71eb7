"""``arr pki``."""

from pathlib import Path

import click

from audit.cli.options import data_option, examples, json_option, print_json, settings_from

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group(
    epilog=examples(
        "arr pki init --out pki --host audit.example.org",
        "arr pki issue ct-room-1 --out nodes --p12",
        "arr pki revoke nodes/ct-room-1.crt",
        "arr pki enrol vendor.pem",
    )
)
def pki() -> None:
    """Make a CA of one's own, issue certificates to senders or revoke them, enrol others'."""


@pki.command(epilog=examples("arr pki init --out pki --host audit.example.org --host 10.1.2.3"))
@data_option
@json_option
@click.option("--out", type=_FOLDER, help="Folder to write to (default DATA/pki).")
@click.option("--host", "hosts", multiple=True, help="Name or address of this repository.")
@click.option("--name", default="Audit site CA", show_default=True, help="Name of the CA.")
def init(
    data: Path | None,
    config_file: Path | None,
    as_json: bool,
    out: Path | None,
    hosts: tuple[str, ...],
    name: str,
) -> None:
    """Make a CA (ca.crt, ca.key) and a certificate for the repository (server.crt, server.key)."""
    from audit.service.site_pki import create_authority

    folder = out or settings_from(data, config_file).data / "pki"
    issued = create_authority(folder, name, hosts or ("localhost", "127.0.0.1"))
    if as_json:
        print_json(issued.as_dict())
        return
    click.echo(f"certificate {issued.certificate}\nkey {issued.key}\nca {issued.ca}")


@pki.command(
    epilog=examples("arr pki issue ct-room-1 --out nodes", "arr pki issue ct --out . --p12")
)
@click.argument("name")
@data_option
@json_option
@click.option("--out", type=_FOLDER, required=True, help="Folder to write to.")
@click.option("--ca", "ca_folder", type=_FOLDER, help="Folder of the CA (default: the data's).")
@click.option("--p12", is_flag=True, help="Also write NAME.p12 and its password.")
def issue(
    name: str,
    data: Path | None,
    config_file: Path | None,
    as_json: bool,
    out: Path,
    ca_folder: Path | None,
    p12: bool,
) -> None:
    """Issue a client certificate to a sender, from the site's CA or the demo's."""
    from audit.service.site_pki import issue_client

    root = settings_from(data, config_file).data
    demo = root / "demo" / "pki"
    folder = ca_folder or (demo if demo.is_dir() else root / "pki")
    issued = issue_client(folder, name, out, p12=p12)
    if as_json:
        print_json(issued.as_dict())
        return
    for what, value in issued.as_dict().items():
        if value is not None:
            click.echo(f"{what} {value}")


@pki.command(
    epilog=examples("arr pki revoke nodes/ct-room-1.crt", "arr pki revoke old.crt --days 30")
)
@click.argument(
    "certificates",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
)
@data_option
@click.option("--ca", "ca_folder", type=_FOLDER, help="Folder of the CA (default: the data's).")
@click.option(
    "--days",
    type=click.IntRange(1, 3650),
    default=90,
    show_default=True,
    help="When the next list is due.",
)
def revoke(
    certificates: tuple[Path, ...],
    data: Path | None,
    config_file: Path | None,
    ca_folder: Path | None,
    days: int,
) -> None:
    """Take certificates of the site's CA back; prints the list to be named in trust.crl."""
    from audit.service.site_pki import revoke as take_back

    folder = ca_folder or settings_from(data, config_file).data / "pki"
    click.echo(take_back(folder, certificates, days))


@pki.command(epilog=examples("arr pki enrol vendor.pem --data /var/lib/arr"))
@click.argument("certificate", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@data_option
def enrol(certificate: Path, data: Path | None, config_file: Path | None) -> None:
    """Trust one certificate directly, self-signed or not (IHE ITI-19)."""
    from audit.service.paths import DataPaths
    from audit.service.site_pki import enrol as keep

    settings = settings_from(data, config_file)
    folder = settings.trust.enrolled or DataPaths(settings.data).enrolled
    click.echo(keep(certificate, folder))
