"""A cache that the whole fleet shares, in anything that speaks Redis.

One hash per image, so that one command drops it and a cluster keeps it on one node; its fields
are renderings. The lifetime is the hash's: expiring single fields needs newer servers.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import cast
from uuid import UUID

import msgpack
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from asgilook import breaker
from asgilook.breaker import TROUBLE, Breaker
from asgilook.cache.base import REFUSED_S, Cache, Entry, Found, Lease
from asgilook.cache.drops import CHANNEL, Drops
from asgilook.cache.lease import Leases
from asgilook.cache.line import Line, Reply
from asgilook.redis_client import connect, disconnect, renew, require_all_keys
from asgilook.timing import NOTHING

RENEWAL_SHARE = 0.05
"""The share of a lifetime that may go by, in use, before it is renewed again."""
REMEMBERED_RENEWALS = 100_000
REMEMBERED_KEYS = 10_000

_VERSION = 1
# What msgpack raises, and times that there are none of.
_UNREADABLE = (ValueError, TypeError, msgpack.UnpackException, OverflowError, OSError)
_KEY = "asgilook:image:"
_DROPPED = "asgilook:dropped:"
_LEASE = "asgilook:lease:"

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


class RedisCache(Cache):
    """Keeps renderings in Redis for `ttl_s` after their last use."""

    def __init__(self, url: str, ttl_s: int, breaker: Breaker | None = None) -> None:
        self._url = url
        self._ttl_s = ttl_s
        self._redis: Redis
        self._line: Line
        self._leases: Leases
        self._breaker = breaker or Breaker()
        self._breaker.probe_by(self._probe)
        self._renewed_s: dict[str, float] = {}
        self._owed_drops: set[UUID] = set()
        self._making_up: asyncio.Task[None] | None = None
        # To spell an id takes longer than to pack a command.
        self._key = lru_cache(REMEMBERED_KEYS)(_key)

    async def open_up(self) -> None:
        self._redis = connect(self._url)
        self._line = Line(self._redis.connection_pool)
        self._leases = Leases(self._redis, self._breaker)
        self._put = self._redis.register_script(_PUT)
        self._drop = self._redis.register_script(_DROP)
        # Before the first request: nothing is to be kept where it may not be dropped.
        await self._breaker.attempt("ping", partial(require_all_keys, self._redis), None)

    async def close(self) -> None:
        if self._making_up is not None:
            self._making_up.cancel()
            await asyncio.wait([self._making_up])
        await self._leases.close()
        await self._breaker.close()
        self._line.close()
        await disconnect(self._redis)

    async def is_well(self) -> bool:
        async def ask() -> bool:
            return bool(await self._redis.ping())

        return await self._breaker.attempt("ping", ask, otherwise=False)

    def find(self, image_id: UUID, name: str, found: Found) -> None:
        if self._breaker.is_open or image_id in self._owed_drops:
            found(None, NOTHING)
            return
        key = self._key(image_id)
        tell = partial(self._tell, found, time.perf_counter())
        self._line.ask(("HGET", key, name), tell)
        if self._is_due(key):
            self._line.ask(("EXPIRE", key, self._ttl_s), self._judge)

    def _tell(self, found: Found, start_s: float, reply: Reply) -> None:
        entry = _unpack(reply) if isinstance(reply, bytes) else None
        if entry is None:
            self._judge(reply)
        found(entry, {"redis": time.perf_counter() - start_s})

    def _judge(self, reply: Reply) -> None:
        # One key that is not a hash is not the server's fault.
        if isinstance(reply, TROUBLE) and type(reply) is not ResponseError:
            self._breaker.judge("get", reply)

    def _is_due(self, key: str) -> bool:
        """Tell whether a lifetime is to be renewed: often enough, not with every use."""
        now_s = time.monotonic()
        if self._renewed_s.get(key, 0.0) > now_s:
            return False
        if len(self._renewed_s) > REMEMBERED_RENEWALS:
            self._renewed_s.clear()
        self._renewed_s[key] = now_s + self._ttl_s * RENEWAL_SHARE
        return True

    async def put(self, image_id: UUID, entries: Mapping[str, Entry]) -> bool:
        fields = [part for name, entry in entries.items() for part in (name, _pack(entry))]

        async def keep() -> bool:
            return bool(await self._put(keys=_keys(image_id), args=[self._ttl_s, *fields]))

        return await self._breaker.attempt("put", keep, otherwise=True)

    async def drop(self, image_id: UUID) -> None:
        async def forget() -> bool:
            await self._forget(image_id)
            return True

        if not await self._breaker.attempt("drop", forget, otherwise=False):
            # Redis may be only out of reach, and still have it when it is back.
            self._owed_drops.add(image_id)
            if self._making_up is None or self._making_up.done():
                self._making_up = asyncio.create_task(self._go_on_making_up())

    async def lease(self, image_id: UUID, work: str) -> Lease | None:
        return await self._leases.take(f"{_LEASE}{image_id}:{work}")

    async def follow_drops(
        self,
        forget: Callable[[UUID], Awaitable[None]],
        forget_all: Callable[[], Awaitable[None]],
    ) -> None:
        """Call `forget` for each image that any process drops, for as long as this runs.

        `forget_all` is called where some may have been missed.
        """
        await Drops(forget, forget_all).follow(self._redis)

    async def _forget(self, image_id: UUID) -> None:
        await self._drop(keys=_keys(image_id), args=[REFUSED_S, CHANNEL, image_id.bytes])

    async def _go_on_making_up(self) -> None:
        """Try again what was refused: that opens no breaker, so that no probe makes up for it."""
        while self._owed_drops:
            await asyncio.sleep(breaker.PROBE_S)
            with contextlib.suppress(*TROUBLE):
                await self._breaker.call(self._make_up)

    async def _make_up(self) -> None:
        for image_id in list(self._owed_drops):
            await self._forget(image_id)
            self._owed_drops.discard(image_id)

    async def _probe(self) -> None:
        """Find Redis well, or raise: with new connections, and to a server that can be written."""
        await renew(self._redis)
        self._line.close()
        await require_all_keys(self._redis)
        # A write that is allowed when memory is full; a replica refuses it.
        await self._redis.delete(f"{_KEY}probe")
        await self._make_up()


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
    # Without `match` and `suppress`, which would take two thirds of the time of a lookup.
    try:
        version, content_type, etag, stamp, body = msgpack.unpackb(packed)
        modified = datetime.fromtimestamp(stamp, UTC)
    except _UNREADABLE:
        return None
    kinds = (type(content_type), type(etag), type(stamp), type(body))
    if version != _VERSION or kinds != (str, str, int, bytes):
        return None
    return Entry(content_type, etag, modified, body)
