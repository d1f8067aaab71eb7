"""The few files that pages refer to, served from memory under names that change with content."""

from functools import cache
from hashlib import sha256
from importlib.resources import files

from starlette.responses import Response

from audit.errors import NotFound

_MEDIA_TYPES = {
    "app.css": "text/css; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "favicon.svg": "image/svg+xml",
}
_CACHE = "public, max-age=31536000, immutable"


class StaticFiles:
    """A fixed set of files: no path of a request ever reaches the disk."""

    def __init__(self) -> None:
        folder = files("audit.dashboard").joinpath("static")
        self._addresses: dict[str, str] = {}
        self._content: dict[str, tuple[bytes, str]] = {}
        for name, media_type in _MEDIA_TYPES.items():
            octets = folder.joinpath(name).read_bytes()
            stem, _, ending = name.rpartition(".")
            served = f"{stem}.{sha256(octets).hexdigest()[:12]}.{ending}"
            self._addresses[name] = f"/static/{served}"
            self._content[served] = (octets, media_type)

    def address(self, name: str) -> str:
        """Where a page finds the file."""
        return self._addresses[name]

    def answer(self, served: str) -> Response:
        """The file; raises NotFound for any other name."""
        if served not in self._content:
            raise NotFound("there is no such file")
        octets, media_type = self._content[served]
        return Response(octets, media_type=media_type, headers={"Cache-Control": _CACHE})


@cache
def static_files() -> StaticFiles:
    """The files, read once."""
    return StaticFiles()
