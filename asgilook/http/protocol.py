"""The server's edge: what a connection may cost before and after the application sees it.

uvicorn bounds neither the head of a request nor the time that it, or the reading of an answer, may
take (its issues 157, 1684 and 2019): some thousand endless or silent connections would hold it.
`asgilook serve` uses this; `uvicorn --http asgilook.http.protocol:EdgeProtocol` does as well.
"""

import asyncio
import re
import socket
import time
from dataclasses import dataclass
from email.utils import formatdate

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from asgilook.http.exchange import EVERY_ANSWER, HOLDER
from asgilook.http.express_protocol import ExpressProtocol
from asgilook.http.head import spelled
from asgilook.http.linger import LingeringTransport
from asgilook.http.parser import StayingParser
from asgilook.http.problems import Problem, document, phrase

HEAD_LIMIT_BYTES = 32 * 1024
FIELDS_LIMIT = 100
UNSENT_BYTES = 128 * 1024

_NO_PATH = re.compile(rb"(?i)https?://[^/?#]*(?=\?|$)")
_OFFER = {b"upgrade", b"http2-settings"}

LIMITS = "asgilook.limits"
"""Where the application leaves its `Limits`, in the state of its lifespan."""

_TOO_LARGE = Problem(431, "head-too-large", "The head of the request is too long.")
_TOO_SLOW = Problem(408, "head-too-slow", "The head of the request took too long.")
_MALFORMED = Problem(400, "bad-request", "This is not well-formed HTTP/1.1.")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a client may take for its part, in seconds."""

    head_s: float = 10
    """For the head of a request; for the first byte of a new connection as well."""
    write_s: float = 60
    """For taking anything at all of an answer that waits to be sent."""


class EdgeProtocol(ExpressProtocol):
    """uvicorn's protocol, with bounds on heads and on slow readers, and a lingering close."""

    transport: LingeringTransport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._limits: Limits = self.app_state.get(LIMITS, Limits())
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._idle_bytes = 0
        self._piece_bytes = 0
        self._is_in_head = False
        self._date_s = 0
        self._is_refused = False
        self.parser = StayingParser(self)
        _keep_kernel_buffer_short(transport)
        lingering = LingeringTransport(transport, self.loop, self._limits.write_s)
        super().connection_made(lingering)  # type: ignore[arg-type]
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_arrived()
        self.resume_writing()
        self.transport.forget()
        # uvicorn tells the last request that came, which may wait behind the one that is answered.
        if self._under_way is not None and not self._under_way.response_complete:
            _tell_of_end(self._under_way)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_refused or self.transport.is_closing():
            self.transport.discard()
            return
        self._piece_bytes = len(data)
        self._idle_bytes += self._piece_bytes
        super().data_received(data)
        # Most heads come in one piece, and need no timer. But uvicorn stops its own at any byte,
        # an empty line between requests included.
        is_idle = self.cycle is None or self.cycle.response_complete
        if self._is_in_head or (is_idle and self.timeout_keep_alive_task is None):
            self._await_head()
        if self._idle_bytes > HEAD_LIMIT_BYTES:
            self._refuse(_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {HOLDER: self.transport}  # type: ignore[dict-item]
        self.transport.is_expecting_more = True
        self._is_in_head = True

    def on_header(self, name: bytes, value: bytes) -> None:
        # A field behind the body would come to be among those of the head.
        if self._is_in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self.parser.get_method() == b"CONNECT":
            raise ValueError("this is no proxy")  # ends the parsing
        if self.parser.should_upgrade():
            return
        self._refresh_date()
        if self._is_head_too_large():
            self._refuse(_TOO_LARGE)
            raise ValueError("head too large")  # ends the parsing
        self._is_in_head = False
        self._head_arrived()
        if not self.url.startswith(b"/"):
            self.url = _NO_PATH.sub(b"/", self.url)
        # No target has a fragment (RFC 9112, section 3.2); uvicorn would pass over it.
        self.url = self.url.replace(b"#", b"%23")
        if self.parser.get_http_version() == "1.0":
            self.expect_100_continue = False  # RFC 9110, section 10.1.1
        super().on_headers_complete()

    def _is_head_too_large(self) -> bool:
        if len(self.headers) > FIELDS_LIMIT:
            return True
        if self._idle_bytes + self._piece_bytes <= HEAD_LIMIT_BYTES:
            return False  # all that came is less
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        return size > HEAD_LIMIT_BYTES

    def head_without_offer(self) -> bytes:
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        fields = [field for field in self.headers if field[0] not in _OFFER]
        return b"%b %b HTTP/%b\r\n%b\r\n" % (method, self.url, version, spelled(fields))

    def on_body(self, body: bytes) -> None:
        self._idle_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._idle_bytes = 0
        self.transport.is_expecting_more = False
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(_MALFORMED)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._write_timer = self.loop.call_later(self._limits.write_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._write_timer:
            self._write_timer.cancel()
            self._write_timer = None

    def _await_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self._limits.head_s, self._refuse, _TOO_SLOW)

    def _head_arrived(self) -> None:
        if self._head_timer:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self, problem: Problem) -> None:
        """Answer without the application, unless an answer of its is under way; then close."""
        if self._is_refused:
            return
        self._is_refused = True
        is_in_body = not self._is_in_head and self.transport.is_expecting_more
        answer = self._refusal(problem)
        self._head_arrived()
        # Whoever is refused here may be in the middle of anything.
        self.transport.is_expecting_more = True
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            self.transport.write(answer)
            self.transport.close()
        elif is_in_body and not self.pipeline:
            if not cycle.response_started:
                self.transport.write(answer)
            _tell_of_end(cycle)
            self.transport.close()
        else:
            # It came behind a sound request: that one is answered, and then the connection ends.
            if is_in_body:
                self.pipeline.popleft()
            self._last_in_line().keep_alive = False

    def _refusal(self, problem: Problem) -> bytes:
        head, body = _raw(problem, self.server_state.default_headers)
        # Until the target is there, the parser's method may be that of the request before.
        is_method_known = self.transport.is_expecting_more and self.url
        is_to_head = is_method_known and self.parser.get_method() == b"HEAD"
        return head if is_to_head else head + body

    def _last_in_line(self) -> RequestResponseCycle:
        assert self._under_way is not None
        return self.pipeline[0][0] if self.pipeline else self._under_way

    def _refresh_date(self) -> None:
        """Keep Date from lagging behind a Last-Modified: uvicorn renews it once a second."""
        now_s = int(time.time())
        if now_s != self._date_s:
            self._date_s = now_s
            date = (b"date", formatdate(now_s, usegmt=True).encode())
            self.server_state.default_headers = [date, *self.config.encoded_headers]
            self._defaults = spelled(self.server_state.default_headers)


def _tell_of_end(cycle: RequestResponseCycle) -> None:
    cycle.disconnected = True
    cycle.message_event.set()


def _keep_kernel_buffer_short(transport: asyncio.Transport) -> None:
    """Let the kernel hold little that cannot be sent yet, where it knows how (Linux, macOS).

    Its own bound is megabytes: too much for a thousand readers that stall, and so much that a slow
    one takes nothing from us for minutes while it reads what lies there.
    """
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    connection = transport.get_extra_info("socket")
    if option is not None and connection.family in {socket.AF_INET, socket.AF_INET6}:
        connection.setsockopt(socket.IPPROTO_TCP, option, UNSENT_BYTES)


def _raw(problem: Problem, default_fields: list[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
    body, fields = document(problem)
    fields = [*default_fields, *EVERY_ANSWER, *fields, (b"connection", b"close")]
    words = phrase(problem.status).encode()
    return b"HTTP/1.1 %d %b\r\n%b\r\n" % (problem.status, words, spelled(fields)), body
