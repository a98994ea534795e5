"""Where untrusted pictures are decoded, and how much is done at once."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from asgilook import child as child_room
from asgilook import decoder
from asgilook.codec import HeaderLimits, IngestOptions, ingest
from asgilook.errors import BrokenPicture, Overloaded, UnsupportedType
from asgilook.workers import Workers
from tests import pictures
from tests.processes import has_ended, watched
from tests.rooms import done, opened

MEMORY_BYTES = 256 * 1024 * 1024
OPTIONS = IngestOptions(HeaderLimits(1_000_000, MEMORY_BYTES), 64, 90, 80, (255, 255, 255))
LARGE = MEMORY_BYTES // 2
"""What a job costs that finds one slot, and one decoder, if there is one slot for all."""

FOR_EVER = partial(time.sleep, 3600)
SPIN = partial(pow, 3, 3**24, 3**4_000_001)
"""Work for minutes, within a single call of the interpreter."""

WORK = """
import asyncio, os, sys
from functools import partial
from pathlib import Path
from asgilook.workers import Workers

async def decode(workers, job):
    async with workers.decoding(1) as turn:
        return await turn.run(job)

async def main():
    workers = Workers(slots=1, memory_bytes=1 << 28, decode_s=3600)
    await workers.open_up()
    jobs = (os.getpid, os.getpid, os.getppid)
    print(*await asyncio.gather(*(decode(workers, job) for job in jobs)), flush=True)
    await decode(workers, partial({job}))

asyncio.run(main())
"""
"""A program with two decoders, one of which is at work, and the process that forked them."""


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    """Give one slot."""
    async with opened(Workers(1, MEMORY_BYTES, 60)) as made:
        yield made


async def test_a_job_gives_back_what_it_makes(workers: Workers) -> None:
    assert await done(workers.decoding, partial(pow, 2, 10), LARGE) == 1024
    assert await done(workers.rendering, partial(pow, 2, 10), LARGE) == 1024


async def test_an_upload_is_decoded_in_another_process(workers: Workers, tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(pictures.upload((200, 100)))
    made = await done(workers.decoding, partial(ingest, path, OPTIONS), LARGE)
    assert made.size == (200, 100)
    assert await done(workers.decoding, os.getpid, LARGE) != os.getpid()


async def test_what_a_job_raises_is_raised_and_costs_no_decoder(
    workers: Workers, tmp_path: Path
) -> None:
    path = tmp_path / "upload"
    path.write_bytes(b"no picture")
    before = await done(workers.decoding, os.getpid, LARGE)
    with pytest.raises(UnsupportedType):
        await done(workers.decoding, partial(ingest, path, OPTIONS), LARGE)
    assert await done(workers.decoding, os.getpid, LARGE) == before


async def test_decoders_are_used_again(workers: Workers) -> None:
    assert len({await done(workers.decoding, os.getpid, LARGE) for _ in range(5)}) == 1


@pytest.mark.parametrize(
    "job",
    [partial(os._exit, 0), partial(os._exit, 7), partial(signal.raise_signal, signal.SIGABRT)],
    ids=["left", "failed", "crashed"],
)
async def test_a_picture_that_takes_its_decoder_down_is_broken_and_no_other(
    workers: Workers, job: Callable[[], Any]
) -> None:
    before = await done(workers.decoding, os.getpid, LARGE)
    outcomes = await asyncio.gather(
        done(workers.decoding, job, LARGE),
        done(workers.decoding, os.getpid, LARGE),
        return_exceptions=True,
    )
    assert isinstance(outcomes[0], BrokenPicture)
    assert isinstance(outcomes[1], int)
    assert outcomes[1] != before


async def test_a_picture_whose_decoder_the_system_ends_may_come_again(workers: Workers) -> None:
    before = await done(workers.decoding, os.getpid, LARGE)
    with pytest.raises(Overloaded):
        await done(workers.decoding, partial(signal.raise_signal, signal.SIGKILL), LARGE)
    assert await done(workers.decoding, os.getpid, LARGE) != before


async def test_a_picture_that_takes_too_much_of_a_processor_is_broken_and_no_other() -> None:
    async with opened(Workers(1, MEMORY_BYTES, 0.2)) as workers:
        with pytest.raises(BrokenPicture):
            await done(workers.decoding, SPIN, LARGE)
        assert isinstance(await done(workers.decoding, os.getpid, LARGE), int)


async def test_a_picture_that_no_processor_is_left_for_may_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with opened(Workers(1, MEMORY_BYTES, 0.1)) as workers:
        monkeypatch.setattr(decoder, "PATIENCE_S", 0.2)
        with pytest.raises(Overloaded):
            await done(workers.decoding, FOR_EVER, LARGE)
        monkeypatch.undo()
        assert isinstance(await done(workers.decoding, os.getpid, LARGE), int)


async def test_a_picture_that_may_take_long_of_a_processor_may_take_longer_by_the_clock(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder, "PATIENCE_S", 0.2)
    await done(workers.decoding, partial(time.sleep, 0.5), LARGE)


async def test_a_small_picture_gets_a_small_part_of_the_time() -> None:
    async with opened(Workers(1, MEMORY_BYTES, 3600)) as workers:
        with pytest.raises(BrokenPicture):
            async with workers.decoding(LARGE, share=0) as turn:
                await turn.run(SPIN)
        assert isinstance(await done(workers.decoding, os.getpid, LARGE), int)


async def test_a_picture_that_takes_more_memory_than_there_is_is_refused(
    workers: Workers,
) -> None:
    before = await done(workers.decoding, os.getpid, LARGE)
    with pytest.raises(MemoryError):
        await done(workers.decoding, partial(bytes, 2 * MEMORY_BYTES), LARGE)
    assert await done(workers.decoding, os.getpid, LARGE) == before


async def test_a_header_is_read_while_every_decoder_is_busy(workers: Workers, fifo: Path) -> None:
    busy = asyncio.create_task(done(workers.decoding, fifo.read_text, LARGE))
    with await asyncio.to_thread(fifo.open, "w"):
        assert await workers.inspect(partial(pow, 2, 3)) == 8
    assert await busy == ""


async def test_a_decoder_makes_room_for_a_new_one_after_its_share(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_room, "JOBS_BEFORE_RENEWAL", 2)
    numbers = [await done(workers.decoding, os.getpid, LARGE) for _ in range(4)]
    assert numbers[0] == numbers[1] != numbers[2] == numbers[3]


async def test_a_decoder_that_is_taken_down_takes_no_other_with_it(fifo: Path) -> None:
    async with opened(Workers(2, MEMORY_BYTES, 60)) as workers:
        busy = asyncio.create_task(done(workers.decoding, fifo.read_text, LARGE))
        writer = await asyncio.to_thread(fifo.open, "w")
        with pytest.raises(BrokenPicture):
            await done(workers.decoding, partial(os._exit, 7), LARGE)
        with writer:
            writer.write("done")
        assert await busy == "done"


async def test_a_picture_does_not_suffer_for_a_decoder_that_ended_before_it_came(
    workers: Workers,
) -> None:
    lost = await done(workers.decoding, os.getpid, LARGE)
    with watched(lost) as decoder:
        os.kill(lost, signal.SIGKILL)
        assert has_ended(decoder)
    assert await done(workers.decoding, os.getpid, LARGE) != lost


async def test_a_header_that_takes_its_time_keeps_no_other_waiting(
    workers: Workers, fifo: Path
) -> None:
    slow = asyncio.create_task(workers.inspect(fifo.read_text))
    with await asyncio.to_thread(fifo.open, "w"):
        assert await workers.inspect(partial(pow, 2, 3)) == 8
    assert await slow == ""


async def test_a_header_that_takes_too_long_is_broken_and_no_other(workers: Workers) -> None:
    outcomes = await asyncio.gather(
        *(workers.inspect(SPIN) for _ in range(3)), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [BrokenPicture] * 3
    assert await workers.inspect(partial(pow, 2, 3)) == 8


@pytest.mark.parametrize("job", ["Path(sys.argv[1]).read_text", "pow, 3, 3**24, 3**4_000_001"])
def test_decoders_end_with_the_program_however_it_ends(fifo: Path, job: str) -> None:
    command = [sys.executable, "-c", WORK.format(job=job), str(fifo)]
    with ExitStack() as watching, subprocess.Popen(command, stdout=subprocess.PIPE) as program:
        assert program.stdout
        numbers = program.stdout.readline().split()
        family = [watching.enter_context(watched(int(number))) for number in numbers]
        program.kill()
        assert [has_ended(process) for process in family] == [True] * 3


async def test_decoders_end_when_the_workers_close() -> None:
    with ExitStack() as watching:
        async with opened(Workers(1, MEMORY_BYTES, 60)) as workers:
            numbers = [await done(workers.decoding, job, LARGE) for job in (os.getpid, os.getppid)]
            family = [watching.enter_context(watched(number)) for number in numbers]
        assert [has_ended(process, 0) for process in family] == [True] * 2
