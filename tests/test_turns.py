"""Whose turn it is to be decoded or rendered, and what becomes of those who leave."""

import asyncio
import gc
import logging
import os
from collections.abc import AsyncIterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from asgilook import workers as workers_room
from asgilook.errors import Overloaded
from asgilook.workers import Workers
from tests.rooms import Queue, done, opened

MEMORY_BYTES = 256 * 1024 * 1024
LARGE = MEMORY_BYTES // 2
"""What a job costs that finds one slot, and one decoder, if there is one slot for all."""
SMALL = 1024
"""What a job costs for which a slot, and a decoder, is kept beside."""


@pytest.fixture
async def workers(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Workers]:
    """Give one slot, in front of which two may wait that take all the memory."""
    monkeypatch.setattr(workers_room, "LINE", 3)
    async with opened(Workers(1, MEMORY_BYTES, 60)) as made:
        yield made


async def test_a_small_one_does_not_wait_for_large_ones(workers: Workers, fifo: Path) -> None:
    busy = asyncio.create_task(done(workers.decoding, fifo.read_text, LARGE))
    with await asyncio.to_thread(fifo.open, "w"):
        waiting = asyncio.create_task(done(workers.decoding, os.getpid, LARGE))
        assert await done(workers.decoding, partial(pow, 2, 3), SMALL) == 8
        assert not waiting.done()
    assert await busy == ""
    await waiting


async def test_decoding_and_rendering_share_the_memory(workers: Workers, fifo: Path) -> None:
    busy = asyncio.create_task(done(workers.decoding, fifo.read_text, MEMORY_BYTES))
    with await asyncio.to_thread(fifo.open, "w"):
        waiting = asyncio.create_task(done(workers.rendering, partial(pow, 2, 3), MEMORY_BYTES))
        assert await done(workers.rendering, partial(pow, 2, 4), SMALL) == 16
        assert not waiting.done()
    assert await busy == ""
    assert await waiting == 8


async def test_what_was_made_counts_until_it_is_not_needed_any_more(workers: Workers) -> None:
    async with workers.decoding(MEMORY_BYTES) as turn:
        await turn.run(os.getpid)
        turn.keep(MEMORY_BYTES // 2)
        assert await done(workers.decoding, partial(pow, 2, 3), LARGE) == 8
        waiting = asyncio.create_task(done(workers.decoding, os.getpid, MEMORY_BYTES))
        assert await done(workers.decoding, partial(pow, 2, 4), LARGE) == 16
        assert not waiting.done()
    await waiting


@pytest.mark.parametrize("kind", ["decoding", "rendering"])
@pytest.mark.parametrize("cost_bytes", [SMALL, LARGE])
async def test_a_picture_that_nobody_wants_any_more_is_let_go(
    workers: Workers, fifo: Path, cost_bytes: int, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    queue: Queue = getattr(workers, kind)
    unwanted = asyncio.create_task(done(queue, fifo.read_text, cost_bytes))
    with await asyncio.to_thread(fifo.open, "w"):
        unwanted.cancel()
        await asyncio.sleep(0)
        unwanted.cancel()
        assert isinstance(await done(queue, os.getpid, LARGE), int)
    assert unwanted.cancelled()
    assert [text.partition(": ")[2] for text in caplog.messages] == ["nobody waits for its picture"]
    # asyncio tells of an error that nobody took when it is collected.
    gc.collect()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("kind", ["decoding", "rendering"])
async def test_more_work_than_may_wait_is_turned_away(
    workers: Workers, fifo: Path, kind: str
) -> None:
    queue: Queue = getattr(workers, kind)
    busy = asyncio.create_task(done(queue, fifo.read_text, MEMORY_BYTES))
    with await asyncio.to_thread(fifo.open, "w"):
        waiting = [
            asyncio.create_task(done(queue, partial(pow, 2, n), MEMORY_BYTES)) for n in range(2)
        ]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await done(queue, partial(pow, 2, 2), MEMORY_BYTES)
        waiting[0].cancel()
        await asyncio.wait([waiting[0]])
        waiting.append(asyncio.create_task(done(queue, partial(pow, 2, 3), MEMORY_BYTES)))
        await asyncio.sleep(0)
    assert await asyncio.gather(busy, *waiting[1:]) == ["", 2, 8]
    assert await done(queue, partial(pow, 2, 4), MEMORY_BYTES) == 16


async def test_as_much_is_rendered_at_once_as_there_are_slots(tmp_path: Path) -> None:
    fifos = [tmp_path / f"{number}" for number in range(4)]
    for fifo in fifos:
        os.mkfifo(fifo)
    async with opened(Workers(2, MEMORY_BYTES, 60)) as workers:
        jobs = [asyncio.create_task(done(workers.rendering, f.read_text, LARGE)) for f in fifos]
        for under_way, waiting in ((fifos[:2], fifos[2:]), (fifos[2:], [])):
            with ExitStack() as writers:
                # Each is opened only when its job has opened it as well, and ends with its writer.
                for fifo in under_way:
                    writers.enter_context(await asyncio.to_thread(fifo.open, "w"))
                assert not any(_is_read(fifo) for fifo in waiting)
        assert await asyncio.gather(*jobs) == [""] * 4


def _is_read(fifo: Path) -> bool:
    try:
        os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True
