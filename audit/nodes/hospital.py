"""The demo hospital: starts every node, plays the day, stops them again."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Thread
from typing import Final

from pydicom.config import IGNORE
from pydicom.config import settings as pydicom_settings

from audit.errors import ConfigurationError
from audit.nodes.acts import Acts, Cast
from audit.nodes.archive import Archive, ArchiveOptions
from audit.nodes.calls import Peer
from audit.nodes.chance import seeded
from audit.nodes.day import Day
from audit.nodes.dicom_tls import LOOPBACK
from audit.nodes.directory import Directory
from audit.nodes.feeds import Feed, OpenFeed, secure_feeds
from audit.nodes.identities import Identities
from audit.nodes.modality import Modality
from audit.nodes.order_desk import OrderDesk
from audit.nodes.outsider import Outsider
from audit.nodes.people import clerks, patients, staff
from audit.nodes.planning import Planner
from audit.nodes.registry import (
    ARCHIVE,
    FOREIGN_AE_TITLES,
    MODALITIES,
    ORDER_DESK,
    STATIONS,
    VIEWERS,
    AeRegistry,
    Station,
)
from audit.nodes.study_store import StoreLimits
from audit.nodes.trail import Emit
from audit.nodes.viewer import Viewer, Workplace

DAY_ENDS_WITHIN_S: Final = 0.4
"""How long the day may take to end of itself before its associations are cut."""
DAY_CUT_WITHIN_S: Final = 1.0
FEEDS_DRAIN_S: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class HospitalOptions:
    """Everything the hospital needs to know, as plain values that can go through JSON.

    Attributes:
        ca_certificate: PEM file of the demo authority; nodes trust it and are issued by it.
        ca_key: PEM file of its key.
        work_dir: folder for node certificates, media and kept audit messages; made if missing.
        syslog_host: where the audit repository listens for TLS syslog.
        syslog_port: its port.
        dicom_host: where the archive listens; the other nodes stay on loopback.
        dicom_port: the archive's port, 0 for a free one.
        ae_title: the archive's AE title.
        known_clients: calling AE titles that the archive accepts besides the hospital's own.
        destinations: further C-MOVE destinations, each ``TITLE=host:port``.
        seed: names and choices follow from it.
        pace_s: mean pause between two steps of daily life, in seconds.
        max_studies: how many studies the archive keeps; it starts with as many.
    """

    ca_certificate: str
    ca_key: str
    work_dir: str
    syslog_port: int
    syslog_host: str = LOOPBACK
    dicom_host: str = LOOPBACK
    dicom_port: int = 0
    ae_title: str = ARCHIVE.ae_title
    known_clients: Sequence[str] = FOREIGN_AE_TITLES
    destinations: Sequence[str] = ()
    seed: int = 1
    pace_s: float = 0.5
    max_studies: int = 100


class Hospital:
    """Every node of the hospital, and the day that is played with them.

    ``open_feed`` says where a node's audit messages go; by default over mutually authenticated
    TLS to the repository named in the options.

    Raises:
        ConfigurationError: the demo authority's files can't be used, or a destination is no
            ``TITLE=host:port``.
    """

    def __init__(self, options: HospitalOptions, open_feed: OpenFeed | None = None) -> None:
        logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)
        self._options = options
        self._work = Path(options.work_dir)
        self._open_feed = open_feed or secure_feeds(
            options.syslog_host, options.syslog_port, self._work / "spool"
        )
        self._identities = Identities(
            Path(options.ca_certificate), Path(options.ca_key), self._work / "certificates"
        )
        self._registry = _registry(options)
        self._staff, self._clerks = staff(options.seed), clerks(options.seed)
        self._patients = patients(options.seed)
        self._directory = Directory(self._staff + self._clerks)
        self._chance = seeded("day", options.seed)
        self._planner = Planner(self._chance)
        self._feeds: list[Feed] = []
        self._archive: Archive | None = None
        self._cast: Cast | None = None

    def start(self) -> Peer:
        """Start every node; returns where the archive listens."""
        self._archive = self._new_archive()
        peer = self._archive.start()
        self._cast = self._assembled(peer)
        for node in _nodes(self._cast):
            node.start()
        return peer

    def stop(self) -> None:
        """Stop every node, the archive last, and let the audit messages go out."""
        if self._cast is not None:
            for node in _nodes(self._cast):
                node.stop()
        if self._archive is not None:
            self._archive.stop()
        ending = [
            Thread(target=feed.close, args=(FEEDS_DRAIN_S,), daemon=True) for feed in self._feeds
        ]
        for thread in ending:
            thread.start()
        for thread in ending:
            thread.join()
        self._feeds = []

    def run(self, stop: Event) -> None:
        """Start, play a first round of everything, then daily life until ``stop`` is set."""
        validation = pydicom_settings.reading_validation_mode
        pydicom_settings.reading_validation_mode = IGNORE  # what clients send may break the rules
        try:
            self.start()
            day = Thread(target=self._play, args=(stop,), name="the day", daemon=True)
            day.start()
            stop.wait()
            day.join(DAY_ENDS_WITHIN_S)
        finally:
            stop.set()
            self.stop()
            pydicom_settings.reading_validation_mode = validation
        day.join(DAY_CUT_WITHIN_S)

    def _play(self, stop: Event) -> None:
        if self._cast is None:  # pragma: no cover - run() starts first
            return
        options = self._options
        acts = Acts(self._cast, self._planner, self._chance, options.seed)
        syslog = (options.syslog_host, options.syslog_port)
        day = Day(self._cast, acts, self._chance, options.pace_s, syslog)
        day.first_round(stop)
        day.live(stop)

    def _new_archive(self) -> Archive:
        options = self._options
        station = replace(ARCHIVE, ae_title=options.ae_title)
        archive = Archive(
            ArchiveOptions(
                host=options.dicom_host,
                port=options.dicom_port,
                station=station,
                limits=StoreLimits(max_studies=options.max_studies),
            ),
            self._identities.of(station),
            self._registry,
            self._emit_of(station),
            self._staff + self._clerks,
        )
        for dataset in self._planner.priors(self._patients, options.max_studies):
            archive.store.add(dataset, len(dataset.PixelData))
        return archive

    def _assembled(self, archive: Peer) -> Cast:
        return Cast(
            modalities=tuple(self._modality(station, archive) for station in MODALITIES),
            viewers=tuple(self._viewer(station, archive) for station in VIEWERS),
            desk=OrderDesk(
                self._identities.of(ORDER_DESK),
                self._emit_of(ORDER_DESK),
                archive,
                self._directory,
            ),
            outsider=Outsider(self._identities.foreign(), self._identities.stolen(), archive),
            patients=self._patients,
            staff=self._staff,
            clerks=self._clerks,
            directory=self._directory,
            post=self._work / "media" / "post",
        )

    def _modality(self, station: Station, archive: Peer) -> Modality:
        own = self._identities.of(station)
        return Modality(station, own, self._registry, self._emit_of(station), archive)

    def _viewer(self, station: Station, archive: Peer) -> Viewer:
        shelf = self._work / "media" / station.ae_title
        workplace = Workplace(self._registry, archive, self._directory, shelf)
        return Viewer(station, self._identities.of(station), self._emit_of(station), workplace)

    def _emit_of(self, station: Station) -> Emit:
        feed = self._open_feed(station, self._identities.of(station))
        self._feeds.append(feed)
        return feed.emit


def _nodes(cast: Cast) -> tuple[OrderDesk | Viewer | Modality, ...]:
    return (cast.desk, *cast.viewers, *cast.modalities)


def _registry(options: HospitalOptions) -> AeRegistry:
    own = {station.ae_title for station in STATIONS} - {ARCHIVE.ae_title}
    registry = AeRegistry(frozenset({*own, *options.known_clients}))
    for destination in options.destinations:
        title, _, address = destination.partition("=")
        host, _, port = address.rpartition(":")
        if not (title and host and port.isdecimal()):
            raise ConfigurationError(f"destination {destination!r} is no TITLE=host:port")
        registry.enrol(title, host, int(port))
    return registry
