"""What the service puts exports together from."""

from pathlib import Path

import pytest

from audit.errors import ConfigurationError
from audit.query.exports.jobs import ExportJobs
from audit.service.exports import evidence_options, export_jobs
from tests import pki
from tests.cli.running import fill_with_years
from tests.service.places import Place, make_place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = make_place(tmp_path, pki.authority())
    fill_with_years(made, 1, years_ago=0.01)
    return made


def test_bundles_are_signed_by_a_key_of_their_own(place: Place) -> None:
    options = evidence_options(place.settings, place.paths)
    assert options.signer.name.endswith("/exporter")
    assert place.paths.exporter_key.stat().st_mode & 0o077 == 0
    again = evidence_options(place.settings, place.paths)
    assert again.signer.verifier == options.signer.verifier
    assert options.anchors == (place.settings.trust.client_ca or place.folder).read_bytes()
    assert "arr " in options.software


def test_trusted_certificates_that_cannot_be_read(place: Place) -> None:
    trust = place.settings.trust
    missing = trust.model_copy(update={"client_ca": place.folder / "gone.pem"})
    with pytest.raises(ConfigurationError, match="gone"):
        evidence_options(place.settings.model_copy(update={"trust": missing}), place.paths)
    nobody = place.settings.model_copy(
        update={"trust": trust.model_copy(update={"client_ca": None})}
    )
    assert evidence_options(nobody, place.paths).anchors == b""


def test_jobs_are_kept_as_the_settings_say(place: Place) -> None:
    jobs = export_jobs(place.settings, place.paths)
    try:
        assert isinstance(jobs, ExportJobs)
        assert jobs._options.folder == place.paths.exports
        assert jobs._options.most_octets == place.settings.exports.max_octets
    finally:
        jobs.close()
