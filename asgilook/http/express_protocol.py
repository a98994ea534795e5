"""A connection on which an `Express` answers before the application is asked."""

import asyncio
from functools import partial

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from asgilook.http.ending import EndingProtocol
from asgilook.http.express import EXPRESS, Express
from asgilook.http.linger import LingeringTransport


class ExpressProtocol(EndingProtocol):
    """uvicorn's protocol, which starts a task for the application only where it has to."""

    transport: LingeringTransport  # type: ignore[assignment]

    _defaults = b""
    """The fields that uvicorn adds to every answer, spelled out."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._express: Express | None = self.app_state.get(EXPRESS)
        super().connection_made(transport)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        # uvicorn's one place where a request's turn comes, those that were pipelined included.
        start = partial(super()._start_asgi_task, cycle, app)
        # Whoever is slow to read has to wait, and who comes at the end to be told so.
        has_to_wait = self.flow.write_paused or self._is_ending or app is not self.app
        passenger = None
        if self._express is not None and not has_to_wait:
            passenger = self._express.passenger(cycle.scope)
        if passenger is None:
            start()
        else:
            passenger.serve(partial(self._write_whole, cycle), otherwise=start)

    def _write_whole(
        self, cycle: RequestResponseCycle, status: int, fields: bytes, body: bytes
    ) -> bool:
        """Write an answer at once, its fields known to be sound; False where the client is gone."""
        if cycle.disconnected:
            return False
        end = b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n"
        self.transport.write(b"".join((STATUS_LINE[status], self._defaults, fields, end, body)))
        cycle.response_started = cycle.response_complete = True
        if not cycle.keep_alive:
            self.transport.is_expecting_more = False  # it has no body
            self.transport.close()
        cycle.on_response()
        return True
