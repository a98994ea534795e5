"""What is small and costs much is refused before it costs anything."""

import hashlib
import re
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from asgilook.cache.memory import MemoryCache
from asgilook.codec import HeaderLimits, Ingested, IngestOptions, inspect
from asgilook.errors import PictureTooLarge
from asgilook.intake import Intake
from asgilook.refusals import Refusals
from asgilook.workers import Workers
from tests import pictures
from tests.codec import bombs, boxes
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

    async def price_bytes(self) -> int:
        """Tell what the last one that came was said to cost."""
        return (await self.workers.inspect(partial(inspect, self._file, LIMITS))).cost_bytes

    async def peaks_mb(self) -> list[int]:
        job = partial(Path("/proc/self/status").read_text)
        texts = [await self.workers.inspect(job), await done(self.workers.decoding, job, LARGE)]
        found = [re.search(r"VmHWM:\s+(\d+) kB", text) for text in texts]
        return [int(match[1]) // 1024 for match in found if match]


@pytest.fixture
async def entrance(tmp_path: Path) -> AsyncIterator[Entrance]:
    async with opened(Workers(1, MEMORY_BYTES, 10)) as workers:
        yield Entrance(workers, tmp_path)


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
    entrance: Entrance, kind: str, mode: str, options: dict[str, object]
) -> None:
    picture = pictures.photograph((3000, 2000))
    if mode == "I;16":
        picture = picture.convert("L").convert("I").point(lambda value: value * 257)
    upload = pictures.encode(picture.convert(mode), kind, **options)
    await assert_it_takes_no_more_than_its_price(entrance, upload)


@pytest.mark.parametrize("mode", ["P", "L"])
async def test_a_picture_that_does_not_fill_its_screen_takes_no_more_memory_than_its_price(
    entrance: Entrance, mode: str
) -> None:
    upload = pictures.on_a_screen(pictures.photograph((3000, 2000)).convert(mode), 1)
    await assert_it_takes_no_more_than_its_price(entrance, upload)


@pytest.mark.parametrize("kind", ["WEBP", "AVIF"])
async def test_a_small_picture_in_a_long_file_takes_no_more_memory_than_its_price(
    entrance: Entrance, kind: str
) -> None:
    junk = bytes(30_000_000)
    uploads = {
        "WEBP": bombs.webp_of_chunks(1, junk),
        "AVIF": boxes.avif() + boxes.box(b"free", junk),
    }
    await assert_it_takes_no_more_than_its_price(entrance, uploads[kind])


async def assert_it_takes_no_more_than_its_price(entrance: Entrance, upload: bytes) -> None:
    idle = (await entrance.peaks_mb())[1]
    await entrance.take(upload)
    taken_bytes = ((await entrance.peaks_mb())[1] - idle) * 1024 * 1024
    assert taken_bytes <= await entrance.price_bytes()
