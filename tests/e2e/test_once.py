"""What several processes are asked for at once is made once, and never not at all."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import pytest
from redis import Redis

from tests import pictures, servers
from tests.e2e.steps import Start, eventually, upload
from tests.load.memory import family_mib
from tests.servers import Service

PROCESSES = 3
REQUESTS = 200
LARGE = (4000, 3000)


@pytest.fixture
def redis() -> Iterator[Redis]:
    """Give a Redis that the test may empty."""
    with servers.valkey() as url, Redis.from_url(url) as client:
        yield client


@pytest.fixture
def fleet(start: Start, s3_settings: dict[str, str], redis: Redis) -> list[Service]:
    """Run processes that keep nothing in their own memory."""
    port = redis.connection_pool.connection_kwargs["port"]
    url = f"redis://127.0.0.1:{port}/0"
    settings = {**s3_settings, "REDIS_URL": url, "MEMORY_CACHE_BYTES": "0"}
    return [start(settings) for _ in range(PROCESSES)]


def is_decoded(answer: httpx.Response) -> bool:
    return "decode" in answer.headers.get("server-timing", "")


@contextmanager
def held_up(service: Service) -> Iterator[None]:
    """Let nothing be made in a service's processes for the length of a block."""
    makers = family_mib(service.process.pid).keys() - {service.process.pid}
    for maker in makers:
        os.kill(maker, signal.SIGSTOP)
    try:
        yield
    finally:
        for maker in makers:
            with suppress(ProcessLookupError):
                os.kill(maker, signal.SIGCONT)


async def ask_all(urls: list[str]) -> list[httpx.Response]:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(timeout=60, limits=limits) as client:
        return await asyncio.gather(*(client.get(url) for url in urls))


def test_all_sizes_in_all_processes_at_once_are_one_decode(
    fleet: list[Service], client: httpx.Client, redis: Redis
) -> None:
    paths = upload(client, fleet[0])["thumbnails"]
    redis.flushall()
    places = [f"{service.url}{path}" for path in paths for service in fleet]
    answers = asyncio.run(ask_all([places[n % len(places)] for n in range(REQUESTS)]))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == len(paths)
    assert sum(map(is_decoded, answers)) == 1


def test_the_death_of_the_one_who_makes_it_is_made_up_for(
    fleet: list[Service], client: httpx.Client, redis: Redis
) -> None:
    first, *others = fleet
    made = client.post(
        f"{first.url}/images",
        content=pictures.upload(LARGE),
        headers={"content-type": "image/jpeg"},
    )
    path = made.raise_for_status().json()["thumbnails"][1].replace("jpeg", "avif")

    async def kill_in_the_middle() -> list[httpx.Response]:
        lost = asyncio.create_task(ask_all([f"{first.url}{path}"]))
        assert await asyncio.to_thread(eventually, lambda: bool(redis.keys("asgilook:lease:*")))
        asked = asyncio.create_task(ask_all([f"{other.url}{path}" for other in others]))
        await asyncio.sleep(0.1)
        os.kill(first.process.pid, signal.SIGKILL)
        with pytest.raises(httpx.TransportError):
            await lost
        return await asked

    with held_up(first):
        answers = asyncio.run(kill_in_the_middle())
    assert [answer.status_code for answer in answers] == [200] * len(others)
    assert len({answer.content for answer in answers}) == 1
    assert sum(map(is_decoded, answers)) == 1


def test_without_redis_each_process_makes_its_own(
    fleet: list[Service], client: httpx.Client, redis: Redis
) -> None:
    paths = upload(client, fleet[0])["thumbnails"]
    redis.shutdown(nosave=True)
    urls = [f"{service.url}{paths[0]}" for service in fleet for _ in range(20)]
    answers = asyncio.run(ask_all(urls))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert sum(map(is_decoded, answers)) == len(fleet)
