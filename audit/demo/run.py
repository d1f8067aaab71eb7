"""The demonstration: repository and hospital started, watched and stopped together."""

import asyncio
import contextlib
import json
import os
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event
from typing import Any

import structlog

from audit.demo.places import LOOPBACK, DemoPki, Ports, choose_ports, demo_settings
from audit.errors import AuditError, JournalUnavailable
from audit.nodes.hospital import Hospital, HospitalOptions
from audit.nodes.registry import ARCHIVE
from audit.query.access import READ_SCOPES
from audit.record.build import Alert
from audit.service.operator import administering
from audit.service.paths import PRIVATE_FILE, DataPaths
from audit.service.serve import stop_event
from audit.service.site_pki import CA_STEM, Issued
from audit.service.status import read_all
from audit.service.supervise import Child, Supervisor
from audit.settings import Settings

OFFICER = "officer"
TOKEN_DAYS = 30
READY_WITHIN_S = 90.0
LOOK_EVERY_S = 0.05

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What ``arr demo`` was asked for.

    Attributes:
        data: where everything is kept.
        http_port: port of the pages; None for the usual one, or a free one.
        syslog_port: port of TLS syslog; likewise.
        seconds: how long to run once it is ready; None until a signal.
        seed: names and choices of the hospital follow from it.
        announce: told the access facts once all is ready.
    """

    data: Path
    http_port: int | None = None
    syslog_port: int | None = None
    seconds: float | None = None
    seed: int = 1
    announce: Callable[[dict[str, Any]], None]


def run_demo(options: DemoOptions) -> None:
    """Run until the time is over or a signal comes.

    Raises:
        AuditError: something could not be started; what had started is stopped.
    """
    os.umask(0o077)
    asyncio.run(_Demo(options).run())


class _Demo:
    def __init__(self, options: DemoOptions) -> None:
        self._options = options
        self._data = options.data.absolute()
        self._paths = DataPaths(self._data)
        self._folder = self._data / "demo"
        self._access_file = self._folder / "access.json"

    async def run(self) -> None:
        stop = stop_event()
        self._access_file.unlink(missing_ok=True)
        self._paths.prepare()
        self._folder.mkdir(exist_ok=True)
        pki = DemoPki(self._folder / "pki")
        issued = await asyncio.to_thread(pki.prepare)
        ports = choose_ports(self._options.http_port, self._options.syslog_port)
        settings = demo_settings(self._data, ports, pki)
        supervisor = Supervisor([self._repository(settings)])
        try:
            await supervisor.start()
            if not await self._ready(supervisor, stop):
                return
            access = await asyncio.to_thread(self._grant_access, settings, ports, issued)
            await supervisor.add(self._hospital(ports, pki))
            await self._listening(ports.dicom, stop)
            self._write(access)
            self._options.announce(access)
            await self._until_over(stop, supervisor)
        finally:
            self._access_file.unlink(missing_ok=True)
            await supervisor.stop()
        supervisor.raise_failure()

    def _repository(self, settings: Settings) -> Child:
        return Child(
            name="repository",
            arguments=("serve", "--supervised"),
            message=settings.model_dump_json(),
            stop_after=4.0,
            log_file=self._folder / "repository.log",
        )

    def _hospital(self, ports: Ports, pki: DemoPki) -> Child:
        options = HospitalOptions(
            ae_title=ARCHIVE.ae_title,
            ca_certificate=str(pki.ca),
            ca_key=str(pki.folder / f"{CA_STEM}.key"),
            work_dir=str(self._folder / "hospital"),
            syslog_host=LOOPBACK,
            syslog_port=ports.syslog_tls,
            dicom_host=LOOPBACK,
            dicom_port=ports.dicom,
            seed=self._options.seed,
        )
        return Child(
            name="hospital",
            arguments=("demo-hospital",),
            message=json.dumps(asdict(options)),
            stop_after=1.8,
            stage=1,
            log_file=self._folder / "hospital.log",
        )

    async def _ready(self, supervisor: Supervisor, stop: asyncio.Event) -> bool:
        deadline = time.monotonic() + READY_WITHIN_S
        gave_up = asyncio.create_task(supervisor.wait())
        try:
            while not stop.is_set():
                ready = {status.role for status in read_all(self._paths.run) if _works(status)}
                if ready >= {"receive", "project", "web"}:
                    return True
                if gave_up.done():
                    supervisor.raise_failure()
                if time.monotonic() > deadline:
                    raise JournalUnavailable(
                        f"the repository was not ready within {READY_WITHIN_S:.0f} s; "
                        f"{self._folder / 'repository.log'} says why"
                    )
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            gave_up.cancel()
        return False

    async def _listening(self, port: int, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                _, writer = await asyncio.open_connection(LOOPBACK, port)
            except OSError:
                await asyncio.sleep(LOOK_EVERY_S)
                continue
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            return

    def _grant_access(self, settings: Settings, ports: Ports, issued: Issued) -> dict[str, Any]:
        """A fresh password and token for the officer; all that a program needs."""
        password = secrets.token_urlsafe(12)
        with administering(settings) as administration:
            administration.record(
                "The demo's officer gets a password and a token",
                Alert.USER_SECURITY_ATTRIBUTES_CHANGED,
            )
            accounts = administration.state.accounts
            if accounts.find(OFFICER) is None:
                accounts.create(OFFICER, password, display_name="Demo Officer", scopes=READ_SCOPES)
            else:
                accounts.set_password(OFFICER, password)
            for old in administration.state.tokens.all():
                if old.owner == OFFICER:
                    with contextlib.suppress(AuditError):
                        administration.state.tokens.revoke(old.id)
            token = administration.state.tokens.create(
                "demo", OFFICER, READ_SCOPES, TOKEN_DAYS * 86_400.0
            )
        return {
            "url": f"http://{LOOPBACK}:{ports.http}",
            "ca": None,
            "username": OFFICER,
            "password": password,
            "token": token.secret,
            "syslog": {
                "host": LOOPBACK,
                "tls_port": ports.syslog_tls,
                "udp_port": ports.syslog_udp,
            },
            "dicom": {"host": LOOPBACK, "port": ports.dicom, "ae_title": ARCHIVE.ae_title},
            "client": issued.as_dict(),
        }

    def _write(self, access: dict[str, Any]) -> None:
        partial = self._access_file.with_suffix(".part")
        partial.unlink(missing_ok=True)
        file = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE)
        with os.fdopen(file, "w", encoding="utf-8") as out:
            json.dump(access, out, indent=1)
        partial.replace(self._access_file)

    async def _until_over(self, stop: asyncio.Event, supervisor: Supervisor) -> None:
        gave_up = asyncio.create_task(supervisor.wait())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait(
            (gave_up, stopping),
            timeout=self._options.seconds,
            return_when=asyncio.FIRST_COMPLETED,
        )
        for task in (gave_up, stopping):
            task.cancel()


def _works(status: Any) -> bool:
    return bool(status.ready and status.fresh)


def run_hospital(line: str) -> None:
    """The child process that plays the hospital; ``line`` holds its options as JSON."""
    stop = Event()
    import signal

    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    Hospital(HospitalOptions(**json.loads(line))).run(stop)
    sys.stdout.flush()
