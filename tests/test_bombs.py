"""What every known bomb costs the processes that open it: little time and little memory."""

import hashlib
import logging
import os
import resource
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from zlib import compress

import pytest
import pytest_asyncio

from asgilook.cache.memory import MemoryCache
from asgilook.codec import HeaderLimits, IngestOptions
from asgilook.errors import BrokenPicture, PictureTooLarge, UploadRefused
from asgilook.image import Size
from asgilook.intake import Intake
from asgilook.refusals import Refusals
from asgilook.workers import Workers
from tests.codec import bombs, boxes
from tests.rooms import done, opened

MB = 1024 * 1024
MEMORY_BYTES = 512 * MB
LIMITS = HeaderLimits(max_pixels=50_000_000, max_cost_bytes=MEMORY_BYTES)
OPTIONS = IngestOptions(LIMITS, 64, 90, 80, (255, 255, 255))

CPU_S, PEAK_MB = 2.0, 512
HEADER_CPU_S = 0.5
"""The next one in line for the reading of its header waits no longer."""

_log = logging.getLogger(__name__)
pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Bomb:
    make: Callable[[], bytes]
    outcome: type[UploadRefused] | tuple[int, int]
    """What it is refused as; or the size that comes of it, where it is within all bounds."""


def bomb(
    outcome: type[UploadRefused] | tuple[int, int], make: Callable[..., bytes], *details: object
) -> Bomb:
    return Bomb(partial(make, *details), outcome)


def png_with(exif: Callable[[int], bytes], count: int) -> bytes:
    return bombs.png_of_exif(exif(count))


def tiff_of_scans(count: int) -> bytes:
    return bombs.tiff_of_strips(6_000, bombs.jpeg_of_scans(count, 6_000), 7, 6_000)


BOMBS = {
    # Pixels: libwebp wants the memory before it tells the size, and does not get it.
    "webp of 177 MP": bomb(BrokenPicture, bombs.webp, 13_300),
    "webp of 36 MP": bomb(PictureTooLarge, bombs.webp, 6_000),
    "webp of 25 MP": bomb((5_000, 5_000), bombs.webp, 5_000),
    "jpeg of 169 MP": bomb(PictureTooLarge, bombs.jpeg, 13_000),
    "jpeg of 4 GP": bomb(PictureTooLarge, bombs.jpeg, 65_535),
    "jpeg of 49 MP without pixels": bomb(PictureTooLarge, bombs.jpeg, 7_000),
    "png of 177 MP": bomb(PictureTooLarge, bombs.png, 13_300),
    "png of 49 MP": bomb((7_000, 7_000), bombs.png_of_nothing, 7_000),
    "gif of 50 MP": bomb((65_000, 769), bombs.gif_of_nothing, 65_000, 769),
    "tiff of 49 MP in one strip": bomb(
        (7_000, 7_000), bombs.tiff_of_strips, 7_000, compress(bytes(49_000_000)), 8, 7_000
    ),
    "tiff of strips that unpack to 99 MB each": bomb(
        (7_000, 7_000), bombs.tiff_of_strips, 7_000, compress(bytes(99_000_000)), 8
    ),
    "tiff of 64x64 in a tile of 400 MP": bomb(BrokenPicture, bombs.tiff_of_a_tile, 64, 20_000),
    "avif of 64x64 that has 96 MP": bomb(
        BrokenPicture, boxes.avif_that_says, (64, 64), (12_000, 8_000)
    ),
    # Scans.
    "jpeg of 20,000 scans": bomb(BrokenPicture, bombs.jpeg_of_scans, 20_000, 6_000),
    "jpeg of 80 scans, 49 MP": bomb(BrokenPicture, bombs.jpeg_of_scans, 80, 7_000),
    "jpeg of 80 scans, 1 MP": bomb((1_000, 1_000), bombs.jpeg_of_scans, 80, 1_000),
    "jpeg of 90 thick scans, 4 MP": bomb(BrokenPicture, bombs.jpeg_of_thick_scans, 2_000),
    "tiff of a jpeg of 20,000 scans": bomb(BrokenPicture, tiff_of_scans, 20_000),
    # Frames.
    "gif of 500 frames": bomb((64, 48), bombs.frames, "GIF", 500),
    "apng of 500 frames": bomb((64, 48), bombs.frames, "PNG", 500),
    "tiff of 500 frames": bomb((64, 48), bombs.frames, "TIFF", 500),
    "webp of 500 frames": bomb((64, 48), bombs.frames, "WEBP", 500),
    "webp of 500,000 frames": bomb(BrokenPicture, bombs.webp_of_frames, 500_000),
    "avif of 100 frames": bomb((64, 48), bombs.frames, "AVIF", 100),
    "avif of 2,147,483,648 frames": bomb(BrokenPicture, boxes.avif_of_samples, 1 << 31),
    # Pieces.
    "png of 1,000,000 chunks": bomb(BrokenPicture, bombs.png_of_chunks, 1_000_000),
    "webp of 1,000,000 chunks": bomb(BrokenPicture, bombs.webp_of_chunks, 1_000_000),
    "gif of 1,000,000 comments": bomb(BrokenPicture, bombs.gif_of_comments, 1_000_000),
    "jpeg of 1,000,000 comments": bomb(BrokenPicture, bombs.jpeg_of_segments, 1_000_000),
    "jpeg of 1,000,000 APP15": bomb(BrokenPicture, bombs.jpeg_of_segments, 1_000_000, 0xEF),
    "jpeg of 1,000,000 comments behind its end": bomb(
        BrokenPicture, bombs.jpeg_of_segments, 1_000_000, 0xFE, b"", b"\xff\xd9"
    ),
    "jpeg of 39 MB of extensions": bomb(
        BrokenPicture, bombs.jpeg_of_segments, 600, 0xF0, bytes(65_000)
    ),
    "jpeg of 39 MB of EXIF": bomb(
        BrokenPicture, bombs.jpeg_of_segments, 600, 0xE1, b"Exif\0\0" + bytes(65_000)
    ),
    "jpeg of 39 MB of profile": bomb(
        (16, 16), bombs.jpeg_of_segments, 600, 0xE2, b"ICC_PROFILE\0\1\1" + bytes(65_000)
    ),
    "jpeg of 20 MB of junk": bomb(BrokenPicture, bombs.jpeg_of_junk, b"\1" * 20 * MB),
    "jpeg of 20 MB of padding": bomb(BrokenPicture, bombs.jpeg_of_junk, b"\xff" * 20 * MB),
    "jpeg of 10,000,000 restarts": bomb((16, 16), bombs.jpeg_of_restarts, 10_000_000),
    "tiff of 7,000,000 strips": bomb(BrokenPicture, bombs.tiff_of_values, 7_000_000),
    "tiff of 65,535 entries": bomb(BrokenPicture, bombs.exif_of_entries, 65_535),
    "tiff in a loop": bomb((16, 16), bombs.tiff_in_a_loop),
    "avif of 1,000,000 boxes": bomb(BrokenPicture, boxes.avif_of_boxes, 1_000_000),
    "avif of 100,000 items": bomb(BrokenPicture, boxes.avif_of_items, 100_000),
    "avif of 100,000 references": bomb(BrokenPicture, boxes.avif_of_references, 100_000),
    "bmp of short runs": bomb(BrokenPicture, bombs.bmp_of_runs, 7_000, 2_700, b"\1\0" * 9 * MB),
    "bmp of runs of nothing": bomb(BrokenPicture, bombs.bmp_of_runs, 9, 9, b"\0\2\0\0" * 9 * MB),
    "bmp of ends of lines": bomb(BrokenPicture, bombs.bmp_of_runs, 65_000, 769, b"\1\0\0\0" * 800),
    # What is packed.
    "png of 99 MB of zTXt": bomb(Size(16, 16), bombs.png_of_text, b"zTXt", 99_000_000),
    "png of 99 MB of iTXt": bomb(Size(16, 16), bombs.png_of_text, b"iTXt", 99_000_000),
    "png of 1,000 zTXt": bomb(Size(16, 16), bombs.png_of_text, b"zTXt", MB, 1_000),
    "png of 1,000 profiles": bomb(BrokenPicture, bombs.png_of_text, b"iCCP", 1_000_000, 1_000),
    "png of 65,535 entries of EXIF": bomb((16, 16), png_with, bombs.exif_of_entries, 65_535),
    "png of 7,000,000 orientations": bomb(
        (16, 16), png_with, bombs.exif_of_orientations, 7_000_000
    ),
    # What is not taken.
    "jpeg without loss": bomb(BrokenPicture, bombs.jpeg, 600, 0xC3),
    "jpeg, arithmetic": bomb(BrokenPicture, bombs.jpeg, 600, 0xC9),
    "jpeg of 12 bits": bomb(BrokenPicture, bombs.jpeg, 600, 0xC1, 12),
}


class Entrance:
    """An intake and the processes behind it, and what they have spent."""

    def __init__(self, workers: Workers, file: Path) -> None:
        self._workers = workers
        self._file = file
        self._intake = Intake(workers, Refusals(MemoryCache(0, 60), "terms"), OPTIONS)

    async def take(self, upload: bytes) -> Size:
        self._file.write_bytes(upload)
        async with self._intake.taken(self._file, hashlib.sha256(upload).digest()) as made:
            return made.size

    async def processes(self) -> list[int]:
        return [
            await self._workers.inspect(os.getpid),
            await done(self._workers.decoding, os.getpid, 1),
        ]

    async def forget_peaks(self) -> None:
        job = partial(Path("/proc/self/clear_refs").write_text, "5")
        await self._workers.inspect(job)
        await done(self._workers.decoding, job, 1)

    async def peak_mb(self) -> int:
        job = partial(Path("/proc/self/status").read_text)
        texts = [await self._workers.inspect(job), await done(self._workers.decoding, job, 1)]
        rows = (row.split() for text in texts for row in text.splitlines())
        return max(int(row[1]) for row in rows if row[0] == "VmHWM:") // 1024

    async def spent_s(self) -> list[float]:
        """Tell what the header's process has spent, and the pixels'."""
        job = partial(resource.getrusage, resource.RUSAGE_SELF)
        used = [await self._workers.inspect(job), await done(self._workers.decoding, job, 1)]
        return [each[0] + each[1] for each in used]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def entrance(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Entrance]:
    async with opened(Workers(1, MEMORY_BYTES, 10)) as workers:
        yield Entrance(workers, tmp_path_factory.mktemp("bombs") / "upload")


@pytest.mark.parametrize("name", BOMBS)
async def test_a_bomb_costs_little_and_takes_nobody_down(entrance: Entrance, name: str) -> None:
    upload = BOMBS[name].make()
    await entrance.forget_peaks()
    before, at_first_s = await entrance.processes(), await entrance.spent_s()
    outcome: object
    try:
        outcome = await entrance.take(upload)
    except UploadRefused as refusal:
        outcome = type(refusal)
    pairs = zip(at_first_s, await entrance.spent_s(), strict=True)
    header_s, pixels_s = (after - first for first, after in pairs)
    peak_mb = await entrance.peak_mb()
    _log.info("%s: %s in %.2f + %.2f s, %s MB", name, outcome, header_s, pixels_s, peak_mb)
    assert outcome == BOMBS[name].outcome
    assert header_s < HEADER_CPU_S
    assert header_s + pixels_s < CPU_S
    assert peak_mb < PEAK_MB
    assert await entrance.processes() == before
