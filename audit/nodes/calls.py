"""Calling another node: one AE that opens associations over TLS and says who asks."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import UserIdentityNegotiation
from pynetdicom.presentation import PresentationContext

from audit.errors import ConnectionFailed
from audit.nodes.dicom_tls import Credentials
from audit.nodes.people import Staff
from audit.nodes.registry import Station

ACSE_TIMEOUT_S: Final = 10.0
DIMSE_TIMEOUT_S: Final = 15.0
NETWORK_TIMEOUT_S: Final = 30.0
CONNECTION_TIMEOUT_S: Final = 5.0
MAX_ASSOCIATIONS: Final = 25


@dataclass(frozen=True, slots=True)
class Peer:
    """A listening application entity: which station it is and where it listens."""

    station: Station
    host: str
    port: int


def entity(ae_title: str) -> AE:
    """An application entity with bounded patience."""
    made = AE(ae_title=ae_title)
    made.acse_timeout = ACSE_TIMEOUT_S
    made.dimse_timeout = DIMSE_TIMEOUT_S
    made.network_timeout = NETWORK_TIMEOUT_S
    made.connection_timeout = CONNECTION_TIMEOUT_S
    made.maximum_associations = MAX_ASSOCIATIONS
    made.require_called_aet = True
    return made


class Line:
    """How one node calls others: its AE and its credentials."""

    def __init__(self, caller: AE, credentials: Credentials) -> None:
        self.entity = caller
        self._context = credentials.calling()

    @contextmanager
    def to(
        self,
        peer: Peer,
        contexts: Sequence[PresentationContext],
        *,
        user: Staff | None = None,
        negotiation: Sequence[Any] = (),
        handlers: Sequence[Any] = (),
    ) -> Iterator[Association]:
        """An association with the peer, released at the end, aborted on an error.

        Raises:
            ConnectionFailed: the peer can't be reached, or refused.
        """
        association = self.entity.associate(
            peer.host,
            peer.port,
            contexts=list(contexts),
            ae_title=peer.station.ae_title,
            ext_neg=[*negotiation, *_identity(user)],
            tls_args=(self._context, peer.station.machine),
            evt_handlers=list(handlers),
        )
        if not association.is_established:
            raise ConnectionFailed(_refusal(association, peer))
        try:
            yield association
        except BaseException:
            association.abort()
            raise
        if association.is_established:
            association.release()


def _identity(user: Staff | None) -> list[UserIdentityNegotiation]:
    """The user's name as PS3.7 D.3.3.7 carries it, without proof: the node vouches for it."""
    if user is None:
        return []
    item = UserIdentityNegotiation()
    item.user_identity_type = 1
    item.primary_field = user.user_id.encode()
    return [item]


def _refusal(association: Association, peer: Peer) -> str:
    how = "refused the association" if association.is_rejected else "can't be reached"
    return f"{peer.station.ae_title} at {peer.host}:{peer.port} {how}"
