"""From errors to problem documents (RFC 9457): the one table, and what writes them.

What a client reads is the text of this table. What an exception says is private, and logged.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import falcon
from falcon.asgi import App, Request, Response
from falcon.constants import COMBINED_METHODS

from asgilook import errors
from asgilook.codec import UPLOAD_TYPES

_log = logging.getLogger(__name__)

ACCEPT_POST = ", ".join([*UPLOAD_TYPES, "multipart/form-data"])


@dataclass(frozen=True, slots=True)
class Problem:
    """What a client is told: a status, a code that never changes, and a text for people."""

    status: int
    code: str
    text: str
    retry_after_s: int | None = None


PROBLEMS: dict[type[errors.AsgilookError], Problem] = {
    errors.ImageNotFound: Problem(404, "image-not-found", "There is no such image."),
    errors.ImageDeleted: Problem(410, "image-deleted", "The image was deleted."),
    errors.ThumbnailNotFound: Problem(
        404, "size-not-found", "The image does not come in this size; its JSON lists those it has."
    ),
    errors.RangeUnsatisfiable: Problem(
        416, "range-not-satisfiable", "The range lies outside the image."
    ),
    errors.InvalidPage: Problem(
        400, "invalid-page", "The limit or the cursor of the listing is not valid."
    ),
    errors.UploadEmpty: Problem(400, "upload-empty", "There is no picture in the request."),
    errors.UploadIncomplete: Problem(
        400, "upload-incomplete", "The request ended before its announced end."
    ),
    errors.UploadTooSlow: Problem(408, "upload-too-slow", "The request's body took too long."),
    errors.UploadMalformed: Problem(400, "form-malformed", "The form does not follow the rules."),
    errors.DigestMalformed: Problem(
        400, "digest-malformed", "A digest field does not follow RFC 9530."
    ),
    errors.DigestMismatch: Problem(
        400, "digest-mismatch", "The body is not the one that its digest announces."
    ),
    errors.ClaimMalformed: Problem(
        400, "idempotency-key-malformed", "The idempotency key is empty, too long or not ASCII."
    ),
    errors.ClaimMismatch: Problem(
        422, "idempotency-key-reused", "The idempotency key was used before with another upload."
    ),
    errors.UploadTooLarge: Problem(413, "upload-too-large", "The upload is too long."),
    errors.UnsupportedType: Problem(
        415, "type-not-supported", "This is not a picture of a type that is taken here."
    ),
    errors.BrokenPicture: Problem(422, "picture-broken", "No picture comes out of this file."),
    errors.PictureTooLarge: Problem(
        422, "picture-too-large", "The picture has more pixels than are taken here."
    ),
    errors.SignatureInvalid: Problem(
        403, "signature-invalid", "The signature is not valid, or not any more."
    ),
    errors.WriteUnauthorized: Problem(
        401, "key-needed", "Writing needs a valid key as a bearer token."
    ),
    errors.WriteForbidden: Problem(
        403, "write-forbidden", "No keys are set up here, so only the machine itself may write."
    ),
    errors.RateLimited: Problem(
        429, "rate-limited", "You have used up what one client may use for now."
    ),
    errors.Overloaded: Problem(503, "overloaded", "Too much is going on here right now.", 1),
    # 503 and 504 pass by themselves; 502 wants somebody to look.
    errors.PurgeNotFound: Problem(404, "purge-not-found", "No purge of such an image is known of."),
    errors.QueueUnavailable: Problem(
        503, "purges-unavailable", "How far the purge is cannot be told right now.", 1
    ),
    errors.StoreUnavailable: Problem(
        503, "store-unavailable", "The pictures are out of reach right now.", 5
    ),
    errors.StoreTimeout: Problem(
        504, "store-timeout", "The pictures take too long to come right now.", 5
    ),
    errors.StoreRefused: Problem(
        502, "store-refused", "The service is not let in where the pictures are.", 5
    ),
    errors.StoreBroken: Problem(
        502, "store-broken", "What came from where the pictures are cannot be used.", 5
    ),
}

NO_SUCH_PATH = Problem(404, "not-found", "There is nothing under this path.")

_UNKNOWN_METHOD = Problem(501, "not-implemented", "No path here knows this method.")

_TEXTS = {"method-not-allowed": "This is not done here; Allow lists what is."}

_UNEXPECTED = Problem(500, "internal-error", "Something went wrong here; it is in our log.")


def problem_of(error: errors.AsgilookError) -> Problem:
    """Find what a client is told of an error."""
    for kind in type(error).__mro__:
        if kind in PROBLEMS:
            return PROBLEMS[kind]
    return _UNEXPECTED


def log_problem(error: errors.AsgilookError) -> Problem:
    """Find what a client is told of an error, and log what it is not told."""
    problem = problem_of(error)
    _log.log(_level(error, problem), "%s: %s: %s", problem.code, type(error).__name__, error)
    return problem


def _level(error: errors.AsgilookError, problem: Problem) -> int:
    if isinstance(error, errors.Overloaded):
        # There are hundreds a second, all are counted, and each stands in the access log.
        return logging.DEBUG
    return logging.ERROR if problem.status >= 500 else logging.INFO


def body(problem: Problem) -> dict[str, Any]:
    """Give the members of the problem document."""
    return {
        "title": phrase(problem.status),
        "status": problem.status,
        "detail": problem.text,
        "code": problem.code,
    }


def phrase(status: int) -> str:
    """Give the words that belong to a status."""
    return str(falcon.code_to_http_status(status)).partition(" ")[2]


def document(problem: Problem) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Give the document in full, and the fields that go with it."""
    text = json.dumps(body(problem)).encode()
    # A missing image may be there in a moment, and is asked for often: keep that answer briefly.
    lifetime = b"max-age=5" if problem.status in {404, 410} else b"no-store"
    return text, [
        (b"content-type", b"application/problem+json"),
        (b"cache-control", lifetime),
        (b"content-length", str(len(text)).encode()),
    ]


def install(app: App[Request, Response]) -> None:
    """Make every error of the app a problem document."""
    app.add_error_handler(Exception, _on_unexpected)
    app.add_error_handler(errors.AsgilookError, _on_domain_error)
    app.add_error_handler(falcon.HTTPError, _on_http_error)


async def _on_domain_error(
    req: Request, resp: Response, error: BaseException, params: dict[str, Any]
) -> None:
    assert isinstance(error, errors.AsgilookError)
    problem = log_problem(error)
    write(resp, problem, _fields(error, problem))


async def _on_http_error(
    req: Request, resp: Response, error: BaseException, params: dict[str, Any]
) -> None:
    """Give Falcon's own errors (no such route, no such method, a malformed field) our form."""
    assert isinstance(error, falcon.HTTPError)
    if isinstance(error, falcon.HTTPRouteNotFound):
        problem = NO_SUCH_PATH
    elif req.method not in COMBINED_METHODS:
        problem = _UNKNOWN_METHOD
    else:
        code = phrase(error.status_code).lower().replace(" ", "-")
        problem = Problem(error.status_code, code, error.description or _TEXTS.get(code, code))
    write(resp, problem, dict(error.headers or ()))


async def _on_unexpected(
    req: Request, resp: Response, error: BaseException, params: dict[str, Any]
) -> None:
    _log.error("unexpected: %s %s", req.method, req.uri_template, exc_info=error)
    write(resp, _UNEXPECTED, {})


def write(resp: Response, problem: Problem, fields: Mapping[str, str]) -> None:
    """Answer with a problem and nothing of what the answer would have been."""
    for name in resp.headers:
        resp.delete_header(name)
    resp.stream = resp.text = None
    resp.status = falcon.code_to_http_status(problem.status)
    resp.data, own = document(problem)
    resp.set_headers([(name.decode(), value.decode()) for name, value in own])
    resp.set_headers(dict(fields))


def _fields(error: errors.AsgilookError, problem: Problem) -> dict[str, str]:
    """Give the fields that go with an error beside the document."""
    fields = {"retry-after": str(problem.retry_after_s)} if problem.retry_after_s else {}
    match error:
        case errors.Overloaded(retry_after_s=retry_after_s):
            fields["retry-after"] = str(retry_after_s)
        case errors.RangeUnsatisfiable(size_bytes=size_bytes):
            fields["content-range"] = f"bytes */{size_bytes}"
        case errors.UnsupportedType():
            fields["accept-post"] = ACCEPT_POST
        case errors.WriteUnauthorized():
            fields["www-authenticate"] = 'Bearer realm="asgilook"'
        case errors.RateLimited(wait_s=wait_s):
            fields["retry-after"] = str(wait_s)
    return fields
