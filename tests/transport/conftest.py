from pathlib import Path

import pytest

from tests import pki


@pytest.fixture
def site(tmp_path: Path) -> pki.Site:
    """Certificates of a small site."""
    return pki.site(tmp_path / "pki")
