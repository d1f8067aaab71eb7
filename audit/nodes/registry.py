"""The hospital's AE registry: which application entities exist, where and what they are."""

from dataclasses import dataclass, field
from threading import Lock

SITE = "Demo General Hospital"
DOMAIN = "demo-general.example"
PATIENT_ID_NAMESPACE = "DGH"
PATIENT_ID_OID = "2.25.248134107613871042657914028613359012771"
"""Assigning authority of the hospital's patient numbers; made from a random UUID."""

FOREIGN_AE_TITLES = (
    "ECHOSCU",
    "FINDSCU",
    "GETSCU",
    "MOVESCU",
    "STORESCU",
    "PYNETDICOM",
    "DCM4CHE",
)
"""Calling AE titles that well-known toolkits use when nobody sets one."""


@dataclass(frozen=True, slots=True)
class Station:
    """One application entity: its title, machine, what it does; what it acquires, if it does."""

    ae_title: str
    host: str
    description: str
    modality: str = ""

    @property
    def machine(self) -> str:
        """Fully qualified machine name, the NetworkAccessPointID of type 1 (PS3.15 A.5.2.4)."""
        return f"{self.host}.{DOMAIN}"


ARCHIVE = Station("PACS_MAIN", "pacs1", "Image archive")
CT = Station("CT_RAD1", "ct1-rad", "CT scanner, radiology", "CT")
MR = Station("MR_NEURO", "mr1-neuro", "MR scanner, neurology", "MR")
US = Station("US_ED1", "us1-ed", "Ultrasound, emergency department", "US")
VIEWER_RAD = Station("VIEW_RAD", "view1-rad", "Reading room workstation")
VIEWER_ED = Station("VIEW_ED", "view1-ed", "Emergency department workstation")
ORDER_DESK = Station("ORDER_DESK", "orders1", "Order desk")

MODALITIES = (CT, MR, US)
VIEWERS = (VIEWER_RAD, VIEWER_ED)
STATIONS = (ARCHIVE, *MODALITIES, *VIEWERS, ORDER_DESK)


@dataclass(slots=True)
class AeRegistry:
    """Who may call the archive, and where images may be sent to; safe to use from threads."""

    callers: frozenset[str]
    destinations: dict[str, tuple[str, int]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def enrol(self, ae_title: str, host: str, port: int) -> None:
        """Make a storage SCP known as a C-MOVE destination."""
        with self._lock:
            self.destinations[ae_title] = (host, port)

    def address_of(self, ae_title: str) -> tuple[str, int] | None:
        """Where this AE listens, None when it isn't known."""
        with self._lock:
            return self.destinations.get(ae_title)


def station_named(ae_title: str) -> Station | None:
    """The hospital's own station of that title."""
    return next((station for station in STATIONS if station.ae_title == ae_title), None)
