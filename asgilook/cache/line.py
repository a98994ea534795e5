"""A connection to Redis for what is asked most often."""

from collections.abc import Sequence

from redis.asyncio import Connection, ConnectionPool
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import ResponseError


class Line:
    """Carries whole batches of commands to and fro, one batch at a time.

    Taking a connection out of a pool, a pipeline and its retries cost more than the lookups that
    they are for.
    """

    def __init__(self, pool: ConnectionPool) -> None:
        self._connection: Connection = pool.make_connection()  # type: ignore[no-untyped-call]

    async def ask(self, commands: Sequence[bytes]) -> list[object]:
        """Send packed commands; give a reply for each, which may be a `ResponseError`.

        Raises what redis-py raises; the line is sound afterwards.
        """
        try:
            return await self._ask(commands)
        except ConnectionLost:
            # As it is after a restart of the server, which is not known before something is sent.
            return await self._ask(commands)

    async def close(self) -> None:
        """Hang up; the next `ask` connects again."""
        await self._connection.disconnect(nowait=True)

    async def _ask(self, commands: Sequence[bytes]) -> list[object]:
        connection = self._connection
        if not connection.is_connected:
            await connection.connect()  # type: ignore[no-untyped-call]
        # On any error, and when called off, these hang up: no reply is left for the next batch.
        await connection.send_packed_command(commands, check_health=False)
        replies: list[object] = []
        for _ in commands:
            try:
                replies.append(await connection.read_response())
            except ResponseError as refusal:
                replies.append(refusal)
        return replies
