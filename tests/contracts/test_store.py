"""The promises of `asgilook/store/base.py`, on every store that there is."""

import asyncio
from random import Random

import pytest

from asgilook.byte_range import ByteRange, Span
from asgilook.errors import ObjectExists, ObjectNotFound, RangeUnsatisfiable
from asgilook.store import ObjectInfo, ObjectStream, Store
from asgilook.store.base import PIECE_BYTES

KEY = "images/0.jpeg"
BODY = b"0123456789"
BIG = Random(0).randbytes(5_000_001)
METADATA = {"width": "462", "source-type": "image/png", "placeholder": "00ff"}


async def put(store: Store, key: str = KEY, body: bytes = BODY) -> ObjectInfo:
    return await store.put(key, body, content_type="image/jpeg", metadata=METADATA)


async def pieces(stream: ObjectStream) -> list[bytes]:
    async with stream:
        return [piece async for piece in stream]


async def read(store: Store, key: str = KEY, byte_range: ByteRange | None = None) -> bytes:
    async with await store.open(key, byte_range) as stream:
        return await stream.rest()


async def test_an_object_comes_back_as_it_went_in(store: Store) -> None:
    info = await put(store)
    assert info == ObjectInfo(len(BODY), "image/jpeg", METADATA)
    assert await store.stat(KEY) == info
    async with await store.open(KEY) as stream:
        assert (stream.info, stream.span, stream.length_bytes) == (info, None, len(BODY))
    assert await read(store) == BODY


async def test_metadata_may_have_nearly_two_kilobytes(store: Store) -> None:
    metadata = {f"name-{number}": "v" * 180 for number in range(10)}
    await store.put(KEY, BODY, content_type="image/jpeg", metadata=metadata)
    assert (await store.stat(KEY)).metadata == metadata


async def test_an_object_may_be_empty_and_without_metadata(store: Store) -> None:
    await store.put(KEY, b"", content_type="text/plain", metadata={})
    assert await store.stat(KEY) == ObjectInfo(0, "text/plain", {})
    assert await pieces(await store.open(KEY)) == []


async def test_a_missing_key_is_not_found(store: Store) -> None:
    await put(store, "images/1.jpeg")
    with pytest.raises(ObjectNotFound):
        await store.stat(KEY)
    with pytest.raises(ObjectNotFound):
        await store.open(KEY)
    with pytest.raises(ObjectNotFound):
        await store.open(KEY, ByteRange(0, 0))


async def test_a_key_that_is_taken_keeps_its_object(store: Store) -> None:
    info = await put(store)
    with pytest.raises(ObjectExists):
        await store.put(KEY, b"other", content_type="image/png", metadata={})
    with pytest.raises(ObjectExists):
        await put(store)
    assert await store.stat(KEY) == info
    assert await read(store) == BODY


async def test_one_of_sixteen_racing_creators_wins_and_the_others_leave_nothing(
    store: Store,
) -> None:
    bodies = [bytes([number]) * 70_000 for number in range(16)]
    results = await asyncio.gather(
        *(put(store, body=body) for body in bodies), return_exceptions=True
    )
    won = [
        body
        for body, result in zip(bodies, results, strict=True)
        if result == await store.stat(KEY)
    ]
    assert sum(isinstance(result, ObjectInfo) for result in results) == 1
    assert sum(isinstance(result, ObjectExists) for result in results) == 15
    assert await read(store) == won[0]
    assert await store.scan("images/", limit=10) == [KEY]


@pytest.mark.parametrize(
    ("byte_range", "span"),
    [
        (ByteRange(0, 0), Span(0, 0, 10)),
        (ByteRange(2, 5), Span(2, 5, 10)),
        (ByteRange(9, 9), Span(9, 9, 10)),
        (ByteRange(0, None), Span(0, 9, 10)),
        (ByteRange(7, None), Span(7, 9, 10)),
        (ByteRange(5, 10_000), Span(5, 9, 10)),
        (ByteRange(None, 1), Span(9, 9, 10)),
        (ByteRange(None, 3), Span(7, 9, 10)),
        (ByteRange(None, 10_000), Span(0, 9, 10)),
    ],
    ids=str,
)
async def test_a_range_is_delivered_and_described(
    store: Store, byte_range: ByteRange, span: Span
) -> None:
    info = await put(store)
    async with await store.open(KEY, byte_range) as stream:
        assert (stream.info, stream.span, stream.length_bytes) == (info, span, span.length)
    assert await read(store, byte_range=byte_range) == BODY[span.first : span.last + 1]


@pytest.mark.parametrize("body", [BODY, b""], ids=["ten bytes", "nothing"])
@pytest.mark.parametrize(
    "byte_range", [ByteRange(10), ByteRange(10, 20), ByteRange(None, 0)], ids=str
)
async def test_a_range_outside_the_object_is_refused_with_its_size(
    store: Store, byte_range: ByteRange, body: bytes
) -> None:
    await put(store, body=body)
    with pytest.raises(RangeUnsatisfiable) as refused:
        await store.open(KEY, byte_range)
    assert refused.value.size_bytes == len(body)


async def test_a_large_object_streams_whole_in_small_pieces(store: Store) -> None:
    await put(store, body=BIG)
    found = await pieces(await store.open(KEY))
    assert b"".join(found) == BIG
    assert 0 < min(map(len, found)) <= max(map(len, found)) <= PIECE_BYTES
    assert await read(store, byte_range=ByteRange(70_000, 4_000_000)) == BIG[70_000:4_000_001]


async def test_many_read_at_once_and_each_reads_its_own(store: Store) -> None:
    bodies = {f"images/{number}.jpeg": bytes([number]) * 100_000 for number in range(4)}
    await asyncio.gather(*(put(store, key, body) for key, body in bodies.items()))
    readers = [*bodies] * 15
    assert await asyncio.gather(*(read(store, key) for key in readers)) == [*bodies.values()] * 15


async def test_a_stream_may_be_closed_at_any_time_and_twice(store: Store) -> None:
    await put(store, body=BIG)
    for pieces_first in (0, 1, 2):
        stream = await store.open(KEY)
        for _ in range(pieces_first):
            await anext(stream)
        await stream.close()
        await stream.close()
    async with await store.open(KEY, ByteRange(0, 99_999)) as stream:
        assert await anext(stream) + await stream.rest() == BIG[:100_000]


async def test_who_stops_reading_is_in_nobodys_way(store: Store) -> None:
    await put(store, body=BIG)
    for _ in range(60):
        async with await store.open(KEY) as stream:
            async for _ in stream:
                break
    assert await read(store) == BIG


async def test_every_kind_of_key_that_is_allowed_comes_back(store: Store) -> None:
    for key in ("a/abcdefghijklmnopqrstuvwxyz_0123456789-", f"b/{'k' * 200}", "c/d/e.jpeg"):
        await put(store, key, key.encode())
        assert await read(store, key) == key.encode()


async def test_a_deleted_object_is_gone_and_its_key_is_free(store: Store) -> None:
    await put(store)
    await store.delete(KEY)
    with pytest.raises(ObjectNotFound):
        await store.stat(KEY)
    assert await store.scan("images/", limit=10) == []
    await put(store, body=b"new")
    assert await read(store) == b"new"


async def test_deleting_what_is_not_there_is_fine(store: Store) -> None:
    await store.delete(KEY)
    await put(store)
    await store.delete(KEY)
    await store.delete(KEY)
