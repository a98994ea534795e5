"""The time of a page of the listing, out of many images and out of few."""

import asyncio
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from asgilook.ids import uuid7
from asgilook.image import Image
from asgilook.store.files import FileStore
from asgilook.store.tree import Tree
from tests import servers
from tests.benchmarks import photographs
from tests.benchmarks.bench import Asked, Bench
from tests.benchmarks.load import Load, Question
from tests.benchmarks.report import Row, Side, at_most

PAGE = 100
LOOKS = 20
COUNTS = (10_000, 100_000)
PACE_MS = 1000
"""Between one image and the next; ids have a time, by which they lie in a folder's folders."""
PUTS_AT_ONCE = 64
TARGETS = {100_000: at_most(1.5)}

Place = Mapping[str, str]
"""The settings of a store."""


def measure(bench: Bench) -> Iterator[Row | str]:
    """Compare on SeaweedFS, and in a folder."""
    with bench.bucket() as bucket:
        places: dict[int, Place] = {}
        for count in (PAGE, *COUNTS):
            places[count] = {**bucket, "S3_PREFIX": f"of-{count}/"}
            _fill_bucket(bench, bucket, places[count]["S3_PREFIX"], count)
        yield from _compare(bench, "on SeaweedFS", places)
    folders = {count: bench.folder() for count in (PAGE, *COUNTS)}
    for count, folder in folders.items():
        asyncio.run(_fill_folder(folder, count))
    places = {count: {"STORAGE_PATH": str(folder)} for count, folder in folders.items()}
    yield from _compare(bench, "in a folder", places)


def _compare(bench: Bench, where: str, places: Mapping[int, Place]) -> Iterator[Row]:
    for count in COUNTS:
        what = f"page of {PAGE} {where}, among {count:,}"
        with bench.service(places[count]) as many, bench.service(places[PAGE]) as few:
            loads = bench.loads(what, {"many": _asked(bench, many), "few": _asked(bench, few)})
        ours, theirs = _times(loads["many"]), _times(loads["few"])
        yield Row(what, "ms", ours, f"among {PAGE}", theirs, TARGETS.get(count))


def _times(loads: list[Load]) -> Side:
    return replace(Side.of(loads), values=[1000 / load.rate for load in loads])


def _asked(bench: Bench, service: servers.Service) -> Asked:
    pages = [Question(f"{service.url}/images?limit={PAGE}")] * LOOKS
    bench.client.ask_all(pages, 1)
    return Asked(service.process.pid, lambda _: bench.client.ask_all(pages, 1))


def _fill_bucket(bench: Bench, bucket: Place, prefix: str, count: int) -> None:
    """Put records into the listing; what they speak of need not be there."""
    root = f"{bucket['S3_ENDPOINT_URL']}/{bucket['S3_BUCKET']}/{prefix}"
    puts = [
        Question(_presigned(root + image.index_key), body=b"", method="PUT")
        for image in _records(count)
    ]
    bench.client.ask_all(puts, PUTS_AT_ONCE)


def _presigned(url: str) -> str:
    request = AWSRequest("PUT", url)
    credentials = Credentials(servers.ACCESS_KEY, servers.SECRET_KEY)
    S3SigV4QueryAuth(credentials, "s3", "us-east-1", expires=3600).add_auth(request)
    return str(request.url)


async def _fill_folder(folder: Path, count: int) -> None:
    """Put one record into the listing; the others' files are copies of its, for all are empty."""
    first, *others = _records(count)
    await FileStore(folder).put(first.index_key, b"", content_type="text/plain", metadata={})
    tree = Tree(folder)
    file = tree.path(first.index_key).read_bytes()
    for path in (tree.path(image.index_key) for image in others):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file)


def _records(count: int) -> Iterator[Image]:
    for number in range(count):
        image_id = UUID(int=uuid7().int - (number * PACE_MS << 80))
        yield Image(image_id, photographs.SIZE, 1_000_000, os.urandom(25))
