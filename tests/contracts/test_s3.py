"""What an S3 store promises beyond every store's."""

import asyncio
import re
import socket
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from asgilook.errors import ObjectExists, ObjectNotFound, StoreUnavailable
from asgilook.store import ObjectInfo, Store, s3
from asgilook.store.s3 import Bucket, S3Store
from tests.contracts.scripted import LOST, Answer, Line, describe_first_put, error, scripted
from tests.contracts.steps import (
    BODY,
    HASTY_S,
    KEY,
    METADATA,
    PATIENCE_S,
    opened_patiently,
    outcomes,
    put,
    read,
    s3_store,
    works,
)
from tests.rooms import opened

WHOLE = Answer(body=BODY, headers={"Content-Type": "image/jpeg"})


@pytest.mark.parametrize(
    ("ask", "method"), [(read, "GET"), (lambda store: store.stat(KEY), "HEAD")], ids=["GET", "HEAD"]
)
async def test_an_object_is_a_single_signed_request(
    ask: Callable[[Store], Coroutine[Any, Any, object]], method: str
) -> None:
    whole = Answer(body=b"", headers={"Content-Length": "0"})
    async with scripted(whole) as server, opened(s3_store(server.url)) as store:
        await ask(store)
        [request] = server.requests
    assert request.startswith(f"{method} /b/{KEY} HTTP/1.1")
    assert re.search(r"(?im)^authorization: AWS4-HMAC-SHA256 ", request)


async def test_what_cannot_be_asked_for_directly_is_left_to_the_client() -> None:
    moved = error("307 Temporary Redirect", "TemporaryRedirect")
    async with scripted(moved, WHOLE) as server, opened(s3_store(server.url)) as store:
        assert await read(store) == BODY


def moved(requests: list[str]) -> Answer:
    """Say that the bucket is in another region, and name a host that knows of it."""
    [port] = re.findall(r"(?im)^host: [^:]*:(\d+)\r$", requests[-1])
    there = {"Location": f"http://localhost:{port}/b/{KEY}", "x-amz-bucket-region": "eu-west-1"}
    return Answer("307 Temporary Redirect", headers=there)


@pytest.mark.parametrize(
    ("ask", "lines"),
    [(read, [moved, moved, WHOLE]), (put, [moved, Answer()])],
    ids=["GET", "PUT"],
)
async def test_who_is_sent_to_another_region_signs_for_that(
    ask: Callable[[Store], Coroutine[Any, Any, object]], lines: list[Line]
) -> None:
    async with scripted(*lines) as server, opened(s3_store(server.url)) as store:
        await ask(store)
        signed_for = [re.findall(r"/([a-z0-9-]+)/s3/aws4_", each) for each in server.requests]
    assert signed_for == [["us-east-1"]] * (len(lines) - 1) + [["eu-west-1"]]


async def test_objects_of_one_bucket_are_told_apart_by_prefix(seaweedfs_bucket: Bucket) -> None:
    name, prefix, url = (
        seaweedfs_bucket.name,
        seaweedfs_bucket.prefix,
        seaweedfs_bucket.endpoint_url,
    )
    async with (
        opened(S3Store(Bucket(name, "", url), PATIENCE_S)) as bare,
        opened(S3Store(Bucket(name, prefix, url), PATIENCE_S)) as one,
        opened(S3Store(Bucket(name, f"{prefix}more/", url), PATIENCE_S)) as other,
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
    async with opened(S3Store(seaweedfs_bucket, PATIENCE_S)) as store:
        for start in range(0, len(keys), 100):
            await asyncio.gather(
                *(
                    store.put(key, b"", content_type="text/plain", metadata={})
                    for key in keys[start : start + 100]
                )
            )
        assert await store.scan("index/", limit=1000) == keys[:1000]
        assert await store.scan("index/", after=keys[999], limit=1000) == keys[1000:]


def listed(*keys: str, more: str = "") -> Answer:
    """Say what a bucket has; where there is more, by the token that leads to it."""
    contents = "".join(f"<Contents><Key>{key}</Key></Contents>" for key in keys)
    rest = f"<NextContinuationToken>{more}</NextContinuationToken>" * bool(more)
    is_truncated = f"<IsTruncated>{str(bool(more)).lower()}</IsTruncated>"
    return Answer(
        body=f"<ListBucketResult>{is_truncated}{contents}{rest}</ListBucketResult>".encode()
    )


async def test_a_page_that_s3_cuts_short_is_filled() -> None:
    pages = (listed("i/a", more="t1"), listed(more="t2"), listed("i/b", "i/c", more="t3"))
    async with scripted(*pages) as server, opened(s3_store(server.url)) as store:
        assert await store.scan("i/", after="i/0", limit=3) == ["i/a", "i/b", "i/c"]
        queries = [parse_qs(urlsplit(request.split()[1]).query) for request in server.requests]
    assert [query["max-keys"] for query in queries] == [["3"], ["2"], ["2"]]
    assert [query.get("continuation-token") for query in queries] == [None, ["t1"], ["t2"]]


async def test_an_engine_that_does_not_find_what_is_to_be_deleted_has_deleted_it() -> None:
    missing = error("404 Not Found", "NoSuchKey")
    async with scripted(missing) as server, opened(s3_store(server.url)) as store:
        await store.delete(KEY)


async def test_who_finds_all_connections_held_does_not_wait_for_ever(
    monkeypatch: pytest.MonkeyPatch, seaweedfs_bucket: Bucket
) -> None:
    monkeypatch.setattr(s3, "CONNECTIONS", 2)
    async with opened(S3Store(seaweedfs_bucket, HASTY_S)) as store:
        assert await works(store)
        async with await opened_patiently(store), await opened_patiently(store):
            assert await outcomes(store) == {StoreUnavailable}
        assert await works(store)


async def test_who_is_called_off_in_mid_body_gives_the_connection_back(
    monkeypatch: pytest.MonkeyPatch, seaweedfs_bucket: Bucket
) -> None:
    monkeypatch.setattr(s3, "CONNECTIONS", 1)
    async with opened(S3Store(seaweedfs_bucket, PATIENCE_S)) as store:
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


async def test_a_moment_of_trouble_is_not_noticed() -> None:
    trouble = error("503 Slow Down", "SlowDown")
    async with (
        scripted(trouble, WHOLE) as server,
        opened(s3_store(server.url)) as store,
    ):
        assert await read(store) == BODY


@pytest.mark.parametrize("first", [LOST, error("500 Oops", "InternalError")], ids=["lost", "500"])
async def test_an_object_put_by_a_try_whose_answer_was_lost_is_ours(first: Answer) -> None:
    taken = error("412 Precondition Failed", "PreconditionFailed")
    async with (
        scripted(first, taken, describe_first_put) as server,
        opened(s3_store(server.url)) as store,
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
        opened(s3_store(server.url)) as store,
    ):
        with pytest.raises(ObjectExists):
            await put(store)


async def test_an_object_that_was_in_the_way_and_is_deleted_since_was_there() -> None:
    taken = error("412 Precondition Failed", "PreconditionFailed")
    async with (
        scripted(taken, Answer("404 Not Found"), error("404 Not Found", "NoSuchKey")) as server,
        opened(S3Store(Bucket("b", "", server.url))) as store,
    ):
        with pytest.raises(ObjectExists):
            await put(store)


async def test_a_conflict_of_writers_does_not_say_that_there_is_an_object() -> None:
    conflict = error("409 Conflict", "ConditionalRequestConflict")
    async with scripted(conflict) as server, opened(s3_store(server.url)) as store:
        with pytest.raises(StoreUnavailable):
            await put(store)


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("my-pictures", "my-pictures.s3.eu-central-1.amazonaws.com"),
        ("my.pictures", "s3.eu-central-1.amazonaws.com"),
    ],
)
async def test_without_an_address_it_is_aws_in_the_region_that_is_set(
    monkeypatch: pytest.MonkeyPatch, name: str, host: str
) -> None:
    asked = []

    def resolve(host: str, *_: object, **__: object) -> None:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    async with opened(S3Store(Bucket(name), PATIENCE_S)) as store:
        assert await outcomes(store) == {StoreUnavailable}
    assert set(asked) == {host}
