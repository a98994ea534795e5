"""What can fail, and what is promised then."""

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from tests.faults import s3
from tests.faults.proxy import Fault
from tests.faults.site import Site

GOOD: Mapping[str, frozenset[str]] = {
    "hit": frozenset({"200"}),
    "304": frozenset({"304"}),
    "miss": frozenset({"200"}),
    "original": frozenset({"200"}),
    "list": frozenset({"200"}),
    "upload": frozenset({"201"}),
    "delete": frozenset({"204"}),
    "readyz": frozenset({"ok"}),
}
"""What each kind of request is answered with when all is well."""

READING_S, WRITING_S, MARGIN_S = 3, 9, 1
"""S3 has so long, by the default of STORE_TIMEOUT, and three times that for a put."""
CUT = "cut"
"""What a client saw whose answer, or connection, broke off."""


@dataclass(frozen=True)
class Promise:
    """What clients may be told meanwhile, beside what is good, and how late."""

    words: str
    also: Mapping[str, frozenset[str]]
    within_s: Mapping[str, float]


@dataclass(frozen=True)
class Row:
    """A fault."""

    name: str
    happen: Callable[[Site], AbstractContextManager[None]]
    promise: Promise
    arguments: tuple[str, ...] = ()
    """How the service is started for it."""


def _on_s3(fault: Fault) -> Callable[[Site], AbstractContextManager[None]]:
    return lambda site: site.s3.failing(fault)


def _on_redis(fault: Fault) -> Callable[[Site], AbstractContextManager[None]]:
    return lambda site: site.redis.failing(fault)


_LIMITS_S: Mapping[str, float] = {
    **dict.fromkeys(("miss", "original", "list", "readyz"), READING_S + MARGIN_S),
    **dict.fromkeys(("upload", "delete"), WRITING_S + MARGIN_S),
    **dict.fromkeys(("hit", "304"), MARGIN_S),
}


def _down(status: int) -> Promise:
    told = frozenset({str(status)})
    needy = dict.fromkeys(("miss", "original", "list", "upload", "delete"), told)
    words = f"hits untouched; the rest {status} with Retry-After, within 3 s, writing within 9 s"
    return Promise(words, {**needy, "readyz": frozenset({"unwell"})}, _LIMITS_S)


_BROKEN_BODY = Promise(
    "hits untouched; no broken picture is ever whole; 3 s to begin, 3 s to go on",
    {
        "original": frozenset({CUT, "502", "503", "504"}),
        "miss": frozenset({"502", "503", "504"}),
    },
    {**_LIMITS_S, **dict.fromkeys(("original", "miss"), 2 * READING_S + MARGIN_S)},
)

_NO_REDIS = Promise(
    "nothing fails, nobody waits long",
    {"readyz": frozenset({"degraded"})},
    {**dict.fromkeys(GOOD, 2), **dict.fromkeys(("upload", "delete"), READING_S)},
)

_KILLED = Promise(
    "only what the killed process was at breaks off",
    dict.fromkeys(GOOD, frozenset({CUT})),
    dict.fromkeys(GOOD, READING_S + MARGIN_S),
)


@contextmanager
def _worker_killed(site: Site) -> Iterator[None]:
    os.kill(site.workers()[-1], signal.SIGKILL)
    yield


ROWS = [
    *(Row(f"S3: {each.name}", _on_s3(each.fault), _down(each.status)) for each in s3.FAULTS),
    *(Row(f"S3: {name}", _on_s3(fault), _BROKEN_BODY) for name, fault in s3.BODY_FAULTS.items()),
    Row("Redis: connection refused", _on_redis(Fault(refuses=True)), _NO_REDIS),
    Row("Redis: no answer", _on_redis(Fault(stall_after_bytes=0)), _NO_REDIS),
    Row("Redis: killed, replaced by an empty one", Site.redis_killed, _NO_REDIS),
    Row("Redis: paused and resumed", Site.redis_paused, _NO_REDIS),
    Row("Redis: full", Site.redis_full, _NO_REDIS),
    Row("Redis: flushed", Site.redis_flushed, _NO_REDIS),
    Row("one of two workers: kill -9", _worker_killed, _KILLED, ("--workers", "2")),
]
