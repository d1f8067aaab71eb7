"""Who is on the other end of an association, as far as a listening node can know."""

from io import BytesIO
from ipaddress import ip_address

from pynetdicom import evt
from pynetdicom.association import Association

from audit.nodes.dicom_tls import peer_common_name
from audit.nodes.people import Staff
from audit.nodes.registry import station_named
from audit.nodes.trail import caller, person_of
from audit.record.build import Agent, Exchange, Node, Person, Process

MAX_USER_NAME = 64
USER_NAME_TYPES = (1, 2)
"""User identities that carry a name: alone, or with a passcode (PS3.7 D.3.3.7)."""


class Callers:
    """Names the peers of associations; staff are known by their log-in name."""

    def __init__(self, staff: tuple[Staff, ...]) -> None:
        self._staff = {member.user_id: member for member in staff}

    def process(self, association: Association, *, requestor: bool | None = None) -> Process:
        """The calling application, with the name in its certificate when it isn't one of ours."""
        socket = association.dul.socket
        return caller(
            ae_title_of(association),
            address_of(association),
            peer_common_name(socket.socket if socket else None),
            requestor=requestor,
        )

    def user(self, association: Association) -> tuple[Person, ...]:
        """The user that the caller says it acts for, none when it says nothing."""
        identity = association.requestor.user_identity
        if identity is None or identity.user_identity_type not in USER_NAME_TYPES:
            return ()
        name = (identity.primary_field or b"").decode("utf-8", "replace").strip()[:MAX_USER_NAME]
        known = self._staff.get(name)
        if known is not None:
            return (person_of(known, _machine(association)),)
        return (Person(user_id=name),) if name else ()

    def exchange_in(self, association: Association, here: Process) -> Exchange:
        """The caller sends or asks, this node receives or answers."""
        users = self.user(association)
        source = self.process(association, requestor=None if users else True)
        return Exchange(source=source, destination=here, others=users)

    def exchange_out(self, association: Association, here: Process) -> Exchange:
        """This node sends to the caller, who asked for it."""
        users = self.user(association)
        destination = self.process(association, requestor=None if users else True)
        return Exchange(source=here, destination=destination, others=users)


def called_title_of(association: Association) -> str:
    """The AE title that the caller asked for."""
    asked = association.requestor.primitive
    return str(asked.called_ae_title).strip() if asked else ""


def encoded(event: evt.Event, part: str) -> bytes:
    """A request's ``DataSet`` or ``Identifier`` exactly as it came, empty when it has none."""
    value = getattr(event.request, part, None)
    return value.getvalue() if isinstance(value, BytesIO) else b""


def ae_title_of(association: Association) -> str:
    """The calling AE title."""
    return str(association.requestor.ae_title).strip()


def _machine(association: Association) -> str:
    station = station_named(ae_title_of(association))
    return station.machine if station else address_of(association)


def address_of(association: Association) -> str:
    """The caller's network address."""
    return str(association.requestor.address)


def stranger(ae_title: str, address: str) -> Agent:
    """A caller that was refused; the title it gave needn't be one, and is kept as it came."""
    try:
        return caller(ae_title, address)
    except ValueError:
        return Node(node_id=ae_title.strip() or address, address=str(ip_address(address)))
