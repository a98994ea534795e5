"""What all answers with a representation have in common: validators, lifetime, conditions."""

from datetime import UTC, datetime
from email.utils import format_datetime

import falcon
from falcon.asgi import Request, Response

from asgilook.http.conditions import Conditions, Validators, Verdict
from asgilook.http.problems import Problem, write

# None of them says `public`, which adds something for answers to Authorization only.
FOR_EVER = "max-age=31536000, immutable"
"""For what never changes under its URL (RFC 8246)."""


def at_most(seconds: int) -> str:
    """Say how long to keep what has an end."""
    return f"max-age={seconds}"


BRIEFLY = "max-age=5, stale-while-revalidate=30, stale-if-error=86400"
"""For the listing (RFC 5861). No `s-maxage`, which would switch the stale ones off."""

IMAGE_FIELDS = {"accept-ranges": "bytes", "cache-control": FOR_EVER, "timing-allow-origin": "*"}

OF_THE_BODY = ("content-type", "content-disposition")
"""What a 304, which has no body, leaves out (RFC 9110, section 15.4.5)."""

FAILED = Problem(412, "precondition-failed", "The image is not the one the conditions name.")


def conditions(req: Request) -> Conditions:
    """Read the conditions of a request."""
    return Conditions.read(req.get_header)


def validator_fields(validators: Validators) -> dict[str, str]:
    """Spell validators as fields."""
    fields = {"etag": validators.etag}
    # An id that a clock ahead of ours has made lies in the future, and no such date may be told
    # (RFC 9110, section 8.8.2.1).
    if validators.modified and validators.modified <= datetime.now(UTC):
        fields["last-modified"] = format_datetime(validators.modified, usegmt=True)
    return fields


def is_settled(asked: Conditions, resp: Response, validators: Validators) -> bool:
    """Answer a GET or HEAD right away where the conditions say so: 304 or 412."""
    match asked.judge(validators):
        case Verdict.NOT_MODIFIED:
            resp.status = falcon.HTTP_304
            for name in OF_THE_BODY:
                resp.delete_header(name)
            return True
        case Verdict.FAILED:
            write(resp, FAILED, {})
            return True
    return False


def give_methods(resp: Response, methods: str) -> None:
    """Answer OPTIONS (RFC 9110, section 9.3.7)."""
    resp.set_header("allow", methods)
    resp.content_length = 0


def give_bytes(req: Request, resp: Response, body: bytes, validators: Validators) -> None:
    """Answer with a representation that is in memory, or the part that is asked for.

    Raises `RangeUnsatisfiable`.
    """
    asked = conditions(req)
    resp.set_headers(validator_fields(validators))
    if is_settled(asked, resp, validators):
        return
    part = asked.byte_range(validators) if req.method == "GET" else None
    if part is None:
        resp.data = body
    else:
        span = part.within(len(body))
        resp.status = falcon.HTTP_206
        resp.set_header("content-range", str(span))
        resp.data = body[span.first : span.last + 1]
