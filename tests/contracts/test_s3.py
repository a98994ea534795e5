"""What an S3 store promises beyond every store's: trouble is `StoreUnavailable`, and bounded."""

import asyncio
from random import Random

import pytest

from asgilook.byte_range import ByteRange
from asgilook.errors import ObjectExists, ObjectNotFound, StoreUnavailable
from asgilook.store import ObjectInfo, Store, s3
from asgilook.store.s3 import Bucket, S3Store
from tests import servers
from tests.contracts.scripted import LOST, Answer, describe_first_put, error, scripted
from tests.rooms import opened

KEY = "images/0.jpeg"
BODY = Random(0).randbytes(300_000)
METADATA = {"width": "462"}
WHOLE = Answer(body=BODY, headers={"Content-Type": "image/jpeg"})
CUT = Answer(body=BODY[:150_000], headers={"Content-Length": str(len(BODY))})
STALLED = Answer(body=CUT.body, headers=CUT.headers, stalls=True)


async def put(store: Store, key: str = KEY) -> ObjectInfo:
    return await store.put(key, BODY, content_type="image/jpeg", metadata=METADATA)


async def read(store: Store, key: str = KEY) -> bytes:
    async with await store.open(key) as stream:
        return b"".join([piece async for piece in stream])


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


async def test_nobody_answering_is_trouble() -> None:
    async with opened(
        S3Store(Bucket("contracts", "", f"http://127.0.0.1:{servers.free_port()}"))
    ) as store:
        assert await outcomes(store) == {StoreUnavailable}


async def test_a_missing_bucket_is_trouble_and_not_a_missing_key(
    moto_url: str, seaweedfs_url: str
) -> None:
    for url in (moto_url, seaweedfs_url):
        async with opened(S3Store(Bucket("never-made", "", url))) as store:
            assert await outcomes(store) == {StoreUnavailable}


async def test_a_wrong_secret_is_trouble(
    monkeypatch: pytest.MonkeyPatch, seaweedfs_bucket: Bucket
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not it")
    async with opened(S3Store(seaweedfs_bucket)) as store:
        assert await outcomes(store) == {StoreUnavailable}


async def test_objects_of_one_bucket_are_told_apart_by_prefix(seaweedfs_bucket: Bucket) -> None:
    name, prefix, url = (
        seaweedfs_bucket.name,
        seaweedfs_bucket.prefix,
        seaweedfs_bucket.endpoint_url,
    )
    async with (
        opened(S3Store(Bucket(name, "", url))) as bare,
        opened(S3Store(Bucket(name, prefix, url))) as one,
        opened(S3Store(Bucket(name, f"{prefix}more/", url))) as other,
    ):
        await put(one, "images/a")
        await put(other, "images/b")
        assert await one.scan("images/", limit=10) == ["images/a"]
        assert await other.scan("images/", after="images/a", limit=10) == ["images/b"]
        assert await bare.scan(f"{prefix}images/", limit=10) == [f"{prefix}images/a"]
        assert await read(bare, f"{prefix}more/images/b") == BODY
        with pytest.raises(ObjectNotFound):
            await one.stat("images/b")


async def test_a_page_may_have_a_thousand_keys(seaweedfs_bucket: Bucket) -> None:
    keys = [f"index/{number:04}" for number in range(1003)]
    async with opened(S3Store(seaweedfs_bucket)) as store:
        for start in range(0, len(keys), 100):
            await asyncio.gather(
                *(
                    store.put(key, b"", content_type="text/plain", metadata={})
                    for key in keys[start : start + 100]
                )
            )
        assert await store.scan("index/", limit=1000) == keys[:1000]
        assert await store.scan("index/", after=keys[999], limit=1000) == keys[1000:]


async def test_who_finds_all_connections_held_does_not_wait_for_ever(
    monkeypatch: pytest.MonkeyPatch, seaweedfs_bucket: Bucket
) -> None:
    monkeypatch.setattr(s3, "CONNECTIONS", 2)
    monkeypatch.setattr(s3, "WAIT_FOR_CONNECTION_S", 0.05)
    async with opened(S3Store(seaweedfs_bucket)) as store:
        await put(store)
        async with await store.open(KEY), await store.open(KEY):
            assert await outcomes(store) == {StoreUnavailable}
        assert await read(store) == BODY


async def test_who_is_called_off_in_mid_body_gives_the_connection_back(
    monkeypatch: pytest.MonkeyPatch, seaweedfs_bucket: Bucket
) -> None:
    monkeypatch.setattr(s3, "CONNECTIONS", 1)
    async with opened(S3Store(seaweedfs_bucket)) as store:
        await put(store)
        reading = asyncio.Event()

        async def read_and_rest() -> None:
            async with await store.open(KEY) as stream:
                await anext(stream)
                reading.set()
                await asyncio.Event().wait()

        for _ in range(3):
            task = asyncio.create_task(read_and_rest())
            await reading.wait()
            reading.clear()
            task.cancel()
            await asyncio.wait([task])
        assert await read(store) == BODY


@pytest.mark.parametrize("broken", [CUT, STALLED], ids=["cut", "stalled"])
async def test_a_body_that_breaks_off_is_never_taken_for_whole(
    monkeypatch: pytest.MonkeyPatch, broken: Answer
) -> None:
    monkeypatch.setattr(s3, "CONNECTIONS", 1)
    monkeypatch.setattr(s3, "READ_TIMEOUT_S", 0.3)
    async with (
        scripted(broken, WHOLE) as server,
        opened(S3Store(Bucket("b", "", server.url))) as store,
    ):
        received = bytearray()

        async def receive() -> None:
            async for piece in await store.open(KEY):
                received.extend(piece)

        with pytest.raises(StoreUnavailable):
            await receive()
        assert BODY.startswith(received)
        assert await read(store) == BODY


async def test_a_moment_of_trouble_is_not_noticed() -> None:
    trouble = error("503 Slow Down", "SlowDown")
    async with (
        scripted(trouble, WHOLE) as server,
        opened(S3Store(Bucket("b", "", server.url))) as store,
    ):
        assert await read(store) == BODY


@pytest.mark.parametrize("first", [LOST, error("500 Oops", "InternalError")], ids=["lost", "500"])
async def test_an_object_put_by_a_try_whose_answer_was_lost_is_ours(first: Answer) -> None:
    taken = error("412 Precondition Failed", "PreconditionFailed")
    async with (
        scripted(first, taken, describe_first_put) as server,
        opened(S3Store(Bucket("b", "", server.url))) as store,
    ):
        assert await put(store) == ObjectInfo(len(BODY), "image/jpeg", METADATA)


async def test_an_object_of_somebody_else_met_by_a_second_try_is_not_ours() -> None:
    taken = error("412 Precondition Failed", "PreconditionFailed")
    theirs = Answer(
        headers={
            "Content-Length": str(len(BODY)),
            "Content-Type": "image/jpeg",
            "x-amz-meta-width": "462",
        }
    )
    async with (
        scripted(LOST, taken, theirs) as server,
        opened(S3Store(Bucket("b", "", server.url))) as store,
    ):
        with pytest.raises(ObjectExists):
            await put(store)


async def test_a_conflict_of_writers_does_not_say_that_there_is_an_object() -> None:
    conflict = error("409 Conflict", "ConditionalRequestConflict")
    async with scripted(conflict) as server, opened(S3Store(Bucket("b", "", server.url))) as store:
        with pytest.raises(StoreUnavailable):
            await put(store)
