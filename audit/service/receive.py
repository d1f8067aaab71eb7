"""The receive process: sockets to journal. It parses no XML."""

import asyncio
import os
import sys
import time
from collections import Counter
from functools import partial
from hashlib import sha256

import structlog

from audit.errors import AuditError, ConfigurationError, JournalUnavailable, RequestError
from audit.frame.octet_counting import Frame
from audit.garbage import spare_collections
from audit.journal.entry import EntryKind, Received
from audit.journal.group_commit import CommitOptions, GroupCommit
from audit.journal.sealer import Sealer
from audit.journal.writer import JournalWriter
from audit.service.clock import clock_state
from audit.service.journal_keys import take_key_request
from audit.service.own_records import OwnRecords, identity_of
from audit.service.paths import DataPaths
from audit.service.receive_options import (
    journal_options,
    receiver_options,
    seal_options,
    server_tls,
)
from audit.service.receive_status import ReceiveFigures, receive_metrics
from audit.service.recording import (
    OWN_LISTENER,
    LastRecord,
    RecordingReports,
    SettingsSeen,
    SteadyClock,
    digest_of,
    last_record,
)
from audit.service.refusals import RefusalBudget, fragment_of, subject_of
from audit.service.status import Status
from audit.service.witness_rounds import WitnessRounds, round_options
from audit.settings import Settings
from audit.transport.append_socket import AppendOptions, AppendServer
from audit.transport.arrival import Arrival, Refusal, RefusalKind
from audit.transport.receiver import SyslogReceiver

ROLE = "receive"
WATCH_INTERVAL_S = 0.5
CLOCK_INTERVAL_S = 60.0
TRUST_INTERVAL_S = 5.0
SWITCH_INTERVAL_S = 0.001
"""After each write and sync the committing thread waits for the interpreter's lock, which a busy
event loop gives up only this often: by default 5 ms, and three such waits a commit."""

log = structlog.get_logger()


class ReceiveRole:
    """Takes messages from the network and from this machine's processes into the journal."""

    def __init__(self, settings: Settings, paths: DataPaths) -> None:
        self._settings = settings
        self._paths = paths
        self._own = OwnRecords(identity_of(settings, ROLE))
        self._refusals: Counter[str] = Counter()
        self._budget, self._fragments = RefusalBudget(), RefusalBudget()
        self._introduced: set[bytes] = set()
        self._clock_synchronised = clock_state().synchronised
        self._trust_seen = self._trust_times()
        self._started = False
        self._writer: JournalWriter
        self._commit: GroupCommit
        self._reports = RecordingReports(self._own, self._journal, ROLE)
        self._steady = SteadyClock()
        self._paused_at = 0
        self._paused_for_room = False
        self._rounds = WitnessRounds(paths, round_options(settings), self._reports.other_history)
        self._receiver: SyslogReceiver
        self._appends: AppendServer
        self._sealer: Sealer

    async def start(self) -> None:
        """Recover the journal, then open the append socket and the listeners."""
        settings = self._settings
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        self._loop = asyncio.get_running_loop()
        self._receiver = SyslogReceiver(
            receiver_options(settings, self._paths), self._on_arrival, self._on_refused
        )
        self._writer = await asyncio.to_thread(
            JournalWriter.open, self._paths.journal, journal_options(settings, self._paths)
        )
        before = await asyncio.to_thread(
            last_record, self._paths, self._writer.recovery.durable_count
        )
        try:
            await self._open_doors()
        except BaseException:
            self._writer.close()
            raise
        self._report_start(before)

    async def _open_doors(self) -> None:
        settings = self._settings
        options = CommitOptions(
            gather_delay_s=settings.journal.max_delay_ms / 1000,
            queue_max_octets=settings.journal.max_queue_octets,
            head_interval_s=settings.journal.checkpoint_interval_s,
        )
        self._commit = GroupCommit(self._writer, options, self._on_pressure)
        self._appends = AppendServer(
            self._paths.append_socket,
            self._on_append,
            AppendOptions(max_message_octets=settings.syslog.max_message_octets),
        )
        await self._appends.start()
        try:
            await self._receiver.start()
        except BaseException:
            await self._appends.stop(0)
            raise
        self._commit.start()
        self._sealer = Sealer(self._paths.journal, seal_options(settings), _warn_unsealed)
        if settings.journal.seal:
            self._sealer.start()
        self._rounds.start()
        self._started = True

    async def run(self, stop: asyncio.Event) -> None:
        """Until asked to stop; watches the journal, the clock and the trusted certificates.

        Raises:
            JournalUnavailable: a sync failed; it is never retried, so this process must end.
        """
        spare_collections()
        clock_due = trust_due = time.monotonic()
        while not stop.is_set():
            if self._writer.failure:
                raise JournalUnavailable(self._writer.failure)
            now = time.monotonic()
            self._watch_clock_step()
            await self._watch_key_request()
            if now >= clock_due:
                clock_due = now + CLOCK_INTERVAL_S
                self._watch_clock()
            if now >= trust_due:
                trust_due = now + TRUST_INTERVAL_S
                self._watch_trust()
            try:
                await asyncio.wait_for(stop.wait(), WATCH_INTERVAL_S)
            except TimeoutError:
                continue

    async def stop(self) -> None:
        """Drain the sockets, report the stop, and sign a head that covers the last entry."""
        if not self._started:
            return
        self._sealer.stop(0)
        await asyncio.to_thread(self._rounds.stop)
        drain_s = self._settings.syslog.drain_timeout_s
        await asyncio.gather(self._receiver.stop(drain_s), self._appends.stop(drain_s))
        if not self._writer.failure:
            self._reports.stopped(self._writer.durable_count)
        try:
            await asyncio.to_thread(self._commit.stop)
        finally:
            self._writer.close()

    def status(self) -> Status:
        """Whether records are taken and kept, and every count."""
        figures = ReceiveFigures(
            counters=self._receiver.counters,
            durable_count=self._writer.durable_count,
            queued_octets=self._commit.queued_octets,
            refusals=dict(self._refusals),
            clock_synchronised=self._clock_synchronised,
            sealed_segments=self._sealer.sealed_segments,
        )
        reason = self._writer.failure or ("" if self._commit.has_room else "the disk is full")
        detail: dict[str, object] = {
            "origin": self._writer.origin,
            "durable": self._writer.durable_count,
            "tls_port": self._receiver.tls_port,
            "udp_port": self._receiver.udp_port,
        }
        return Status(
            role=ROLE,
            ready=not reason,
            pid=os.getpid(),
            updated=time.time_ns(),
            detail=detail | ({"reason": reason} if reason else {}),
            metrics=receive_metrics(figures),
        )

    # -------- Into the journal

    def _on_arrival(self, arrival: Arrival) -> None:
        fingerprint = b""
        if arrival.certificate_der is not None:
            fingerprint = self._introduce(arrival.certificate_der, arrival)
            for above in arrival.certificate_chain:
                self._introduce(above, arrival)
        truncated = arrival.original_length > len(arrival.raw)
        received = Received(
            raw=arrival.raw,
            received_at=arrival.received_at,
            listener=arrival.listener,
            peer=arrival.peer,
            certificate_sha256=fingerprint,
            kind=EntryKind.TRUNCATED if truncated else EntryKind.MESSAGE,
            original_length=arrival.original_length if truncated else None,
        )
        settle = partial(self._receiver.settle, arrival)
        self._commit.submit(received, settle, waits_for_room=True)

    def _introduce(self, der: bytes, seen: Arrival | Refusal) -> bytes:
        """Journal a certificate once, when first seen; its SHA-256."""
        fingerprint = sha256(der).digest()
        if fingerprint not in self._introduced:
            self._commit.introduce(
                Received(
                    raw=der,
                    received_at=seen.received_at,
                    listener=seen.listener,
                    peer=seen.peer,
                    certificate_sha256=fingerprint,
                    kind=EntryKind.CERTIFICATE,
                )
            )
            self._introduced.add(fingerprint)
        return fingerprint

    async def _on_append(self, raw: bytes, listener: str, peer: str) -> int:
        future: asyncio.Future[int] = self._loop.create_future()

        def done(sequence: int | None, error: AuditError | None) -> None:
            self._loop.call_soon_threadsafe(_settle, future, sequence, error)

        try:
            received = Received(raw=raw, received_at=time.time_ns(), listener=listener, peer=peer)
        except ValueError as error:
            raise RequestError(f"this can't be journaled: {error}") from error
        self._commit.submit(received, done)
        return await future

    def _journal(self, raw: bytes, certificate_sha256: bytes = b"") -> None:
        """Journal a record of our own; when that fails the journal says so itself."""
        try:
            self._commit.submit(
                Received(
                    raw=raw,
                    received_at=time.time_ns(),
                    listener=OWN_LISTENER,
                    peer="",
                    certificate_sha256=certificate_sha256,
                ),
                waits_for_room=True,
            )
        except AuditError as error:
            log.warning("an own record was not journaled", reason=str(error))

    # -------- What happens beside

    def _on_refused(self, refusal: Refusal) -> None:
        self._refusals[refusal.kind.value] += 1
        log.warning("refused", kind=refusal.kind.value, peer=refusal.peer, reason=refusal.reason)
        if refusal.kept is not None:
            self._keep_fragment(refusal, refusal.kept)
        if refusal.kind is not RefusalKind.HANDSHAKE:
            return
        unreported = self._budget.take(refusal.peer, time.monotonic())
        if unreported is None:
            return
        reason = refusal.reason
        if unreported:
            reason += f" (and {unreported} more refusals of this address not reported one by one)"
        fingerprint = b""
        if refusal.certificate_der is not None:
            fingerprint = self._try_introduce(refusal.certificate_der, refusal)
        subject = subject_of(refusal.certificate_der)
        self._journal(self._own.refused_node(refusal.peer, subject, reason), fingerprint)

    def _keep_fragment(self, refusal: Refusal, kept: Frame) -> None:
        """Journal what came of a message that broke off: as often as refusals are reported."""
        if self._fragments.take(refusal.peer, time.monotonic()) is None:
            return
        fingerprint = b""
        if refusal.certificate_der is not None:
            fingerprint = self._try_introduce(refusal.certificate_der, refusal)
        try:
            self._commit.submit(fragment_of(refusal, kept, fingerprint), waits_for_room=True)
        except AuditError as error:
            log.warning("a message that broke off was not journaled", reason=str(error))

    def _try_introduce(self, der: bytes, refusal: Refusal) -> bytes:
        try:
            return self._introduce(der, refusal)
        except AuditError as error:
            log.warning("a certificate was not journaled", reason=str(error))
            return b""

    def _on_pressure(self, pressed: bool) -> None:
        change = self._receiver.pause if pressed else self._receiver.resume
        self._loop.call_soon_threadsafe(change)
        self._loop.call_soon_threadsafe(
            self._note_pause, pressed, time.time_ns(), not self._commit.has_room
        )
        log.warning("intake paused" if pressed else "intake goes on")

    def _note_pause(self, pressed: bool, now: int, for_room: bool) -> None:
        if pressed:
            self._paused_at, self._paused_for_room = now, for_room
        elif self._paused_at:
            since, self._paused_at = self._paused_at, 0
            self._reports.paused(since, now, for_room=self._paused_for_room)

    def _report_start(self, before: LastRecord | None) -> None:
        settings = self._settings
        self._reports.gap(before, time.time_ns())
        _, key, _ = self._writer.current_key
        self._reports.started(self._writer.recovery, clock_state(), key, digest_of(settings))
        self._reports.settings_changed(SettingsSeen(self._paths).changes(settings))

    def _watch_clock(self) -> None:
        state = clock_state()
        if state.synchronised != self._clock_synchronised:
            self._clock_synchronised = state.synchronised
            self._reports.clock_changed(state)

    def _watch_clock_step(self) -> None:
        step_s = self._steady.step_s()
        if step_s:
            self._reports.clock_stepped(step_s)

    async def _watch_key_request(self) -> None:
        """Replace the signing key when an operator asks for it."""
        overlap_s = take_key_request(self._paths)
        if overlap_s is None:
            return
        try:
            await asyncio.to_thread(self._writer.rotate_key, overlap_s)
        except AuditError as error:
            log.warning("the signing key was not replaced", reason=str(error))
            return
        since, key, end = self._writer.current_key
        self._reports.key_replaced(since, key, end)

    def _watch_trust(self) -> None:
        """Take new, changed and withdrawn certificates into use without a restart."""
        seen = self._trust_times()
        if seen == self._trust_seen or not self._settings.syslog.tls_enabled:
            return
        self._trust_seen = seen
        try:
            ended = self._receiver.reload_tls(server_tls(self._settings, self._paths))
        except ConfigurationError as error:
            log.warning("changed certificates can't be used; the old ones stay", reason=str(error))
            return
        self._reports.trust_read(ended)

    def _trust_times(self) -> tuple[tuple[str, int], ...]:
        trust = self._settings.trust
        enrolled = trust.enrolled or self._paths.enrolled
        files = [
            trust.certificate,
            trust.private_key,
            trust.client_ca,
            *trust.crl,
            *enrolled.glob("*"),
        ]
        return tuple(
            (str(file), file.stat().st_mtime_ns) for file in files if file and file.exists()
        )


def _warn_unsealed(reason: str) -> None:
    log.warning("a segment was not sealed", reason=reason)


def _settle(future: asyncio.Future[int], sequence: int | None, error: AuditError | None) -> None:
    if future.cancelled():
        return
    if sequence is not None:
        future.set_result(sequence)
    else:
        future.set_exception(error or JournalUnavailable("the record was not made durable"))
