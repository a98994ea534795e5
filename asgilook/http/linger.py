"""A connection's end that lets the last answer arrive (RFC 9112, section 9.6)."""

import asyncio
from typing import Any

LINGER_S = 30.0
"""How long to linger at the most."""

SILENCE_S = 2.0
"""How long to linger when nothing comes any more."""

Data = bytes | bytearray | memoryview


class LingeringTransport:
    """A transport whose `close` may linger.

    To close a socket while the other side still sends makes the kernel reset the connection, and
    the reset may overtake the answer that says why. So say first that nothing more will come, go
    on reading for a moment, and throw away what is read.
    """

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, write_s: float
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._write_s = write_s
        self.write = transport.write  # as often as all else together, so without a detour
        self._held: Data = b""
        self._timer: asyncio.TimerHandle | None = None
        self.is_expecting_more = False
        """Whether the other side has not sent all that it announced."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def hold_next(self) -> None:
        """Keep what is written next until more is, so that both go out in one call and one packet.

        To wake the reader costs more than either.
        """
        self.write = self._hold

    def let_go(self) -> None:
        """Write what is kept, if there is anything: no more may come."""
        self.write = self._transport.write
        held, self._held = self._held, b""
        if held and not self.is_closing():
            self.write(held)

    def _hold(self, data: Data) -> None:
        self._held = data
        self.write = self._write_both

    def _write_both(self, data: Data) -> None:
        self.write = self._transport.write
        held, self._held = self._held, b""
        # asyncio's own transport never gets rid of an empty piece (3.12).
        self._transport.writelines((held, data) if data else (held,))

    def is_closing(self) -> bool:
        """Tell whether nothing that is written now would be sent."""
        return self._timer is not None or self._transport.is_closing()

    def close(self) -> None:
        """Close: at once, or after lingering if the other side is still sending."""
        if self.is_closing():
            return
        self.let_go()
        if not (self.is_expecting_more and self._transport.can_write_eof()):
            self._transport.close()
            if self._transport.get_write_buffer_size():
                # Who takes nothing of it would keep the connection for ever.
                self._timer = self._loop.call_later(self._write_s, self._transport.abort)
            return
        self._end_s = self._loop.time() + LINGER_S
        self._timer = self._loop.call_later(SILENCE_S, self._transport.abort)
        self._transport.write_eof()
        self._transport.resume_reading()

    def discard(self) -> None:
        """Take note that something came which nobody will read."""
        if self._timer is not None:
            self._timer.cancel()
            end_s = min(self._loop.time() + SILENCE_S, self._end_s)
            self._timer = self._loop.call_at(end_s, self._transport.abort)

    def forget(self) -> None:
        """Stop lingering: the connection is gone."""
        if self._timer is not None:
            self._timer.cancel()
