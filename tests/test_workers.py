"""Where untrusted pictures are decoded, and how much is done at once."""

import asyncio
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from asgilook import workers as workers_room
from asgilook.codec import HeaderLimits, IngestOptions, ingest
from asgilook.errors import BrokenPicture, Overloaded, UnsupportedType
from asgilook.workers import Workers
from tests import pictures
from tests.rooms import opened

MEMORY_BYTES = 256 * 1024 * 1024
OPTIONS = IngestOptions(HeaderLimits(1_000_000, MEMORY_BYTES), 64, 90, 80, (255, 255, 255))
SMALL = 1024
"""What a job costs where its cost is not the point."""

FOR_EVER = partial(time.sleep, 3600)
SPIN = partial(pow, 3, 3**24, 3**4_000_001)
"""Work for minutes, within a single call of the interpreter."""
Run = Callable[[Callable[[], Any], int], Coroutine[Any, Any, Any]]

WORK = """
import asyncio, os, sys
from functools import partial
from pathlib import Path
from asgilook.workers import Workers

async def main():
    workers = Workers(slots=2, memory_bytes=1 << 28, decode_s=3600)
    await workers.open_up()
    print(*await asyncio.gather(*(workers.decode(os.getpid, 1) for _ in range(2))), flush=True)
    await workers.decode(partial(Path(sys.argv[1]).read_text), 1)

asyncio.run(main())
"""
"""A program with two decoders, one of which is at work and the other one is not."""


@pytest.fixture
async def workers(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Workers]:
    """Give one slot, in front of which two may wait that take all the memory."""
    monkeypatch.setattr(workers_room, "LINE", 3)
    async with opened(Workers(1, MEMORY_BYTES, 60)) as made:
        yield made


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """Name a pipe: opening it waits for the other side, so that both know of each other."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return path


async def test_a_job_gives_back_what_it_makes(workers: Workers) -> None:
    assert await workers.decode(partial(pow, 2, 10), SMALL) == 1024
    assert await workers.render(partial(pow, 2, 10), SMALL) == 1024


async def test_an_upload_is_decoded_in_another_process(workers: Workers, tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(pictures.upload((200, 100)))
    made = await workers.decode(partial(ingest, path, OPTIONS), SMALL)
    assert made.size == (200, 100)
    assert await workers.decode(os.getpid, SMALL) != os.getpid()


async def test_what_a_job_raises_is_raised_and_costs_no_decoder(
    workers: Workers, tmp_path: Path
) -> None:
    path = tmp_path / "upload"
    path.write_bytes(b"no picture")
    before = await workers.decode(os.getpid, SMALL)
    with pytest.raises(UnsupportedType):
        await workers.decode(partial(ingest, path, OPTIONS), SMALL)
    assert await workers.decode(os.getpid, SMALL) == before


async def test_decoders_are_used_again(workers: Workers) -> None:
    assert len({await workers.decode(os.getpid, SMALL) for _ in range(5)}) == 1


@pytest.mark.parametrize(
    "job",
    [partial(os._exit, 0), partial(os._exit, 7), partial(signal.raise_signal, signal.SIGKILL)],
    ids=["left", "crashed", "killed"],
)
async def test_a_picture_that_takes_its_decoder_down_is_broken_and_no_other(
    workers: Workers, job: Callable[[], Any]
) -> None:
    before = await workers.decode(os.getpid, SMALL)
    outcomes = await asyncio.gather(
        workers.decode(job, SMALL), workers.decode(os.getpid, SMALL), return_exceptions=True
    )
    assert isinstance(outcomes[0], BrokenPicture)
    assert isinstance(outcomes[1], int)
    assert outcomes[1] != before


@pytest.mark.parametrize("job", [FOR_EVER, SPIN], ids=["asleep", "at work"])
async def test_a_picture_that_takes_too_long_is_broken_and_no_other(
    job: Callable[[], Any],
) -> None:
    async with opened(Workers(1, MEMORY_BYTES, 0.2)) as workers:
        with pytest.raises(BrokenPicture):
            await workers.decode(job, SMALL)
        assert isinstance(await workers.decode(os.getpid, SMALL), int)


async def test_a_picture_that_takes_more_memory_than_there_is_is_refused(
    workers: Workers,
) -> None:
    before = await workers.decode(os.getpid, SMALL)
    with pytest.raises(MemoryError):
        await workers.decode(partial(bytes, 2 * MEMORY_BYTES), SMALL)
    assert await workers.decode(os.getpid, SMALL) == before


async def test_a_header_is_read_while_every_decoder_is_busy(workers: Workers, fifo: Path) -> None:
    busy = asyncio.create_task(workers.decode(fifo.read_text, SMALL))
    with await asyncio.to_thread(fifo.open, "w"):
        assert await workers.inspect(partial(pow, 2, 3)) == 8
    assert await busy == ""


async def test_a_decoder_makes_room_for_a_new_one_after_its_share(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers_room, "JOBS_BEFORE_RENEWAL", 2)
    numbers = [await workers.decode(os.getpid, SMALL) for _ in range(4)]
    assert numbers[0] == numbers[1] != numbers[2] == numbers[3]


async def test_a_decoder_that_is_taken_down_takes_no_other_with_it(fifo: Path) -> None:
    async with opened(Workers(2, MEMORY_BYTES, 60)) as workers:
        busy = asyncio.create_task(workers.decode(fifo.read_text, SMALL))
        writer = await asyncio.to_thread(fifo.open, "w")
        with pytest.raises(BrokenPicture):
            await workers.decode(partial(os._exit, 7), SMALL)
        with writer:
            writer.write("done")
        assert await busy == "done"


async def test_a_picture_does_not_suffer_for_a_decoder_that_ended_before_it_came(
    workers: Workers,
) -> None:
    lost = await workers.decode(os.getpid, SMALL)
    os.kill(lost, signal.SIGKILL)
    await asyncio.to_thread(os.waitid, os.P_PID, lost, os.WEXITED | os.WNOWAIT)
    assert await workers.decode(os.getpid, SMALL) != lost


async def test_a_picture_that_nobody_wants_any_more_is_let_go(workers: Workers, fifo: Path) -> None:
    unwanted = asyncio.create_task(workers.decode(fifo.read_text, SMALL))
    with await asyncio.to_thread(fifo.open, "w"):
        unwanted.cancel()
        assert isinstance(await workers.decode(os.getpid, SMALL), int)
    assert unwanted.cancelled()


@pytest.mark.parametrize("kind", ["decode", "render"])
async def test_more_work_than_may_wait_is_turned_away(
    workers: Workers, fifo: Path, kind: str
) -> None:
    run: Run = getattr(workers, kind)
    busy = asyncio.create_task(run(fifo.read_text, MEMORY_BYTES))
    with await asyncio.to_thread(fifo.open, "w"):
        waiting = [asyncio.create_task(run(partial(pow, 2, n), MEMORY_BYTES)) for n in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await run(partial(pow, 2, 2), MEMORY_BYTES)
        waiting[0].cancel()
        await asyncio.wait([waiting[0]])
        waiting.append(asyncio.create_task(run(partial(pow, 2, 3), MEMORY_BYTES)))
        await asyncio.sleep(0)
    assert await asyncio.gather(busy, *waiting[1:]) == ["", 2, 8]
    assert await run(partial(pow, 2, 4), MEMORY_BYTES) == 16


async def test_as_much_is_rendered_at_once_as_there_are_slots() -> None:
    pair, lock, under_way, most = threading.Barrier(2, timeout=30), threading.Lock(), 0, 0

    def job() -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        pair.wait()
        with lock:
            under_way -= 1

    async with opened(Workers(2, MEMORY_BYTES, 60)) as workers:
        await asyncio.gather(*(workers.render(job, SMALL) for _ in range(6)))
    assert most == 2


def test_decoders_end_with_the_program_however_it_ends(fifo: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WORK, fifo], stdout=subprocess.PIPE) as program:
        assert program.stdout
        decoders = [os.pidfd_open(int(number)) for number in program.stdout.readline().split()]
        with fifo.open("w"):
            program.kill()
            ended = [select.select([decoder], [], [], 30)[0] for decoder in decoders]
    assert ended == [[decoder] for decoder in decoders]
    for decoder in decoders:
        os.close(decoder)


async def test_decoders_end_when_the_workers_close() -> None:
    async with opened(Workers(1, MEMORY_BYTES, 60)) as workers:
        decoder = os.pidfd_open(await workers.decode(os.getpid, SMALL))
    assert select.select([decoder], [], [], 0)[0] == [decoder]
    os.close(decoder)
