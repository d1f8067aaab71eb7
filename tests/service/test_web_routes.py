"""The web process mounts what the authorisation matrix asks, and nothing else."""

from pathlib import Path

from fastapi import FastAPI

from audit.service.web import WebRole
from audit.transport.pki import CertificateAuthority
from tests.api.mounted import mounted
from tests.service.places import make_place
from tests.service.whole import whole
from tests.web.stack import application, stack


def test_every_route_of_the_service_is_in_the_matrix(
    tmp_path: Path, authority: CertificateAuthority
) -> None:
    with whole(make_place(tmp_path, authority)) as running:
        served = _declared(running.web)
    folder = tmp_path / "stack"
    folder.mkdir()
    with stack(folder) as made:
        asked = {
            (one.name, one.scopes, one.leaves, one.is_page) for one in mounted(application(made))
        }
    assert served == asked


def _declared(web: WebRole) -> set[tuple[object, ...]]:
    app = None if web._server is None else web._server.config.app
    assert isinstance(app, FastAPI)
    return {(one.name, one.scopes, one.leaves, one.is_page) for one in mounted(app)}
