"""StreamedResponse: an answer made while it is sent, with an end that is always carried out."""

import asyncio
from collections.abc import AsyncIterable, Iterable
from contextlib import ExitStack

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send
from typing_extensions import override


class StreamedResponse(StreamingResponse):
    """Chunks as fast as the client reads them.

    Args:
        chunks: made in a worker thread when they are synchronous. One that raises cuts the
            connection, so that no client takes a part for the whole.
        media_type: of the answer.
        ending: closed in a worker thread when the answer ends: whole, cut or left by the client.
    """

    def __init__(
        self,
        chunks: Iterable[bytes] | AsyncIterable[bytes],
        media_type: str,
        ending: ExitStack,
    ) -> None:
        super().__init__(chunks, media_type=media_type)
        self._ending = ending

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI answer."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            ending = asyncio.create_task(asyncio.to_thread(self._ending.close))
            await asyncio.shield(ending)  # a stopping server cancels what runs, but not this
