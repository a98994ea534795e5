"""Where our own pictures are rendered, and what becomes of it when a process is lost."""

import asyncio
import os
import signal
import zlib
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from pickle import PickleBuffer
from typing import cast

import pytest

from asgilook import child
from asgilook.codec import render_variant
from asgilook.errors import Overloaded
from asgilook.fork_server import ForkServer
from asgilook.variant import Variant
from asgilook.workers import Workers
from tests import pictures
from tests.rooms import done, opened

MEMORY_BYTES = 256 * 1024 * 1024
LARGE = MEMORY_BYTES // 2
"""What a job costs that finds one slot, and one process, if there is one slot for all."""


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    """Give one slot."""
    async with opened(Workers(1, MEMORY_BYTES, 60)) as made:
        yield made


async def test_a_thumbnail_is_made_in_a_process_that_sees_no_upload(workers: Workers) -> None:
    numbers = {await done(workers.rendering, os.getpid, LARGE) for _ in range(3)}
    others = {os.getpid(), await done(workers.decoding, os.getpid, LARGE)}
    others.add(await workers.inspect(os.getpid))
    assert len(numbers) == 1
    assert not numbers & others


async def test_a_thumbnail_whose_process_the_system_ends_may_be_asked_for_again(
    workers: Workers,
) -> None:
    with pytest.raises(Overloaded) as caught:
        await done(workers.rendering, partial(signal.raise_signal, signal.SIGKILL), LARGE)
    assert caught.value.retry_after_s == child.COME_BACK_S
    assert await done(workers.rendering, partial(pow, 2, 3), LARGE) == 8


@pytest.mark.parametrize("kind", ["rendering", "decoding"])
async def test_without_another_process_a_job_may_come_again(
    workers: Workers, fifo: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    queue = getattr(workers, kind)
    busy = asyncio.create_task(done(queue, fifo.read_text, LARGE))
    with await asyncio.to_thread(fifo.open, "w"):
        with monkeypatch.context() as patch:
            patch.setattr(ForkServer, "fork", _fails)
            with pytest.raises(Overloaded):
                await done(queue, os.getpid, 1)
        assert isinstance(await done(queue, os.getpid, 1), int)
    assert await busy == ""


def _fails(*_: object) -> None:
    raise OSError("no process is to be had")


async def test_a_mistake_in_rendering_is_no_overload_and_costs_no_process(workers: Workers) -> None:
    before = await done(workers.rendering, os.getpid, LARGE)
    wrong = partial(render_variant, pictures.upload((64, 48)), cast("Variant", None), 80)
    with pytest.raises(RuntimeError, match="AttributeError"):
        await done(workers.rendering, wrong, LARGE)
    assert await done(workers.rendering, os.getpid, LARGE) == before


async def test_what_our_own_pictures_take_is_bounded_by_the_kernel_as_well(
    workers: Workers,
) -> None:
    with pytest.raises(MemoryError):
        await done(workers.rendering, partial(bytes, 2 * MEMORY_BYTES), LARGE)


async def test_a_large_original_gets_to_its_process_whole(workers: Workers) -> None:
    original = os.urandom(5_000_000)
    checked = await done(workers.rendering, partial(zlib.crc32, PickleBuffer(original)), LARGE)
    assert checked == zlib.crc32(original)
