"""The guard of a listening node: who is refused becomes a Security Alert (PS3.15 A.5.3.11)."""

from pynetdicom import evt

from audit.nodes.callers import address_of, ae_title_of, called_title_of, stranger
from audit.nodes.trail import Trail
from audit.record.build import Alert, AlertSubject, Node, Outcome


class Sentry:
    """Tells of failed handshakes and of associations refused for a wrong AE title."""

    def __init__(self, trail: Trail, callers: frozenset[str]) -> None:
        self._trail = trail
        self._callers = callers

    def handshake_refused(self, address: str, reason: str) -> None:
        """A peer didn't prove who it is; nothing of it but the address is known."""
        subject = AlertSubject(id=address, description=f"TLS handshake from {address}: {reason}")
        performer = Node(node_id=address, address=address)
        self._trail.alert(Alert.NODE_AUTHENTICATION, subject, performers=(performer,))

    def rejected(self, event: evt.Event) -> None:
        """An association was refused; full house (local limit) is no breach and isn't told."""
        title, address = ae_title_of(event.assoc), address_of(event.assoc)
        called = called_title_of(event.assoc)
        here = self._trail.station.ae_title
        if title not in self._callers:
            reason = f"calling AE title {title!r} isn't known"
        elif called != here:
            reason = f"called AE title {called!r} isn't {here}"
        else:
            return
        subject = AlertSubject(id=address, description=f"Association refused: {reason}")
        self._trail.alert(
            Alert.NODE_AUTHENTICATION,
            subject,
            performers=(stranger(title, address),),
            outcome=Outcome.MINOR_FAILURE,
        )
