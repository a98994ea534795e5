"""The time of a page of the listing, out of many images and out of few."""

import asyncio
import os
from collections.abc import Iterator, Mapping

from asgilook.app import make_store
from asgilook.config import Settings
from asgilook.ids import uuid7
from asgilook.image import Image
from asgilook.store import Store
from tests import servers
from tests.benchmarks import pictures
from tests.benchmarks.bench import Bench, progress
from tests.benchmarks.load import Question
from tests.benchmarks.report import Bound, Row, Target

PAGE = 100
MANY = 10_000
PUTS_AT_ONCE = 32
BUCKET = "pages"

Place = Mapping[str, str]
"""The settings of a store."""


def measure(bench: Bench) -> Iterator[Row]:
    """Compare on SeaweedFS, and in a folder."""
    with servers.seaweedfs(bench.folder()) as url:
        servers.make_bucket(url, BUCKET)
        bucket = {"S3_BUCKET": BUCKET, "S3_ENDPOINT_URL": url}
        many, few = ({**bucket, "S3_PREFIX": f"{name}/"} for name in ("many", "few"))
        yield _compare(bench, "on SeaweedFS", many, few, Target(Bound.AT_MOST, 2))
    many, few = ({"STORAGE_PATH": str(bench.folder())} for _ in range(2))
    yield _compare(bench, "in a folder", many, few)


def _compare(
    bench: Bench, where: str, many: Place, few: Place, target: Target | None = None
) -> Row:
    asyncio.run(_fill(many, MANY, f"{MANY:,} records {where}"))
    asyncio.run(_fill(few, PAGE, f"{PAGE} records {where}"))
    what = f"page of {PAGE} {where}"
    with bench.service(many) as ours, bench.service(few) as theirs:
        rates = bench.rates(what, _page(ours), _page(theirs), connections=1)
    ours_ms, theirs_ms = ([1000 / rate for rate in side] for side in rates)
    return Row(f"{what}, out of {MANY:,}; out of {PAGE}", "ms", ours_ms, theirs_ms, target)


def _page(service: servers.Service) -> Question:
    return Question(f"{service.url}/images?limit={PAGE}")


async def _fill(place: Place, count: int, what: str) -> None:
    """Put records into the listing; what they speak of need not be there."""
    names = {name.lower(): value for name, value in place.items()}
    store = make_store(Settings.model_validate(names))
    await store.open_up()
    try:
        with progress(range(count), what) as bar:
            turns = iter(bar)
            await asyncio.gather(*(_put_records(store, turns) for _ in range(PUTS_AT_ONCE)))
    finally:
        await store.close()


async def _put_records(store: Store, turns: Iterator[int]) -> None:
    for _ in turns:
        image = Image(uuid7(), pictures.SIZE, 1_000_000, os.urandom(25))
        await store.put(image.index_key, b"", content_type="text/plain", metadata={})
