"""A connection on which an `Express` answers before the application is asked."""

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from asgilook.http.ending import EndingProtocol
from asgilook.http.express import EXPRESS, Express, Passenger
from asgilook.http.linger import LingeringTransport

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application


class ExpressProtocol(EndingProtocol):
    """uvicorn's protocol, which prepares for the application only where it has to."""

    transport: LingeringTransport  # type: ignore[assignment]

    _defaults = b""
    """The fields that uvicorn adds to every answer, spelled out."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._express: Express | None = self.app_state.get(EXPRESS)
        self._boarding: Passenger | None = None
        self._is_served = False
        self._under_way: RequestResponseCycle | None = None
        super().connection_made(transport)

    def on_headers_complete(self) -> None:
        passenger = self._take_in()
        self._is_served = passenger is not None and passenger.is_served_at_hand(self._write)
        if self._is_served:
            self.on_response_complete()
        else:
            # A hit before it, in the same piece, has started the timer of idle connections again.
            self._unset_keepalive_if_required()
            self._boarding = passenger
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self._is_served:
            super().on_message_complete()

    def _take_in(self) -> Passenger | None:
        # Who asks before the last answer has to wait, and so has who is slow to read; and who comes
        # at the end is to be told so.
        is_free = self.cycle is None or self.cycle.response_complete
        if self._express is None or not is_free or self.flow.write_paused or self._is_ending:
            return None
        parser = self.parser
        if parser.get_method() != b"GET" or parser.get_http_version() != "1.1":
            return None
        return self._express.take_in(self.url, self.headers)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: "ASGI3Application") -> None:
        # uvicorn's one place where a request's turn comes.
        self._under_way = cycle
        start = partial(super()._start_asgi_task, cycle, app)
        passenger, self._boarding = self._boarding, None
        if passenger is None:
            start()
        else:
            passenger.serve(partial(self._finish, cycle), otherwise=start)

    def _finish(self, cycle: RequestResponseCycle, status: int, fields: bytes, body: bytes) -> bool:
        if cycle.disconnected:
            return False
        cycle.response_started = cycle.response_complete = True
        self._write(status, fields, body, keep_alive=cycle.keep_alive)
        cycle.on_response()
        return True

    def _write(
        self, status: int, fields: bytes, body: bytes, *, keep_alive: bool | None = None
    ) -> bool:
        """Write an answer at once, its fields known to be sound."""
        if keep_alive is None:
            keep_alive = self.parser.should_keep_alive()
        end = b"\r\n" if keep_alive else b"connection: close\r\n\r\n"
        self.transport.write(b"".join((STATUS_LINE[status], self._defaults, fields, end, body)))
        if not keep_alive:
            self.transport.is_expecting_more = False  # it has no body
            self.transport.close()
        return True
