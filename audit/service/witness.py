"""``arr witness``: a C2SP tlog-witness over HTTP, for the logs of other machines."""

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import structlog
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from audit.errors import ConfigurationError, StorageError
from audit.journal.note import VerifierKey
from audit.journal.witness import (
    MAX_REQUEST_OCTETS,
    TEXT_MEDIA_TYPE,
    Witness,
    WitnessAnswer,
)
from audit.journal.witness_key import WitnessKey
from audit.journal.witness_store import WitnessStore
from audit.service.ops import QuietServer, bind
from audit.service.serve import stop_event
from audit.transport.tls import CIPHERS
from audit.web.options import WebOptions
from audit.web.rate_limit import TokenBuckets
from audit.web.server import HttpServer

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessOptions:
    """One witness.

    Attributes:
        host: address to listen on.
        port: port; 0 picks a free one.
        store: folder of its key and memory.
        logs: keys of the logs that it watches.
        name: of the witness, for the first start; empty takes the name that is kept.
        certificate: PEM chain for HTTPS; plain HTTP without one, which loses nothing: all that is
            exchanged is signed and meant for everybody.
        private_key: PEM key of it.
        requests_per_s: sustained rate of one address.
        clock: POSIX seconds.
    """

    host: str
    port: int
    store: Path
    logs: tuple[VerifierKey, ...]
    name: str = ""
    certificate: Path | None = None
    private_key: Path | None = None
    requests_per_s: float = 10.0
    clock: Callable[[], float] = time.time


class _Server(QuietServer, HttpServer):
    """Hardened, and leaves signals to its owner."""


def create_witness_app(witness: Witness, requests_per_s: float) -> FastAPI:
    """The one resource, ``POST /add-checkpoint``."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    burst = max(1, round(requests_per_s * 2))
    buckets = TokenBuckets(requests_per_s, burst, max_keys=10_000)

    @app.post("/add-checkpoint")
    async def add_checkpoint(request: Request) -> Response:
        address = request.client.host if request.client else ""
        if not buckets.spend(address).allowed:
            return _response(WitnessAnswer(HTTPStatus.TOO_MANY_REQUESTS, "too many requests\n"))
        body = await _body(request)
        if body is None:
            answer = WitnessAnswer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "larger than a request\n")
        else:
            answer = await run_in_threadpool(_add, witness, body)
        log.info("asked to cosign", status=int(answer.status), peer=address)
        return _response(answer)

    return app


def run_witness(options: WitnessOptions, on_ready: Callable[[str, WitnessKey], None]) -> None:
    """Answer until SIGTERM or SIGINT.

    Args:
        options: what to watch, and where.
        on_ready: told the address and the witness's key, once it answers.

    Raises:
        ConfigurationError: the address, the name, the key or the certificate can't be used.
        JournalBusy: another witness runs on the folder.
        StorageError: the folder can't be used.
    """
    with WitnessStore(options.store) as store:
        cosigner = store.cosigner(options.name)
        if any(key.public == cosigner.verifier.public for key in options.logs):
            raise ConfigurationError("a log can't be its own witness: the key is the same")
        witness = Witness(store, cosigner, options.logs, options.clock)
        asyncio.run(_serve(options, witness, cosigner.verifier, on_ready))


async def _serve(
    options: WitnessOptions,
    witness: Witness,
    key: WitnessKey,
    on_ready: Callable[[str, WitnessKey], None],
) -> None:
    stop = stop_event()
    tls = _tls(options)
    with await bind(options.host, options.port, "--listen") as listener:
        host = f"[{options.host}]" if ":" in options.host else options.host
        scheme = "http" if tls is None else "https"
        address = f"{scheme}://{host}:{listener.getsockname()[1]}"
        server = _Server(
            create_witness_app(witness, options.requests_per_s),
            WebOptions(https=tls is not None, max_body_octets=MAX_REQUEST_OCTETS),
            tls=tls,
            on_started=lambda: on_ready(address, key),
        )
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        server.stop()
        await serving


def _tls(options: WitnessOptions) -> ssl.SSLContext | None:
    if options.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    try:
        context.load_cert_chain(options.certificate, options.private_key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"{options.certificate} can't be used: {error}") from error
    return context


def _add(witness: Witness, body: bytes) -> WitnessAnswer:
    try:
        return witness.add_checkpoint(body)
    except StorageError as error:
        log.critical("nothing can be cosigned", reason=str(error))
        return WitnessAnswer(HTTPStatus.SERVICE_UNAVAILABLE, "the witness's memory failed\n")


async def _body(request: Request) -> bytes | None:
    """The request's body; None when it is too large."""
    parts = []
    octets = 0
    async for part in request.stream():
        octets += len(part)
        if octets > MAX_REQUEST_OCTETS:
            return None
        parts.append(part)
    return b"".join(parts)


def _response(answer: WitnessAnswer) -> Response:
    # As header, not as media_type: to that a charset would be added.
    headers = {"Content-Type": answer.media_type or TEXT_MEDIA_TYPE, "Cache-Control": "no-store"}
    return Response(answer.body, status_code=answer.status, headers=headers)
