"""A connection's part in the end of the server: nothing that is on its way is lost."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LAST_CALL_S = 1.0
"""How long an idle connection stays open when the end has begun."""


class EndingProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which lets a client know that a connection ends before it ends.

    A proxy keeps its connections, and sends the next request while it does not know that we are
    about to close. It may repeat a GET then, but no upload (RFC 9112, section 9.3.1). So whoever
    is idle has a moment for what is on its way, and the last answer says that it is the last.
    """

    _is_ending = False
    _is_in_head = False
    """Whether part of a request's head is there."""

    def shutdown(self) -> None:
        """Begin the end."""
        self._is_ending = True
        if self.cycle is None or self.cycle.response_complete:
            self._call_last()
        elif not self.cycle.response_started:
            self.cycle.keep_alive = False

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        if self._is_ending:
            self.cycle.keep_alive = False

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._is_ending:
            self._call_last()  # the answer's head may have said nothing of an end

    def _call_last(self) -> None:
        self.loop.call_later(LAST_CALL_S, self._close_if_idle)

    def _close_if_idle(self) -> None:
        is_answered = self.cycle is None or self.cycle.response_complete
        if is_answered and not self._is_in_head:
            self.transport.close()
