"""The machines of the simulated hospital: modalities, archive, viewers, order desk, and others."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache

from audit.frame.syslog import format_message
from audit.record.build import SourceType
from audit.simulate.facts import Machine, facts
from audit.simulate.people import Staff, mixed
from audit.simulate.scenes import Slots

_STAND_IN = datetime(2001, 2, 3, 4, 5, 6, 789000, tzinfo=UTC)
_VIEWERS_PER_MEMBER = 3


@dataclass(frozen=True, slots=True)
class Station:
    """A node that reports.

    Attributes:
        host: its name, also the AuditSourceID.
        slots_a, slots_b: itself as process a or b of a scene; ``slots_a`` holds ``src`` too.
    """

    host: str
    app: str
    ae_title: str
    process: str
    address: str
    source: SourceType
    slots_a: Slots = field(compare=False)
    slots_b: Slots = field(compare=False)


def _side(side: str, station: tuple[str, str, str, str]) -> dict[str, str]:
    process, name, ae_title, address = station
    return {
        f"{side}_pid": process,
        f"{side}_name": name,
        f"{side}_aet": ae_title,
        f"{side}_addr": address,
    }


def _station(host: str, app: str, source: SourceType, address: str, domain: str) -> Station:
    ae_title = host.replace("-", "").upper()[:16]
    process = str(1000 + mixed(len(host), sum(host.encode()) * 31 + len(app)) % 30000)
    full = f"{host}.{domain}"
    own = (process, app, ae_title, address)
    return Station(
        host=full,
        app=app,
        ae_title=ae_title,
        process=process,
        address=address,
        source=source,
        slots_a={**_side("a", own), "src": full},
        slots_b=_side("b", own),
    )


@cache
def _header(host: str, app: str, process: str, severity: int) -> tuple[bytes, bytes]:
    whole = format_message(
        severity=severity,
        hostname=host,
        app_name=app,
        procid=process,
        timestamp=_STAND_IN,
        msg=b"",
    )
    stand_in = _STAND_IN.isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()
    before, _, after = whole.partition(stand_in)
    return before, after


def framed(station: Station, severity: int, utc: str, xml: bytes) -> bytes:
    """The syslog message, as ``format_message`` makes it; ``utc`` without its ``Z``."""
    before, after = _header(station.host, station.app, station.process, severity)
    return b"%b%bZ%b%b" % (before, utc.encode(), after, xml)


def _modality(machine: Machine, staff: int) -> Iterator[Station]:
    for number in range(1, max(machine.least, staff // machine.every) + 1):
        kind = machine.modality.lower()
        address = f"10.20.{ord(kind[0]) + ord(kind[1]) - 180}.{number}"
        host = f"{kind}-{number:02}"
        yield _station(host, "modality", SourceType.ACQUISITION_DEVICE, address, facts().domain)


@dataclass(frozen=True)
class Stations:
    """All machines. ``viewers`` by department code; ``partners`` stand outside."""

    archive: Station
    order_desk: Station
    writer: Station
    gateway: Station
    audit: Station
    modalities: dict[str, tuple[Station, ...]]
    viewers: dict[str, tuple[Station, ...]]
    partners: tuple[Station, ...]


def _viewers(staff: tuple[Staff, ...]) -> dict[str, tuple[Station, ...]]:
    found: dict[str, tuple[Station, ...]] = {}
    for place, department in enumerate(facts().departments):
        members = sum(member.department == department for member in staff)
        found[department.code] = tuple(
            _station(
                f"view-{department.code.lower()}-{number:02}",
                "viewer",
                SourceType.USER_INTERFACE,
                f"10.{30 + place}.{number // 250}.{number % 250 + 1}",
                facts().domain,
            )
            for number in range(1, 2 + members // _VIEWERS_PER_MEMBER)
        )
    return found


def installed(staff: tuple[Staff, ...]) -> Stations:
    """The machines that a hospital with this staff has."""
    domain = facts().domain
    server = SourceType.APPLICATION_SERVER
    return Stations(
        archive=_station("archive", "pacs", server, "10.10.0.11", domain),
        order_desk=_station("ris", "ris", server, "10.10.0.12", domain),
        writer=_station(
            "media-01", "media-writer", SourceType.USER_INTERFACE, "10.10.0.13", domain
        ),
        gateway=_station("gateway", "dicom-gateway", server, "10.10.0.14", domain),
        audit=_station("audit", "arr", SourceType.WEB_SERVER, "10.10.0.15", domain),
        modalities={
            machine.modality: tuple(_modality(machine, len(staff))) for machine in facts().machines
        },
        viewers=_viewers(staff),
        partners=tuple(
            _station(
                partner.host.partition(".")[0],
                "gateway",
                SourceType.OTHER,
                f"198.51.100.{number}",
                partner.host.partition(".")[2],
            )
            for number, partner in enumerate(facts().partners, start=10)
        ),
    )
