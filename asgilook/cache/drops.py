"""How each process hears of what any of them drops."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from uuid import UUID

from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from asgilook.breaker import TROUBLE

CHANNEL = "asgilook:drops"
SILENCE_S = 1.0
"""After so long without a word the server is asked whether it is still there."""
REST_S = 0.5
"""How long to wait before subscribing again."""

_log = logging.getLogger(__name__)


class Drops:
    """Follows the announcements of drops."""

    def __init__(
        self,
        forget: Callable[[UUID], Awaitable[None]],
        forget_all: Callable[[], Awaitable[None]],
    ) -> None:
        self._forget = forget
        self._forget_all = forget_all
        self._is_heard = True

    async def follow(self, redis: Redis) -> None:
        """Call `forget` for each image that is dropped, for as long as this runs.

        What was announced while nobody listened is lost: so with each subscription that begins,
        `forget_all` is called.
        """
        while True:
            try:
                async with redis.pubsub() as subscription:
                    await subscription.subscribe(CHANNEL)
                    await self._listen(subscription)
            except TROUBLE as error:  # or what was announced is no image's id
                if self._is_heard:
                    _log.warning("redis: drops elsewhere are not heard of now: %s", error)
                self._is_heard = False
            await asyncio.sleep(REST_S)

    async def _listen(self, subscription: PubSub) -> None:
        is_asked = False
        while True:
            message = await subscription.get_message(timeout=SILENCE_S)
            if message is None:
                if is_asked:
                    raise TimeoutError("no word from the server")
                await subscription.ping()
            elif message["type"] == "subscribe":
                self._is_heard = True
                await self._forget_all()
            elif message["type"] == "message":
                await self._forget(UUID(bytes=message["data"]))
            is_asked = message is None
