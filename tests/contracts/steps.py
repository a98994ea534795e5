"""What the tests of S3 stores do again and again."""

import asyncio
from contextlib import suppress
from random import Random

from asgilook.byte_range import ByteRange
from asgilook.errors import ObjectExists, StoreUnavailable
from asgilook.store import ObjectInfo, ObjectStream, Store
from asgilook.store.s3 import Bucket, S3Store

KEY = "images/0.jpeg"
BODY = Random(0).randbytes(300_000)
METADATA = {"width": "462"}
INFO = ObjectInfo(len(BODY), "image/jpeg", METADATA)
PATIENCE_S = 20.0
"""What S3 is given where it has to answer, on however busy a machine."""
HASTY_S = 0.4
"""What S3 is given where it is not going to answer."""


def s3_store(url: str) -> S3Store:
    """Make a store for a server that keeps nothing."""
    return S3Store(Bucket("b", "", url), PATIENCE_S)


async def put(store: Store, key: str = KEY) -> ObjectInfo:
    """Create the object that the others read."""
    return await store.put(key, BODY, content_type="image/jpeg", metadata=METADATA)


async def read(store: Store, key: str = KEY) -> bytes:
    """Read an object to its end."""
    async with await store.open(key) as stream:
        return b"".join([piece async for piece in stream])


async def works(store: Store) -> bool:
    """Tell whether it does; on a busy machine not at once."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with suppress(StoreUnavailable):
                with suppress(ObjectExists):
                    await put(store)
                return await read(store) == BODY


async def opened_patiently(store: Store) -> ObjectStream:
    """Start to read an object, however hasty the store is."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with suppress(StoreUnavailable):
                return await store.open(KEY)


async def outcomes(store: Store) -> set[type]:
    """Call every method; tell what came of it."""
    calls = (
        put(store),
        store.stat(KEY),
        store.open(KEY),
        store.open(KEY, ByteRange(0, 9)),
        store.scan("images/", limit=10),
        store.delete(KEY),
    )
    return {type(outcome) for outcome in await asyncio.gather(*calls, return_exceptions=True)}
