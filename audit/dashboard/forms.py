"""Form bodies, read within limits: URL-encoded only, each field once."""

from urllib.parse import parse_qsl

from starlette.requests import Request

from audit.dashboard.options import PageOptions
from audit.web.errors import BadRequest

Form = dict[str, str]

_MEDIA_TYPE = "application/x-www-form-urlencoded"


async def read_form(request: Request, options: PageOptions) -> Form:
    """The fields of a posted form.

    Raises:
        BadRequest: another media type, too long, too many fields, a field twice.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != _MEDIA_TYPE:
        raise BadRequest("a form must be sent as application/x-www-form-urlencoded")
    body = await request.body()
    if len(body) > options.max_form_octets:
        raise BadRequest("the form is too long")
    return parsed_form(body, options.max_form_fields)


def parsed_form(body: bytes, max_fields: int) -> Form:
    """The fields of an encoded form; undecodable octets become U+FFFD."""
    try:
        pairs = parse_qsl(
            body.decode("latin-1"), keep_blank_values=True, max_num_fields=max_fields
        )
    except ValueError as error:
        raise BadRequest("the form has too many fields") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise BadRequest("the form has a field twice")
    return form
