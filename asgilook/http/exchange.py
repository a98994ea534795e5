"""One request and its answer, as they pass between the server and Falcon.

Here is done what Falcon cannot do from the inside: to judge a request before its body is asked
for, to tell a body that ended from one that was cut, and to stop when the client is gone
(falconry/falcon issue 2015).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Protocol

from asgilook.errors import UploadIncomplete, UploadTooSlow
from asgilook.http.books import Books
from asgilook.http.head import Fields, Head
from asgilook.http.served import LEFT, Served
from asgilook.http.traffic import ROUTE, UNMATCHED

Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]

BODY_IDLE_S = 20
"""How long a client may pause in the middle of a body."""

EVERY_ANSWER: Fields = [
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; sandbox"),
    (b"referrer-policy", b"no-referrer"),
    # Constant, never an echo of Origin: a cache keeps one copy for everybody.
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"content-range, etag, link, location, repr-digest, x-asgilook-cache, x-request-id",
    ),
    (b"cross-origin-resource-policy", b"cross-origin"),
]
"""What every answer carries: anyone may read it, it is no page, and may not be taken for one."""


HOLDER = "asgilook.holder"
"""The extension of ASGI by which a server offers a `Holder`."""


class Holder(Protocol):
    """What may keep the head of an answer, to send it together with the first piece of its body."""

    def hold_next(self) -> None:
        """Keep what is written next until more is written."""

    def let_go(self) -> None:
        """Write what is kept."""


class Exchange:
    """Stands between the server's `receive` and `send` and those that Falcon is given."""

    def __init__(
        self,
        scope: MutableMapping[str, Any],
        receive: Receive,
        send: Send,
        body_s: float,
        books: Books,
    ) -> None:
        self._scope = scope
        self._holder: Holder | None = scope.get("extensions", {}).get(HOLDER)
        self._receive = receive
        self._send = send
        self._body_s = body_s
        self._books = books
        self._start_s = time.perf_counter()
        self._spent_s = books.open()
        self._watch: asyncio.Task[None] | None = None
        self._is_fresh = True
        self._is_complete = False
        self._is_left = False
        self._status = 0
        self._sent_bytes = 0
        fields = scope["headers"]
        if type(fields) is not list:
            # ASGI promises no more than something that can be gone through once.
            fields = scope["headers"] = [(name, value) for name, value in fields]
        self.head = Head(fields)
        self._is_body_read = not self.head.has_body

    @property
    def is_started(self) -> bool:
        """Tell whether something of the answer is sent already."""
        return self._status != 0

    async def receive(self) -> Event:
        """Give Falcon the next event of the request.

        The first is made up, since Falcon waits for one before it looks at the request at all:
        only when the body is really wanted does the server send `100 Continue`.
        """
        if self._is_fresh:
            self._is_fresh = False
            self._body_end_s = asyncio.get_running_loop().time() + self._body_s
            if self._is_body_read and self._scope["method"] == "GET":
                # What is begun for others, a deletion say, is done whether they stay or not.
                self._watch = asyncio.create_task(self._watch_client(_current_task()))
            return {"type": "http.request", "body": b"", "more_body": self.head.has_body}
        if self._is_body_read:
            return await self._receive()
        return await self._receive_body()

    async def send(self, event: Event) -> None:
        """Take an event of the answer from Falcon."""
        if event["type"] == "http.response.start":
            self._status = event["status"]
            fields = [*event["headers"], *EVERY_ANSWER, *self._own_fields()]
            event = {**event, "headers": fields}
            if self._holder:
                self._holder.hold_next()
        else:
            self._sent_bytes += len(event.get("body", b""))
            self._is_complete = not event.get("more_body", False)
            if self._watch is None and not self._is_complete:
                self._watch = asyncio.create_task(self._watch_client(_current_task()))
        await self._send(event)
        if self._is_complete and self._holder:
            self._holder.let_go()

    async def give(self, status: int, fields: Fields, body: bytes) -> None:
        """Answer without Falcon."""
        await self.send({"type": "http.response.start", "status": status, "headers": fields})
        await self.send({"type": "http.response.body", "body": body})

    def close(self) -> None:
        """End the exchange, and write it down."""
        if self._watch is not None:
            self._watch.cancel()
        served = Served(
            self._scope["method"],
            self._scope["path"],
            self._scope.get(ROUTE, UNMATCHED),
            LEFT if self._is_left else self._status,
            self._sent_bytes,
            self._is_complete,
            time.perf_counter() - self._start_s,
            self._spent_s,
            self.head,
        )
        self._books.close(served)

    async def _receive_body(self) -> Event:
        now_s = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(min(now_s + BODY_IDLE_S, self._body_end_s)):
                event = await self._receive()
        except TimeoutError as error:
            raise UploadTooSlow("the body pauses, or takes too long in all") from error
        if event["type"] == "http.disconnect":
            self._is_body_read = True
            raise UploadIncomplete("the client left in the middle of the body")
        self._is_body_read = not event.get("more_body", False)
        if self._is_body_read:
            # What comes of it may take its time, and a place in a line: only while it is wanted.
            self._watch = asyncio.create_task(self._watch_client(_current_task()))
        return event

    async def _watch_client(self, serving: "asyncio.Task[Any]") -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if not self._is_complete:
            self._is_left = not self.is_started
            serving.cancel()

    def _own_fields(self) -> Fields:
        """Give the fields that no other request's answer has."""
        fields = [(b"x-request-id", self.head.request_id)]
        if self._spent_s:
            fields.append((b"server-timing", server_timing(self._spent_s)))
        if not self._is_body_read:
            # What is left of the body is not worth reading.
            fields.append((b"connection", b"close"))
        return fields


def server_timing(spent_s: Mapping[str, float]) -> bytes:
    """Spell out where the time went (W3C Server Timing), in milliseconds."""
    # In bytes from the start: Redis is named in many a hit.
    parts = [b"%b;dur=%.2f" % (name.encode(), seconds * 1000) for name, seconds in spent_s.items()]
    return b", ".join(parts)


def _current_task() -> "asyncio.Task[Any]":
    task = asyncio.current_task()
    assert task is not None
    return task
