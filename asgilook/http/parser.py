"""httptools' parser, for a server that stays with HTTP/1.1."""

from typing import Any, Protocol

from httptools import HttpParserUpgrade, HttpRequestParser


class Listener(Protocol):
    """Who is told what the parser finds, by the names that httptools has for it."""

    def head_without_offer(self) -> bytes:
        """Spell the head that came last, without its offer to change the protocol."""


class StayingParser:
    """Passes over any offer to change the protocol (RFC 9110, section 7.8).

    httptools ends a request that makes one at its head, and leaves what follows, its body too, to
    the other protocol. Java's client and curl offer HTTP/2 with each first request, uploads
    included: such a head is parsed once more, without the offer.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._parser = self._new_parser()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._parser, name)

    def feed_data(self, data: bytes) -> None:
        """Parse what came in."""
        while data:
            try:
                self._parser.feed_data(data)
            except HttpParserUpgrade as offer:
                data = self._listener.head_without_offer() + data[offer.args[0] :]
                self._parser = self._new_parser()
            else:
                return

    def _new_parser(self) -> HttpRequestParser:
        parser = HttpRequestParser(self._listener)
        # What follows a request that ends the connection is not looked at (as uvicorn has it).
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        return parser
