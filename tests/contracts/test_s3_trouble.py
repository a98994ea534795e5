"""S3 in trouble is told by its kind and in time, costs no connection, and heals by itself."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from asgilook.byte_range import ByteRange
from asgilook.errors import (
    StoreBroken,
    StoreRefused,
    StoreTimeout,
    StoreUnavailable,
)
from asgilook.store import Store, s3
from asgilook.store.s3 import Bucket, S3Store
from tests.contracts.scripted import Answer, error, scripted
from tests.contracts.steps import (
    BODY,
    HASTY_S,
    KEY,
    PATIENCE_S,
    outcomes,
    put,
    read,
    s3_store,
    works,
)
from tests.faults.proxy import Fault, Proxy, proxied
from tests.faults.s3 import FAULTS, Row
from tests.rooms import opened

KINDS = {
    "store-unavailable": StoreUnavailable,
    "store-timeout": StoreTimeout,
    "store-refused": StoreRefused,
    "store-broken": StoreBroken,
}


@pytest.fixture(scope="module")
def proxy(seaweedfs_url: str) -> Iterator[Proxy]:
    with proxied(seaweedfs_url) as one:
        yield one


@pytest.fixture
def far_bucket(proxy: Proxy, seaweedfs_bucket: Bucket) -> Bucket:
    """Give a bucket behind the proxy."""
    return replace(seaweedfs_bucket, endpoint_url=proxy.url)


@pytest.fixture(autouse=True)
def _short_keepalive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let connections that are in nobody's use be closed, so that those that leak are seen."""
    monkeypatch.setattr(s3, "KEEPALIVE_S", 0.1)


async def none_open(proxy: Proxy) -> bool:
    """Tell whether all connections come to an end."""
    async with asyncio.timeout(PATIENCE_S):
        while proxy.open_connections:  # noqa: ASYNC110 - they end in another thread
            await asyncio.sleep(0.02)
    return True


@pytest.mark.parametrize("row", FAULTS, ids=lambda row: row.name)
async def test_trouble_has_a_kind_costs_no_connection_and_passes(
    proxy: Proxy, far_bucket: Bucket, row: Row
) -> None:
    timeout_s = HASTY_S if row.status == 504 else PATIENCE_S
    async with opened(S3Store(far_bucket, timeout_s)) as store:
        assert await works(store)
        with proxy.failing(row.fault):
            assert await outcomes(store) == {KINDS[row.code]}
        assert await works(store)
        assert await none_open(proxy)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(reset_after_bytes=100_000), StoreBroken),
        (Fault(end_after_bytes=100_000), StoreBroken),
        (Fault(damaged_byte=100_000), StoreBroken),
        (Fault(damaged_byte=len(BODY)), StoreBroken),
        (Fault(stall_after_bytes=100_000), StoreTimeout),
        (Fault(bytes_a_second=30_000), StoreTimeout),
    ],
    ids=["reset", "closed", "damaged", "damaged near the end", "stalled", "trickling"],
)
async def test_a_body_that_goes_wrong_is_never_taken_for_whole(
    proxy: Proxy, far_bucket: Bucket, fault: Fault, kind: type[StoreUnavailable]
) -> None:
    received = bytearray()

    async def receive(store: Store) -> None:
        async for piece in await store.open(KEY):
            received.extend(piece)

    timeout_s = HASTY_S if kind is StoreTimeout else PATIENCE_S
    async with opened(S3Store(far_bucket, timeout_s)) as store:
        assert await works(store)
        with proxy.failing(fault), pytest.raises(kind):
            await receive(store)
        assert len(received) < len(BODY)
        assert await works(store)
        assert await none_open(proxy)


async def test_who_stops_reading_gives_the_connection_back(
    proxy: Proxy, far_bucket: Bucket
) -> None:
    async with opened(S3Store(far_bucket, PATIENCE_S)) as store:
        await put(store)
        for pieces in (0, 1):
            stream = await store.open(KEY)
            for _ in range(pieces):
                await anext(stream)
            await stream.close()
        assert await none_open(proxy)


async def test_a_connection_that_died_in_the_pool_is_not_noticed(
    proxy: Proxy, far_bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "KEEPALIVE_S", 60)
    async with opened(S3Store(far_bucket, PATIENCE_S)) as store:
        await put(store)
        with proxy.failing(Fault(refuses=True)):
            pass
        assert await read(store) == BODY
        assert [piece async for piece in await store.open(KEY, ByteRange(0, 0))] == [BODY[:1]]


async def test_a_put_may_take_longer_by_its_length(
    proxy: Proxy, far_bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "PUT_PATIENCE", 0)
    monkeypatch.setattr(s3, "SLOWEST_BYTES_A_SECOND", len(BODY) / PATIENCE_S)
    async with opened(S3Store(far_bucket, HASTY_S)) as store:
        with proxy.failing(Fault(delay_s=2 * HASTY_S)):
            await put(store)
            with pytest.raises(StoreTimeout):
                await store.put("images/1", b"", content_type="text/plain", metadata={})


async def test_no_more_than_the_line_holds_wait_for_a_connection(
    proxy: Proxy, far_bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "CONNECTIONS", 4)
    monkeypatch.setattr(s3, "LINE", 8)
    async with opened(S3Store(far_bucket, HASTY_S)) as store:
        assert await works(store)
        with proxy.failing(Fault(stall_after_bytes=0)):
            asked = [asyncio.create_task(store.stat(KEY)) for _ in range(100)]
            await asyncio.sleep(0)
            # Nobody has had to wait for that.
            assert sum(task.done() for task in asked) == 100 - 4 - 8
            await asyncio.gather(*asked, return_exceptions=True)
        assert {type(task.exception()) for task in asked} == {StoreUnavailable, StoreTimeout}
        assert await works(store)


async def test_a_name_that_nobody_knows_is_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    async with opened(s3_store("http://s3.invalid")) as store:
        assert await outcomes(store) == {StoreUnavailable}


@asynccontextmanager
async def lying(*lines: Answer) -> AsyncIterator[Store]:
    async with (
        scripted(*lines) as server,
        opened(s3_store(server.url)) as store,
    ):
        yield store


@pytest.mark.parametrize(
    "lie",
    [
        Answer(headers={"Transfer-Encoding": "chunked"}, body=b"1\r\na\r\n0\r\n\r\n"),
        Answer("206 Partial Content", b"a", {"Content-Range": "bytes 0-0/9"}),
        Answer("206 Partial Content", b"a", {"Content-Range": "a part"}),
        Answer(body=b"a", headers={"x-amz-meta-crc32": "none"}),
    ],
    ids=["no length", "a part", "no range", "no checksum"],
)
async def test_a_head_that_makes_no_sense_is_a_broken_answer(lie: Answer) -> None:
    async with lying(lie) as store:
        with pytest.raises(StoreBroken):
            await store.open(KEY)


async def test_a_head_that_is_no_text_costs_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "CONNECTIONS", 1)
    odd = Answer(body=BODY, headers={"x-amz-meta-name": "caf\udce9"}, stalls=True)
    async with lying(odd, odd, Answer(body=BODY)) as store:
        with pytest.raises(StoreBroken):
            await store.open(KEY)
        assert await read(store) == BODY


async def test_another_part_than_the_one_asked_for_is_a_broken_answer() -> None:
    other = Answer("206 Partial Content", b"a", {"Content-Range": "bytes 1-1/9"})
    async with lying(other) as store:
        with pytest.raises(StoreBroken):
            await store.open(KEY, ByteRange(0, 0))


async def test_a_listing_that_is_none_is_not_taken_for_an_empty_one() -> None:
    half = Answer(body=b"<html><p>hello")
    async with lying(half, half, half, Answer(body=b"<html></html>")) as store:
        for kind in (StoreUnavailable, StoreBroken):
            with pytest.raises(kind):
                await store.scan("images/", limit=10)


async def test_success_with_an_error_inside_is_no_success() -> None:
    inside = error("200 OK", "InternalError")
    async with lying(inside, inside, inside) as store:
        with pytest.raises(StoreUnavailable):
            await put(store)


@pytest.mark.parametrize(
    "ask", [put, lambda store: store.scan("images/", limit=10)], ids=["put", "scan"]
)
async def test_a_404_to_what_misses_no_key_is_trouble(
    ask: Callable[[Store], Coroutine[Any, Any, object]],
) -> None:
    async with lying(Answer("404 Not Found")) as store:
        with pytest.raises(StoreRefused):
            await ask(store)
