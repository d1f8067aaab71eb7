"""Somebody who doesn't belong here and is refused: wrong certificate, none, unknown AE title."""

import socket
import ssl
from dataclasses import dataclass
from typing import Final

from pynetdicom import AE

from audit.errors import ConnectionFailed
from audit.nodes.calls import Line, Peer, entity
from audit.nodes.dicom_tls import Credentials
from audit.nodes.sop_classes import VERIFICATION, contexts_of

TIMEOUT_S: Final = 1.0
STRANGE_AE_TITLES: Final = ("HACKPACS", "VENDOR_SVC", "ANYSCU", "TEST01")


@dataclass(frozen=True, slots=True)
class Outsider:
    """``foreign`` is signed by an authority unknown here, ``valid`` by ours: a stolen one, say."""

    foreign: Credentials
    valid: Credentials
    archive: Peer

    def with_wrong_certificate(self) -> bool:
        """Call the archive with the foreign certificate; whether it was refused."""
        return self._refused(entity("CT_RAD1"), self.foreign)

    def with_unknown_title(self, ae_title: str = STRANGE_AE_TITLES[0]) -> bool:
        """Call the archive with a good certificate and a title nobody registered."""
        return self._refused(entity(ae_title), self.valid)

    def at_collector(self, host: str, port: int) -> bool:
        """Knock at the audit repository with the foreign certificate; whether it was refused."""
        context = self.foreign.calling(check_name=False)
        try:
            with (
                socket.create_connection((host, port), TIMEOUT_S) as plain,
                context.wrap_socket(plain) as secured,
            ):
                return secured.recv(1) == b""
        except TimeoutError:
            return False
        except (ssl.SSLError, OSError):
            return True

    def _refused(self, caller: AE, credentials: Credentials) -> bool:
        caller.acse_timeout = TIMEOUT_S
        try:
            with Line(caller, credentials).to(self.archive, contexts_of([VERIFICATION])):
                return False
        except ConnectionFailed:
            return True
