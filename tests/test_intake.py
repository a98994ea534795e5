"""What is small and costs much is refused before it costs anything."""

import hashlib
import os
import re
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from asgilook.cache.memory import MemoryCache
from asgilook.codec import HeaderLimits, Ingested, IngestOptions, inspect
from asgilook.errors import BrokenPicture, PictureTooLarge, UnsupportedType, UploadRefused
from asgilook.intake import Intake
from asgilook.refusals import Refusals
from asgilook.workers import Workers
from tests import pictures
from tests.codec import bombs
from tests.rooms import done, opened

MEMORY_BYTES = 512 * 1024 * 1024
LARGE = MEMORY_BYTES // 2
"""What a job costs for which there is one decoder."""
LIMITS = HeaderLimits(max_pixels=50_000_000, max_cost_bytes=MEMORY_BYTES)
OPTIONS = IngestOptions(LIMITS, 64, 90, 80, (255, 255, 255))


class Entrance:
    """An intake, and the processes behind it."""

    def __init__(self, workers: Workers, folder: Path) -> None:
        self.workers = workers
        self._intake = Intake(workers, Refusals(MemoryCache(1_000_000, 60), "terms"), OPTIONS)
        self._file = folder / "upload"

    async def take(self, upload: bytes) -> Ingested:
        self._file.write_bytes(upload)
        async with self._intake.taken(self._file, hashlib.sha256(upload).digest()) as made:
            return made

    async def processes(self) -> tuple[int, int]:
        inspector = await self.workers.inspect(os.getpid)
        return inspector, await done(self.workers.decoding, os.getpid, LARGE)

    async def peaks_mb(self) -> list[int]:
        job = partial(Path("/proc/self/status").read_text)
        texts = [await self.workers.inspect(job), await done(self.workers.decoding, job, LARGE)]
        found = [re.search(r"VmHWM:\s+(\d+) kB", text) for text in texts]
        return [int(match[1]) // 1024 for match in found if match]


@pytest.fixture
async def entrance(tmp_path: Path) -> AsyncIterator[Entrance]:
    async with opened(Workers(1, MEMORY_BYTES, 10)) as workers:
        yield Entrance(workers, tmp_path)


@pytest.mark.parametrize(
    ("bomb", "refusal"),
    [
        # libwebp wants the memory before it tells the size, and does not get it.
        (bombs.webp(13_300), BrokenPicture),
        (bombs.webp(9_400), BrokenPicture),
        (bombs.webp(6_000), PictureTooLarge),
        (bombs.jpeg(13_000), PictureTooLarge),
        (bombs.jpeg(9_400, marker=0xC0), PictureTooLarge),
        (bombs.jpeg(65_535), PictureTooLarge),
        (bombs.png(13_300), PictureTooLarge),
        (bombs.png(100_000), PictureTooLarge),
        (bombs.jpeg_of_scans(2_000), BrokenPicture),
        (bombs.png_of_chunks(100_000), BrokenPicture),
        (b"qoif" + bytes(10), UnsupportedType),
        (b"SIMPLE  =                    T" + bytes(2850), UnsupportedType),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", UnsupportedType),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", UnsupportedType),
    ],
)
async def test_a_bomb_is_refused_and_takes_nobody_down(
    entrance: Entrance, bomb: bytes, refusal: type[UploadRefused]
) -> None:
    before = await entrance.processes()
    with pytest.raises(refusal):
        await entrance.take(bomb)
    assert await entrance.processes() == before
    assert max(await entrance.peaks_mb()) < 64


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "PNG"])
async def test_of_many_frames_only_the_first_costs_anything(entrance: Entrance, kind: str) -> None:
    made = await entrance.take(bombs.frames(kind, 400))
    assert made.size == (64, 48)
    assert max(await entrance.peaks_mb()) < 64


async def test_what_was_refused_is_refused_again_without_a_look(
    entrance: Entrance, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PictureTooLarge):
        await entrance.take(bombs.webp(6_000))
    monkeypatch.delattr(Workers, "inspect")
    with pytest.raises(PictureTooLarge):
        await entrance.take(bombs.webp(6_000))


async def test_a_refusal_is_remembered_for_that_upload_alone(entrance: Entrance) -> None:
    with pytest.raises(PictureTooLarge):
        await entrance.take(bombs.webp(6_000))
    assert (await entrance.take(pictures.upload((64, 48)))).size == (64, 48)


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [
        ("JPEG", "RGB", {"quality": 90}),
        ("JPEG", "RGB", {"quality": 95, "subsampling": 0, "progressive": True}),
        ("JPEG", "CMYK", {}),
        ("PNG", "RGB", {"compress_level": 1}),
        ("PNG", "RGBA", {"compress_level": 1}),
        ("PNG", "P", {"compress_level": 1}),
        ("PNG", "I;16", {"compress_level": 1}),
        ("GIF", "P", {}),
        ("WEBP", "RGB", {"method": 0}),
        ("WEBP", "RGBA", {"method": 0}),
        ("AVIF", "RGB", {"speed": 10}),
        ("AVIF", "RGBA", {"speed": 10}),
        ("TIFF", "RGB", {}),
        ("TIFF", "RGBA", {"compression": "tiff_lzw"}),
        ("BMP", "RGB", {}),
    ],
)
async def test_a_picture_takes_no_more_memory_than_its_price(
    entrance: Entrance, tmp_path: Path, kind: str, mode: str, options: dict[str, object]
) -> None:
    picture = pictures.photograph((3000, 2000))
    if mode == "I;16":
        picture = picture.convert("L").convert("I").point(lambda value: value * 257)
    path = tmp_path / "picture"
    picture.convert(mode).save(path, kind, **options)
    idle = (await entrance.peaks_mb())[1]
    await entrance.take(path.read_bytes())
    header = await entrance.workers.inspect(partial(inspect, path, LIMITS))
    assert ((await entrance.peaks_mb())[1] - idle) * 1024 * 1024 <= header.cost_bytes
