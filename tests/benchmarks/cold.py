"""Thumbnails that nobody asked for before: whole ladders, and single sizes."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import httpx

from asgilook.image import Format, Size, ladder
from tests.benchmarks import peers, photographs
from tests.benchmarks.bench import Asked, Bench
from tests.benchmarks.load import Load
from tests.benchmarks.peers import Peer
from tests.benchmarks.report import Row, Side, at_least

OURS = "asgilook"
CONNECTIONS = 8
AVIFS = 2
"""How many of those are asked for at once: where there are more than slots, ours redirects."""
RUNGS = ladder(photographs.SIZE, 64)
LADDERS = {"thumbor": at_least(2.5), "sharp": at_least(3), "tutorial": at_least(3.5)}
SINGLE = at_least(1.2)
NO_MEMORY = {"MEMORY_CACHE_BYTES": "0"}


def measure(bench: Bench) -> Iterator[Row | str]:
    """Compare ladders of pictures that are new each time, then sizes with nothing kept."""
    shelf = Shelf.filled(bench, photographs.uploads(), bench.rounds + 1)
    yield f"Beside {', '.join(f'{name} {number}' for name, number in peers.versions().items())}."
    with shelf.served(bench) as everyone:
        for one in everyone:
            _ask(bench, one, shelf.batches[-1], RUNGS, Format.JPEG)
        yield from _ladders(bench, shelf, everyone)
    with shelf.served(bench, NO_MEMORY) as everyone:
        for size in RUNGS:
            yield from _single(bench, shelf, everyone, size, Format.JPEG)
        those = [one for one in everyone if one.name != "tutorial"]
        yield from _single(bench, shelf, those, RUNGS[1], Format.WEBP)
        # sharp and ipx take seconds for an AVIF, by a quality of their own.
        those = [one for one in those if one.name in {OURS, "thumbor"}]
        yield from _single(bench, shelf, those, RUNGS[1], Format.AVIF)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Pictures that lie in asgilook's folder, and as plain files in another: the same bytes."""

    store: Path
    files: Path
    batches: list[list[str]] = field(default_factory=list)
    """Ids of the pictures, which are also the names of the files."""

    @property
    def names(self) -> list[str]:
        """List all pictures."""
        return [name for batch in self.batches for name in batch]

    @classmethod
    def filled(cls, bench: Bench, uploads: list[bytes], copies: int) -> "Shelf":
        """Upload everything so often."""
        shelf = cls(bench.folder(), bench.folder() / "files")
        shelf.files.mkdir()
        settings = {"STORAGE_PATH": str(shelf.store)}
        with bench.service(settings) as service, httpx.Client(base_url=service.url) as client:
            for _ in range(copies):
                shelf.batches.append([shelf.put(client, upload) for upload in uploads])
        return shelf

    def put(self, client: httpx.Client, upload: bytes) -> str:
        """Upload one picture, and lay a file with what became of it beside."""
        answer = client.post("/images", content=upload, headers=photographs.FIELDS, timeout=60)
        image = answer.raise_for_status().json()
        name: str = image["id"]
        (self.files / name).write_bytes(client.get(image["image"]).raise_for_status().content)
        return name

    @contextlib.contextmanager
    def served(self, bench: Bench, settings: dict[str, str] | None = None) -> Iterator[list[Peer]]:
        """Run everyone on these pictures; ours comes first."""
        with contextlib.ExitStack() as stack:
            where = {"STORAGE_PATH": str(self.store), **(settings or {})}
            service = stack.enter_context(bench.service(where))
            template = "/thumbnails/{name}/{size}.{kind}"
            everyone = [Peer(OURS, service.url, service.process.pid, template)]
            everyone += [
                stack.enter_context(peers.serving(name, self.files)) for name in peers.available()
            ]
            yield everyone


def _ask(bench: Bench, one: Peer, names: list[str], sizes: list[Size], kind: Format) -> Load:
    questions = [one.thumbnail(name, size, kind) for name in names for size in sizes]
    return bench.client.ask_all(questions, AVIFS if kind is Format.AVIF else CONNECTIONS)


def _ladders(bench: Bench, shelf: Shelf, everyone: list[Peer]) -> Iterator[Row | str]:
    def side(one: Peer) -> Asked:
        return Asked(
            one.pid, lambda turn: _ask(bench, one, shelf.batches[turn], RUNGS, Format.JPEG)
        )

    loads = bench.loads("cold ladders", {one.name: side(one) for one in everyone})
    ours = loads.pop(OURS)
    for name, theirs in loads.items():
        sides = [Side.of(load, len(RUNGS)) for load in (ours, theirs)]
        yield Row("cold ladder", "/s", sides[0], name, sides[1], LADDERS.get(name))
    yield f"A ladder's bytes: {_kilobytes({OURS: ours, **loads}, len(RUNGS))}."


def _single(
    bench: Bench, shelf: Shelf, everyone: list[Peer], size: Size, kind: Format
) -> Iterator[Row | str]:
    """Ask all for one size of many pictures; the target is for the fastest of the others."""

    def side(one: Peer) -> Asked:
        names = shelf.names[: 4 if kind is Format.AVIF else 16]
        return Asked(one.pid, lambda _: _ask(bench, one, names, [size], kind))

    what = f"cold {kind} {size}"
    loads = bench.loads(what, {one.name: side(one) for one in everyone})
    note = f"Bytes of {kind} {size}: {_kilobytes(loads)}."
    ours = Side.of(loads.pop(OURS))
    sides = {name: Side.of(theirs) for name, theirs in loads.items()}
    best = max(sides, key=lambda name: median(sides[name].values))
    for name, theirs in sides.items():
        target = SINGLE if name == best and kind is Format.JPEG else None
        yield Row(what, "/s", ours, name, theirs, target)
    yield note


def _kilobytes(loads: dict[str, list[Load]], answers_each: int = 1) -> str:
    sizes = {
        name: answers_each * sum(load.body_bytes for load in those) / sum(x.answers for x in those)
        for name, those in loads.items()
    }
    return ", ".join(f"{name} {size / 1000:.1f} KB" for name, size in sizes.items())
