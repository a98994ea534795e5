"""The application as the server sees it: Falcon's, behind an `Exchange` for each request."""

import asyncio
import logging
import re
from collections.abc import MutableMapping
from typing import Any

from falcon.asgi import App, Request, Response

from asgilook.errors import Overloaded, StoreUnavailable
from asgilook.http.books import Books
from asgilook.http.exchange import Exchange, Receive, Send
from asgilook.http.head import Head
from asgilook.http.problems import NO_SUCH_PATH, PROBLEMS, Problem, document
from asgilook.http.rate_limit import SETTLE

_VERSION = Problem(505, "http-version-not-supported", "This server speaks HTTP/1.0 and 1.1.")
_HOST = Problem(400, "host-needed", "A request names exactly one host.")
_EXPECTATION = Problem(417, "expectation-failed", "No expectation but 100-continue is met here.")

_METHODS = [(b"allow", b"DELETE, GET, HEAD, OPTIONS, POST"), (b"content-length", b"0")]
"""What can be done on the server as a whole (RFC 9110, section 9.3.7)."""

_PATH = re.compile(r"/|(?:/[A-Za-z0-9._,-]+)+")

_log = logging.getLogger(__name__)


class Service(App[Request, Response]):
    """Falcon's application, with the request judged first and the client watched."""

    body_s: float = 300
    """How long a client may take to send a body, in all."""
    books: Books
    """Where each request is written down."""

    async def __call__(  # type: ignore[override] # Falcon's own types are private
        self, scope: MutableMapping[str, Any], receive: Receive, send: Send
    ) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)  # type: ignore[arg-type]
            return
        exchange = Exchange(scope, receive, send, self.body_s, self.books)
        try:
            refusal = _refusal(scope, exchange.head)
            if refusal:
                await _refuse(exchange, scope["method"], refusal)
            elif scope["path"] == "*":
                await exchange.give(200, _METHODS, b"")
            else:
                await super().__call__(scope, exchange.receive, exchange.send)  # type: ignore[arg-type]
        except asyncio.CancelledError:
            # The client is gone, or the time to shut down is up.
            if not exchange.is_started:
                await _refuse(exchange, scope["method"], PROBLEMS[Overloaded])
            if SETTLE in scope:
                await scope[SETTLE]()
        except StoreUnavailable as error:
            # In mid-answer: nothing more is sent, and the server cuts the connection (RFC 9112,
            # section 8), so that nobody takes what came for the whole.
            _log.error("store-unavailable in mid-answer: %s", error)
        finally:
            exchange.close()


def _refusal(scope: MutableMapping[str, Any], head: Head) -> Problem | None:
    """Judge what routing, which comes next, does not look at."""
    version = scope.get("http_version", "1.1")
    if version not in {"1.0", "1.1", "2", "3"}:
        return _VERSION
    if not head.names_host(version):
        return _HOST
    # RFC 9110, section 10.1.1
    if head.expect and head.expect.lower() != b"100-continue":
        return _EXPECTATION
    # No path of ours needs an escape or an empty segment: they would only be second spellings.
    path = scope["path"]
    if path == "*" and scope["method"] == "OPTIONS":
        return None
    if not _PATH.fullmatch(path) or scope.get("raw_path", path.encode()) != path.encode():
        return NO_SUCH_PATH
    return None


async def _refuse(exchange: Exchange, method: str, problem: Problem) -> None:
    body, fields = document(problem)
    if problem.retry_after_s:
        fields.append((b"retry-after", b"%d" % problem.retry_after_s))
    await exchange.give(problem.status, fields, b"" if method == "HEAD" else body)
