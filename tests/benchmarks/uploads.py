"""Uploads through the front door, beside what Pillow alone takes for the same pictures.

The bare loop does with Pillow what every upload needs, in as many processes as there are
processors: decode, encode, and make the ladder of what was encoded.
"""

import io
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context

from PIL import Image

from asgilook.image import Size, ladder
from tests.benchmarks import photographs
from tests.benchmarks.bench import Asked, Bench
from tests.benchmarks.load import Load, Question
from tests.benchmarks.report import Row, Side, at_least

CONNECTIONS = 4
AT_ONCE = os.cpu_count() or 1
TARGETS = {"JPEG": at_least(0.87)}
KINDS: dict[str, dict[str, int]] = {
    "JPEG": {"quality": 92},
    "PNG": {"compress_level": 3},
    "WEBP": {"quality": 90},
}


def measure(bench: Bench) -> Iterator[Row | str]:
    """Compare formats one by one."""
    context = get_context("spawn")
    with bench.service({}) as service, ProcessPoolExecutor(AT_ONCE, context) as pool:
        for kind, options in KINDS.items():
            bodies = [photographs.converted(body, kind, options) for body in photographs.uploads()]
            fields = {"content-type": f"image/{kind.lower()}"}
            asked = [Question(f"{service.url}/images", fields, 201, body) for body in bodies]
            ask = partial(bench.client.ask_all, asked, CONNECTIONS)
            sides: dict[str, Callable[[int], Load]] = {
                "ours": Asked(service.process.pid, _ignoring_round(ask)).costed,
                "bare": _ignoring_round(partial(_bare, pool, bodies)),
            }
            _bare(pool, bodies)
            loads = bench.turns(f"uploads of {kind}", sides)
            ours, theirs = Side.of(loads["ours"]), replace(Side.of(loads["bare"]), waits_ms=None)
            yield Row(f"upload of {kind}", "/s", ours, "bare Pillow", theirs, TARGETS.get(kind))


def _ignoring_round(run: Callable[[], Load]) -> Callable[[int], Load]:
    return lambda _: run()


def _bare(pool: Executor, bodies: Sequence[bytes]) -> Load:
    start_s = time.perf_counter()
    spent_s = sum(pool.map(convert, bodies))
    return Load(len(bodies), time.perf_counter() - start_s, 0, 0, 0, spent_s)


def convert(upload: bytes) -> float:
    """Do what an upload needs, with Pillow alone; give the processor's time that it took."""
    before_s = time.process_time()
    with Image.open(io.BytesIO(upload)) as picture:
        jpeg = photographs.encoded(picture.convert("RGB"), "JPEG", quality=90)
    with Image.open(io.BytesIO(jpeg)) as stage:
        rungs = ladder(Size(*stage.size), 64)
        stage.draft(None, rungs[0])
        stage.load()
        half: Image.Image = stage
        for rung in rungs:
            half = half if half.size == rung else half.reduce(2)
            photographs.encoded(half, "JPEG", quality=80)
    return time.process_time() - before_s
