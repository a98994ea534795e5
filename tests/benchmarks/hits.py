"""Thumbnail hits a second, against a bare Falcon resource that answers the same bytes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from tests import servers
from tests.benchmarks import bare, peers, photographs
from tests.benchmarks.bench import Bench
from tests.benchmarks.load import Question
from tests.benchmarks.peers import Peer
from tests.benchmarks.report import Row, Side, Target, at_least

CONNECTIONS = 16
SIZE = "320x200"


def measure(bench: Bench) -> Iterator[Row | str]:
    """Compare hits in memory and in Redis, those that need no body, and the first after birth."""
    with servers.valkey() as redis_url:
        with _Seen.on(bench, {"REDIS_URL": redis_url}) as seen:
            yield _first_views(seen)
            yield from _compare(bench, seen, "hits in memory", at_least(0.9))
            yield from _unmodified(bench, seen)
        with _Seen.on(bench, {"REDIS_URL": redis_url, "MEMORY_CACHE_BYTES": "0"}) as seen:
            yield from _compare(bench, seen, "hits in Redis", at_least(0.65))
            yield from _tutorial(bench, seen, redis_url)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A running service, and a thumbnail that it has in its cache."""

    service: servers.Service
    url: str
    etag: str
    body: bytes
    first_hits: list[bool]
    """Whether the first look at each of the image's JPEG thumbnails was a hit."""

    @classmethod
    @contextmanager
    def on(cls, bench: Bench, settings: Mapping[str, str]) -> Iterator["_Seen"]:
        with bench.service(settings) as service, httpx.Client(base_url=service.url) as client:
            upload = photographs.uploads()[0]
            uploaded = client.post("/images", content=upload, headers=photographs.FIELDS)
            paths = uploaded.raise_for_status().json()["thumbnails"]
            answers = [client.get(path).raise_for_status() for path in paths]
            hits = [answer.headers["x-asgilook-cache"] == "Hit" for answer in answers]
            answer = next(answer for answer in answers if SIZE in str(answer.url))
            url = str(answer.url)
            yield cls(service, url, answer.headers["etag"], answer.content, hits)


def _first_views(seen: _Seen) -> Row:
    hits = Side([float(sum(seen.first_hits))])
    everything = Side([float(len(seen.first_hits))])
    return Row("hits among first views of JPEGs", "", hits, "all", everything, at_least(1))


def _compare(bench: Bench, seen: _Seen, what: str, target: Target) -> Iterator[Row]:
    with _bare(bench, seen) as other:
        yield _row(bench, what, (seen, Question(seen.url)), other, target)


def _unmodified(bench: Bench, seen: _Seen) -> Iterator[Row]:
    asked = Question(seen.url, {"if-none-match": seen.etag}, status=304)
    with _bare(bench, seen) as other:
        # The target names the resource that answers the bytes.
        yield _row(bench, "304 from memory", (seen, asked), other, at_least(0.9))
        nothing = Peer("bare 304", other.url, other.pid, bare.UNMODIFIED)
        yield _row(bench, "304 from memory", (seen, asked), nothing, None)


def _tutorial(bench: Bench, seen: _Seen, redis_url: str) -> Iterator[Row]:
    folder = bench.folder() / "files"
    folder.mkdir()
    (folder / "picture").write_bytes(photographs.uploads()[0])
    with peers.serving("tutorial", folder, redis_url) as other:
        at = Peer("tutorial", other.url, other.pid, f"/thumbnails/picture/{SIZE}.jpeg")
        yield _row(bench, "hits in Redis", (seen, Question(seen.url)), at, None)


def _row(
    bench: Bench, what: str, ours: tuple[_Seen, Question], other: Peer, target: Target | None
) -> Row:
    seen, question = ours
    status = 304 if other.template == bare.UNMODIFIED else 200
    theirs = Question(other.url + other.template, status=status)
    questions = {"ours": (seen.service.process.pid, question), "theirs": (other.pid, theirs)}
    loads = bench.asking(what, questions, CONNECTIONS)
    return Row(what, "/s", Side.of(loads["ours"]), other.name, Side.of(loads["theirs"]), target)


@contextmanager
def _bare(bench: Bench, seen: _Seen) -> Iterator[Peer]:
    path = bench.folder() / "thumbnail.jpeg"
    path.write_bytes(seen.body)
    with bare.serving(path) as peer:
        yield peer
