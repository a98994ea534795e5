"""Thumbnail hits a second, against a bare Falcon resource that answers the same bytes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests import servers
from tests.benchmarks import bare, pictures
from tests.benchmarks.bench import Bench
from tests.benchmarks.load import Question
from tests.benchmarks.report import Bound, Row, Target

CONNECTIONS = 16
SIZE = "320x200"


def measure(bench: Bench) -> Iterator[Row]:
    """Compare hits in Redis and in memory, and those in memory that need no body."""
    with servers.valkey() as redis_url:
        only_redis = {"REDIS_URL": redis_url, "MEMORY_CACHE_BYTES": "0"}
        with _thumbnail(bench, only_redis) as thumbnail:
            yield _hits(bench, thumbnail, "hits in Redis", 0.6)
        with _thumbnail(bench, {"REDIS_URL": redis_url}) as thumbnail:
            yield _hits(bench, thumbnail, "hits in memory", 0.85)
            yield _unmodified(bench, thumbnail)


@dataclass(frozen=True, slots=True)
class _Thumbnail:
    """One that a running service has in its cache."""

    url: str
    etag: str
    path: Path
    """A file with the same bytes."""


def _hits(bench: Bench, thumbnail: _Thumbnail, what: str, least: float) -> Row:
    with bare.serving(thumbnail.path) as url:
        asked, answered = Question(thumbnail.url), Question(url + bare.SAME)
        ours, theirs = bench.rates(what, asked, answered, CONNECTIONS)
    return Row(f"{what}; bare Falcon", "/s", ours, theirs, Target(Bound.AT_LEAST, least))


def _unmodified(bench: Bench, thumbnail: _Thumbnail) -> Row:
    what = "304 from memory"
    with bare.serving(thumbnail.path) as url:
        asked = Question(thumbnail.url, {"if-none-match": thumbnail.etag}, status=304)
        answered = Question(url + bare.UNMODIFIED, status=304)
        ours, theirs = bench.rates(what, asked, answered, CONNECTIONS)
    return Row(f"{what}; bare Falcon", "/s", ours, theirs)


@contextmanager
def _thumbnail(bench: Bench, settings: dict[str, str]) -> Iterator[_Thumbnail]:
    """Run a service, upload a picture, and see that its thumbnail comes from the cache."""
    with bench.service(settings) as service, httpx.Client(base_url=service.url) as client:
        uploaded = client.post("/images", content=pictures.photograph(), headers=pictures.FIELDS)
        paths = uploaded.raise_for_status().json()["thumbnails"]
        url = next(path for path in paths if SIZE in path)
        answer = client.get(url).raise_for_status()
        if answer.headers["x-asgilook-cache"] != "Hit":
            raise RuntimeError("the thumbnail is not in the cache")
        path = bench.folder() / "thumbnail.jpeg"
        path.write_bytes(answer.content)
        yield _Thumbnail(service.url + url, answer.headers["etag"], path)
