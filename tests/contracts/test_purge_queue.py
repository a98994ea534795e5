"""The promises of `asgilook/cdn/queue.py`, on every queue that there is."""

from collections.abc import AsyncIterator, Callable

import pytest
from redis import Redis

from asgilook.cdn import MemoryPurgeQueue, PurgeQueue, PurgeState
from asgilook.cdn.queue import Due
from asgilook.cdn.redis import RedisPurgeQueue
from asgilook.errors import QueueUnavailable
from asgilook.ids import uuid7
from tests import servers
from tests.rooms import opened

LONG_S = 1000.0
ALL = 1000


def in_memory(url: str) -> PurgeQueue:
    return MemoryPurgeQueue()


def in_redis(url: str) -> PurgeQueue:
    return RedisPurgeQueue(url)


@pytest.fixture(params=[in_memory, in_redis])
async def queue(request: pytest.FixtureRequest, redis_url: str) -> AsyncIterator[PurgeQueue]:
    make: Callable[[str], PurgeQueue] = request.param
    async with opened(make(redis_url)) as made:
        # The server is the whole suite's.
        await made.done([each.image_id for each in await made.take(ALL, LONG_S)])
        yield made


async def test_what_is_due_is_given_once_for_the_length_of_a_lease(queue: PurgeQueue) -> None:
    image_id = uuid7()
    await queue.add(image_id, 0)
    assert await queue.take(ALL, LONG_S) == [Due(image_id, 0)]
    assert await queue.take(ALL, LONG_S) == []


async def test_what_is_not_done_comes_up_again_and_is_counted(queue: PurgeQueue) -> None:
    image_id = uuid7()
    await queue.add(image_id, 0)
    for attempts in range(3):
        assert await queue.take(ALL, 0) == [Due(image_id, attempts)]


async def test_what_is_not_due_is_not_given(queue: PurgeQueue) -> None:
    await queue.add(uuid7(), LONG_S)
    assert await queue.take(ALL, LONG_S) == []


async def test_what_is_put_off_waits(queue: PurgeQueue) -> None:
    image_id = uuid7()
    await queue.add(image_id, 0)
    await queue.add(image_id, LONG_S)
    assert await queue.take(ALL, LONG_S) == []


async def test_no_more_are_given_than_are_asked_for(queue: PurgeQueue) -> None:
    image_ids = {uuid7() for _ in range(5)}
    for image_id in image_ids:
        await queue.add(image_id, 0)
    taken = [*await queue.take(2, LONG_S), *await queue.take(ALL, LONG_S)]
    assert len(taken) == 5
    assert {each.image_id for each in taken} == image_ids


async def test_a_purge_is_pending_until_it_is_done(queue: PurgeQueue) -> None:
    image_id = uuid7()
    assert await queue.state(image_id) is None
    await queue.add(image_id, LONG_S)
    assert await queue.state(image_id) is PurgeState.PENDING
    await queue.done([image_id])
    assert await queue.state(image_id) is PurgeState.DONE
    assert await queue.take(ALL, LONG_S) == []


async def test_what_is_done_may_be_done_again(queue: PurgeQueue) -> None:
    image_id = uuid7()
    await queue.add(image_id, 0)
    await queue.take(ALL, 0)
    await queue.done([image_id])
    await queue.add(image_id, 0)
    assert await queue.state(image_id) is PurgeState.PENDING
    assert await queue.take(ALL, LONG_S) == [Due(image_id, 0)]


async def test_two_processes_share_a_queue_in_redis(redis_url: str) -> None:
    image_id = uuid7()
    async with opened(RedisPurgeQueue(redis_url)) as one, opened(RedisPurgeQueue(redis_url)) as two:
        await one.done([each.image_id for each in await one.take(ALL, LONG_S)])
        await one.add(image_id, 0)
        assert await two.take(ALL, LONG_S) == [Due(image_id, 0)]
        assert await one.take(ALL, LONG_S) == []
        await two.done([image_id])
        assert await one.state(image_id) is PurgeState.DONE


async def test_redis_that_is_gone_is_told_of_every_call() -> None:
    image_id = uuid7()
    with servers.valkey() as url:
        queue = RedisPurgeQueue(url)
        await queue.open_up()
        await queue.add(image_id, 0)
    for call in (
        queue.add(image_id, 0),
        queue.take(ALL, 0),
        queue.done([image_id]),
        queue.state(image_id),
    ):
        with pytest.raises(QueueUnavailable):
            await call
    await queue.close()


async def test_what_others_put_into_the_set_is_in_nobodys_way() -> None:
    image_id = uuid7()
    with servers.valkey() as url, Redis.from_url(url) as raw:
        raw.zadd("asgilook:{purges}:due", {"readme": 0, b"\xff": 0})
        async with opened(RedisPurgeQueue(url)) as queue:
            await queue.add(image_id, 0)
            assert await queue.take(ALL, LONG_S) == [Due(image_id, 0)]
