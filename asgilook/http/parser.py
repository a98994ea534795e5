"""httptools' parser, for a server that stays with HTTP/1.1."""

from typing import Protocol

from httptools import HttpParserUpgrade, HttpRequestParser


class Listener(Protocol):
    """Who is told what the parser finds, by the names that httptools has for it."""

    def head_without_offer(self) -> bytes:
        """Spell the head that came last, without its offer to change the protocol."""


class StayingParser(HttpRequestParser):
    """Passes over any offer to change the protocol (RFC 9110, section 7.8).

    httptools ends a request that makes one at its head, and leaves what follows, its body too, to
    the other protocol. Java's client and curl offer HTTP/2 with each first request, uploads
    included: such a head is parsed once more, without the offer.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._begin()

    def _begin(self) -> None:
        super().__init__(self._listener)
        # What follows a request that ends the connection is not looked at (as uvicorn has it).
        self.set_dangerous_leniencies(lenient_data_after_close=True)

    def feed_data(self, data: bytes) -> None:  # type: ignore[override] # what transports give
        """Parse what came in."""
        while data:
            try:
                super().feed_data(data)
            except HttpParserUpgrade as offer:
                data = self._listener.head_without_offer() + data[offer.args[0] :]
                # It looks at nothing more where this request ends the connection.
                self._begin()
            else:
                return
