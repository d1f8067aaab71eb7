"""A small audit repository: takes syslog over mutual TLS, cuts it, and assesses each message."""

import ssl
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Condition, Thread
from typing import Any

from typing_extensions import override

from audit.frame.octet_counting import OctetCountingDecoder
from audit.frame.syslog import read_header
from audit.nodes.dicom_tls import Credentials
from audit.record.assess import Assessment, assess

LIMIT = 1_000_000
WAIT_S = 25.0


class Collector(ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, credentials: Credentials) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self._context = credentials.accepting()
        self.found: list[Assessment] = []
        self.applications: set[str] = set()
        self.refused = 0
        self._changed = Condition()
        self._thread = Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @override
    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(WAIT_S)
        try:
            with self._context.wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, client_address)
        except ssl.SSLError:
            with self._changed:
                self.refused += 1
                self._changed.notify_all()

    def keep(self, raw: bytes) -> None:
        header = read_header(raw)
        found = assess(raw[header.msg_offset :])
        with self._changed:
            self.found.append(found)
            self.applications.add(header.app_name)
            self._changed.notify_all()

    def kinds(self) -> set[tuple[str, ...]]:
        return {_kind(one) for one in self.found}

    def wait_for(self, kinds: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
        with self._changed:
            self._changed.wait_for(lambda: kinds <= self.kinds(), WAIT_S)
            return kinds - self.kinds()

    def wait_for_refusal(self) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.refused > 0, WAIT_S)

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Connection(BaseRequestHandler):
    server: Collector

    @override
    def handle(self) -> None:
        decoder = OctetCountingDecoder(LIMIT, LIMIT)
        try:
            while data := self.request.recv(65536):
                for frame in decoder.feed(data):
                    self.server.keep(frame.octets)
            self.request.unwrap()
        except OSError:
            pass


def _kind(found: Assessment) -> tuple[str, ...]:
    if found.message is None:
        return ("unparseable",)
    event = found.message.event_identification
    return (event.event_id.csd_code, *(kind.csd_code for kind in event.event_type_codes))
