"""A connection to Redis for what is asked most often."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import hiredis
from redis.asyncio import Connection, ConnectionPool
from redis.exceptions import (
    AskError,
    BusyLoadingError,
    ClusterDownError,
    MasterDownError,
    MovedError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as ConnectionLost

from asgilook import breaker

Reply = object
"""What a command comes to: a value, or the error that it met, of redis-py's kinds."""
Tell = Callable[[Reply], None]

_UNWELL: dict[str, type[RedisError]] = {
    "ASK": AskError,
    "CLUSTERDOWN": ClusterDownError,
    "LOADING": BusyLoadingError,
    "MASTERDOWN": MasterDownError,
    "MOVED": MovedError,
    "READONLY": ReadOnlyError,
}


@dataclass(slots=True, eq=False)
class _Batch:
    """Commands that are sent together, and who is told of the replies."""

    commands: list[bytes] = field(default_factory=list)
    tells: list[Tell] = field(default_factory=list)
    replies: int = 0
    ticks: int = 0
    is_second_try: bool = False


class Line:
    """Carries commands to and fro in batches, one batch at a time.

    Nobody waits for company, but what is asked while a batch is under way makes up the next one:
    the busier it gets, the less each costs. redis-py connects; then its streams, timers and
    retries, which cost more than the lookups that they are for, step aside.
    """

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._loop = asyncio.get_running_loop()
        self._wire: _Wire | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._under_way: _Batch | None = None
        self._wanted = _Batch()
        self._timer: asyncio.TimerHandle | None = None

    def ask(self, words: tuple[str | int, ...], tell: Tell) -> None:
        """Send a command; `tell` is called once, later, with the reply.

        Where the server cannot be reached, or takes longer than `breaker.LIMIT_S`, that is an
        error; the line is sound afterwards.
        """
        if self._under_way is None and not self._wanted.commands:
            self._loop.call_soon(self._send)  # with all that this moment brings
        packed = hiredis.pack_command(words)  # type: ignore[arg-type] # its types know one word
        self._wanted.commands.append(packed)
        self._wanted.tells.append(tell)

    def close(self) -> None:
        """Hang up; the next `ask` connects again."""
        self._fail(ConnectionLost("hung up"))

    def _send(self) -> None:
        if self._under_way is not None or not self._wanted.commands:
            return
        batch = self._under_way = self._wanted
        self._wanted = _Batch()
        if self._timer is None:
            self._timer = self._loop.call_later(breaker.LIMIT_S / breaker.TICKS, self._tick)
        if self._wire is None:
            self._connecting = self._loop.create_task(self._connect(batch))
        else:
            self._wire.send(batch.commands)

    async def _connect(self, batch: _Batch) -> None:
        connection = self._pool.make_connection()  # type: ignore[no-untyped-call]
        try:
            await connection.connect()
            self._wire = _Wire(self, connection)
        except (RedisError, OSError, TimeoutError) as error:
            self._connecting = None
            self._fail(error)
        else:
            self._connecting = None
            self._wire.send(batch.commands)

    def take(self, reply: Reply) -> None:
        """Take the next reply."""
        batch = self._under_way
        if batch is None:
            return
        tell = batch.tells[batch.replies]
        batch.replies += 1
        try:
            tell(reply)
        except Exception as error:  # noqa: BLE001 - what one of them raises is not the others'
            about = {"message": "whoever was told of a reply failed", "exception": error}
            self._loop.call_exception_handler(about)
        if batch.replies == len(batch.tells):
            self._under_way = None
            self._send()

    def lose(self, wire: "_Wire", error: Exception) -> None:
        """Go on without a wire; what was under way is sent once more."""
        if wire is not self._wire:
            return
        self._wire = None
        batch = self._under_way
        if batch is None:
            return
        if batch.is_second_try:
            self._fail(error)
            return
        # As it is after a restart of the server, which is not known before something is sent.
        batch.is_second_try = True
        del batch.commands[: batch.replies], batch.tells[: batch.replies]
        batch.replies = 0
        self._connecting = self._loop.create_task(self._connect(batch))

    def _tick(self) -> None:
        """Count the limit in steps of the loop's own time: see `Breaker`."""
        self._timer = None
        batch = self._under_way
        if batch is None:
            return
        batch.ticks += 1
        if batch.ticks >= breaker.TICKS:
            self._fail(TimeoutError("no answer"))
        else:
            self._timer = self._loop.call_later(breaker.LIMIT_S / breaker.TICKS, self._tick)

    def _fail(self, error: Exception) -> None:
        batches = self._under_way, self._wanted
        self._under_way, self._wanted = None, _Batch()
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.hang_up()
        if self._connecting is not None:
            self._connecting.cancel()
            self._connecting = None
        for batch in batches:
            for tell in batch.tells[batch.replies :] if batch else ():
                self._loop.call_soon(tell, error)


class _Wire(asyncio.Protocol):
    """A connection that redis-py has made, and what is read from it."""

    def __init__(self, line: Line, connection: Connection) -> None:
        self._line = line
        self._connection = connection
        self._reader = hiredis.Reader(replyError=_error)
        # Their streams' own: redis-py has no other way to its transport.
        writer = connection._writer  # noqa: SLF001
        assert writer is not None
        self._transport = cast("asyncio.Transport", writer.transport)
        self._before = cast("asyncio.Protocol", self._transport.get_protocol())
        self._transport.set_protocol(self)

    def send(self, commands: list[bytes]) -> None:
        # On one that was lost a moment ago uvloop raises; `connection_lost` is about to come.
        if not self._transport.is_closing():
            self._transport.writelines(commands)

    def hang_up(self) -> None:
        self._transport.abort()
        self._connection._close()  # type: ignore[no-untyped-call]  # noqa: SLF001 - its own waits

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while (reply := self._reader.gets()) is not False:
                if not isinstance(reply, hiredis.PushNotification):
                    self._line.take(reply)
        except hiredis.ProtocolError as error:
            self.hang_up()
            self._line.lose(self, ConnectionLost(f"no Redis: {error}"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._before.connection_lost(exc)
        self.hang_up()
        self._line.lose(self, ConnectionLost(f"the connection was lost: {exc}"))


def _error(text: str) -> RedisError:
    word, _, more = text.partition(" ")
    return _UNWELL[word](more) if word in _UNWELL else ResponseError(text)
