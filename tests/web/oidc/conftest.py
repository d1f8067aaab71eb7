from collections.abc import Iterator

import pytest

from tests.web.oidc.identity_provider import IdentityProvider, identity_provider


@pytest.fixture
def idp() -> Iterator[IdentityProvider]:
    with identity_provider() as made:
        yield made
