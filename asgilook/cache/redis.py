"""A cache that the whole fleet shares, in anything that speaks Redis.

One hash per image, so that one command drops it and a cluster keeps it on one node; its fields
are renderings. The lifetime is the hash's: expiring single fields needs newer servers.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar, cast
from uuid import UUID

import msgpack
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import RedisError, ResponseError

from asgilook.cache.base import REFUSED_S, Cache, Entry
from asgilook.flight import Batches
from asgilook.timing import timed

LIMIT_S = 0.3
"""No request waits longer for Redis than this."""
REST_S = 1.0
"""How long Redis is left alone after it failed us."""
CONNECTIONS = 32

RENEWAL_SHARE = 0.05
"""The share of a lifetime that may go by, in use, before it is renewed again."""
REMEMBERED_RENEWALS = 100_000

_VERSION = 1
# What msgpack raises, and times that there are none of.
_UNREADABLE = (ValueError, msgpack.UnpackException, OverflowError, OSError)
_KEY = "asgilook:image:"
_DROPPED = "asgilook:dropped:"
_DROPS = "asgilook:drops"

# Scripts, so that nobody comes between the look and the deed.
_PUT = """
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
"""
# Deleting first: a server that is full lets a script go on that has written already.
_DROP = """
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], '', 'EX', ARGV[1])
redis.call('PUBLISH', ARGV[2], ARGV[3])
"""

_log = logging.getLogger(__name__)
T = TypeVar("T")


class RedisCache(Cache):
    """Keeps renderings in Redis for `ttl_s` after their last use."""

    def __init__(self, url: str, ttl_s: int) -> None:
        self._url = url
        self._ttl_s = ttl_s
        self._rest_until_s = 0.0
        self._redis: Redis
        self._renewed_s: dict[str, float] = {}
        self._hears_drops = True
        self._lookups = Batches(self._look_up)
        self._owed: set[UUID] = set()
        self._paying: asyncio.Task[None] | None = None

    async def open_up(self) -> None:
        self._redis = Redis.from_pool(
            BlockingConnectionPool.from_url(
                self._url,
                max_connections=CONNECTIONS,
                timeout=0.05,
                # `LIMIT_S` bounds each call; a timer for each reply besides would double its price.
                socket_timeout=None,
                socket_connect_timeout=0.25,
                # After a restart of the server each pooled connection fails once: one more try.
                retry=Retry(ExponentialWithJitterBackoff(base=0.01, cap=0.05), 1),
                health_check_interval=15,
            )
        )
        self._put = self._redis.register_script(_PUT)
        self._drop = self._redis.register_script(_DROP)

    async def close(self) -> None:
        if self._paying:
            self._paying.cancel()
        await self._redis.aclose()

    async def is_well(self) -> bool:
        async def ask() -> bool:
            return bool(await self._redis.ping())

        return await self._attempt(ask, otherwise=False)

    async def get(self, image_id: UUID, name: str) -> Entry | None:
        with timed("redis"):
            packed = await self._lookups.run((_key(image_id), name))
        return _unpack(packed) if packed else None

    async def _look_up(self, wanted: list[tuple[str, str]]) -> list[bytes | None]:
        async def ask() -> list[bytes | None]:
            batch = self._redis.pipeline(transaction=False)
            for key, name in wanted:
                batch.hget(key, name)
            for key in self._due({key for key, _ in wanted}):
                batch.expire(key, self._ttl_s)
            # One key that is not a hash must not cost the others their answer.
            answers = await batch.execute(raise_on_error=False)
            return [each if isinstance(each, bytes) else None for each in answers[: len(wanted)]]

        return await self._attempt(ask, [None] * len(wanted))

    def _due(self, keys: set[str]) -> list[str]:
        """Choose the keys whose lifetime is to be renewed: often enough, not with every use."""
        now_s = time.monotonic()
        if len(self._renewed_s) > REMEMBERED_RENEWALS:
            self._renewed_s.clear()
        due = [key for key in keys if self._renewed_s.get(key, 0.0) <= now_s]
        self._renewed_s.update(dict.fromkeys(due, now_s + self._ttl_s * RENEWAL_SHARE))
        return due

    async def put(self, image_id: UUID, entries: Mapping[str, Entry]) -> bool:
        fields = [part for name, entry in entries.items() for part in (name, _pack(entry))]

        async def keep() -> bool:
            return bool(await self._put(keys=_keys(image_id), args=[self._ttl_s, *fields]))

        return await self._attempt(keep, otherwise=True)

    async def drop(self, image_id: UUID) -> None:
        if not await self._is_dropped(image_id):
            self._owed.add(image_id)
            if self._paying is None:
                self._paying = asyncio.create_task(self._pay())

    async def _is_dropped(self, image_id: UUID) -> bool:
        async def forget() -> bool:
            await self._drop(keys=_keys(image_id), args=[REFUSED_S, _DROPS, image_id.bytes])
            return True

        return await self._attempt(forget, otherwise=False)

    async def _pay(self) -> None:
        """Drop what could not be dropped, as soon as Redis is back: it may have kept all of it."""
        while self._owed:
            await asyncio.sleep(REST_S)
            # A copy: more may come to be owed meanwhile.
            paid = [image_id for image_id in list(self._owed) if await self._is_dropped(image_id)]
            self._owed.difference_update(paid)
        self._paying = None

    async def follow_drops(self, forget: Callable[[UUID], Awaitable[None]]) -> None:
        """Call `forget` for each image that any process drops, for as long as this runs.

        Messages sent while the connection is away are lost, so what listens must not rely on
        hearing all of them.
        """
        while True:
            try:
                await self._listen(forget)
            except (RedisError, OSError, TimeoutError) as error:
                if self._hears_drops:
                    _log.warning("redis: drops elsewhere are not heard of now: %s", error)
                self._hears_drops = False
            await asyncio.sleep(REST_S)

    async def _listen(self, forget: Callable[[UUID], Awaitable[None]]) -> None:
        # A connection of its own: waiting for a message must not time out.
        async with (
            Redis.from_url(self._url, socket_connect_timeout=LIMIT_S, socket_timeout=None) as redis,
            redis.pubsub(ignore_subscribe_messages=True) as subscription,
        ):
            await subscription.subscribe(_DROPS)
            self._hears_drops = True
            while True:
                message = await subscription.get_message(timeout=None)
                if message:
                    await forget(UUID(bytes=message["data"]))

    async def _attempt(self, work: Callable[[], Awaitable[T]], otherwise: T) -> T:
        if time.monotonic() < self._rest_until_s:
            return otherwise
        try:
            async with asyncio.timeout(LIMIT_S):
                return await work()
        except ResponseError as error:
            # It is well, but full, say: what it holds already must go on being found.
            _log.warning("redis: refused: %s", error)
        except (RedisError, OSError, TimeoutError, ValueError) as error:
            self._rest_until_s = time.monotonic() + REST_S
            _log.warning("redis: left alone for %s s: %s: %s", REST_S, type(error).__name__, error)
        return otherwise


def _key(image_id: UUID) -> str:
    return f"{_KEY}{{{image_id}}}"


def _keys(image_id: UUID) -> list[str]:
    """Name what a script touches; by the braces a cluster keeps both on one node."""
    return [_key(image_id), f"{_DROPPED}{{{image_id}}}"]


def _pack(entry: Entry) -> bytes:
    stamp = int(entry.modified.timestamp())
    packed = msgpack.packb((_VERSION, entry.content_type, entry.etag, stamp, entry.body))
    return cast("bytes", packed)


def _unpack(packed: bytes) -> Entry | None:
    """Read an entry; one of another version or shape is a miss, and overwritten in time."""
    with contextlib.suppress(*_UNREADABLE):
        match msgpack.unpackb(packed):
            case [version, str(content_type), str(etag), int(stamp), bytes(body)] if (
                version == _VERSION
            ):
                return Entry(content_type, etag, datetime.fromtimestamp(stamp, UTC), body)
    return None
