"""Where decoders come from, what they share, and what they must not."""

import asyncio
import os
import platform
import resource
import signal
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from asgilook.codec import MEDIA_TYPES, HeaderLimits, IngestOptions, ingest
from asgilook.errors import BrokenPicture
from asgilook.workers import INSPECTORS, Workers
from tests import pictures
from tests.patience import eventually
from tests.processes import has_ended, watched
from tests.rooms import done, opened

MEMORY_BYTES = 256 * 1024 * 1024
LARGE = MEMORY_BYTES // 2
OPTIONS = IngestOptions(HeaderLimits(1_000_000, MEMORY_BYTES), 64, 90, 80, (255, 255, 255))

MODULES = partial(eval, "sorted(__import__('sys').modules)")
FORBIDDEN = {"asgilook.config", "asyncio", "botocore", "http", "pydantic", "ssl"}
"""What has secrets, or talks to others."""


FREED_BYTES = 20_000_000
SPIN = partial(pow, 3, 3**24, 3**4_000_001)
"""Work for minutes, within a single call of the interpreter."""
FREE = partial(exec, f"for _ in range(3): bytearray({FREED_BYTES})")
"""The first time the memory goes back at once; then the allocator has learned to keep it."""


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    """Give two slots."""
    async with opened(Workers(2, MEMORY_BYTES, 60)) as made:
        yield made


async def test_a_decoder_has_imported_the_codec_and_nothing_else(workers: Workers) -> None:
    modules = set(await done(workers.decoding, MODULES, LARGE))
    assert "asgilook.codec" in modules
    assert not modules & FORBIDDEN
    rooms = {name.split(".")[1] for name in modules if name.startswith("asgilook.")}
    values = {"errors", "ids", "image", "variant"}
    assert rooms == {"allocator", "codec", "reports", "timing", *values}


@pytest.mark.parametrize("kind", MEDIA_TYPES)
async def test_a_decoder_opens_no_readers_but_those_of_what_is_taken(
    workers: Workers, tmp_path: Path, kind: str
) -> None:
    upload = tmp_path / "upload"
    upload.write_bytes(pictures.upload((64, 48), kind))
    await done(workers.decoding, partial(ingest, upload, OPTIONS), MEMORY_BYTES)
    modules = await done(workers.decoding, MODULES, MEMORY_BYTES)
    assert "PIL.WebPImagePlugin" in modules
    assert "PIL.EpsImagePlugin" not in modules


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="others keep nothing")
async def test_a_decoder_that_has_nothing_to_do_keeps_no_memory(workers: Workers) -> None:
    decoder = await done(workers.decoding, os.getpid, LARGE)
    before = _resident_bytes(decoder)
    await done(workers.decoding, FREE, LARGE)

    async def has_given_back() -> bool:
        return _resident_bytes(decoder) < before + FREED_BYTES // 2

    await eventually(has_given_back)


async def test_a_fork_server_that_is_gone_is_replaced(workers: Workers) -> None:
    lost = await done(workers.decoding, os.getppid, LARGE)
    await _kill(lost)
    for _ in range(INSPECTORS):
        await _kill(await workers.inspect(os.getpid))
    assert await workers.inspect(os.getppid) != lost


async def test_a_fork_server_that_ends_takes_no_picture_with_it(
    workers: Workers, fifo: Path
) -> None:
    busy = asyncio.create_task(done(workers.decoding, fifo.read_text, LARGE))
    with await asyncio.to_thread(fifo.open, "w") as writer:
        await _kill(await done(workers.decoding, os.getppid, LARGE))
        writer.write("done")
    assert await busy == "done"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_polite_signal_to_all_processes_takes_no_picture_with_it(
    workers: Workers, fifo: Path, number: signal.Signals
) -> None:
    busy = asyncio.create_task(done(workers.decoding, fifo.read_text, LARGE))
    with await asyncio.to_thread(fifo.open, "w") as writer:
        server = await done(workers.decoding, os.getppid, LARGE)
        for process in (*_children(server), server):
            os.kill(process, number)
        writer.write("done")
    assert await busy == "done"
    assert await done(workers.decoding, os.getppid, LARGE) == server


@pytest.mark.parametrize("number", [signal.SIGPROF, signal.SIGCHLD])
async def test_decoders_are_ended_whatever_signals_the_service_ignores(
    number: signal.Signals,
) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        async with opened(Workers(1, MEMORY_BYTES, 0.2)) as workers:
            server = await done(workers.decoding, os.getppid, LARGE)
            with pytest.raises(BrokenPicture):
                await done(workers.decoding, SPIN, LARGE)
            assert await done(workers.decoding, os.getppid, LARGE) == server
    finally:
        signal.signal(number, before)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_no_process_has_the_pipe_of_another(workers: Workers) -> None:
    jobs = [workers.inspect(os.getpid) for _ in range(INSPECTORS)]
    jobs += [done(workers.decoding, os.getpid, LARGE) for _ in range(2)]
    numbers = [await workers.inspect(os.getppid), *await asyncio.gather(*jobs)]
    descriptors = [_descriptors(number) for number in numbers]
    assert [sorted(each) for each in descriptors] == [["0", "1", "2"]] * 5
    assert len({each["0"] for each in descriptors}) == 5


def _children(number: int) -> list[int]:
    return [
        int(word) for word in Path(f"/proc/{number}/task/{number}/children").read_text().split()
    ]


def _descriptors(number: int) -> dict[str, str]:
    return {path.name: path.readlink().name for path in Path(f"/proc/{number}/fd").iterdir()}


def _resident_bytes(number: int) -> int:
    pages = int(Path(f"/proc/{number}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


async def _kill(number: int) -> None:
    with watched(number) as process:
        os.kill(number, signal.SIGKILL)
        assert await asyncio.to_thread(has_ended, process)
