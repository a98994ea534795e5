"""What can fail, and what is promised then."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from tests.faults import kills, s3
from tests.faults.proxy import Fault
from tests.faults.redis_place import RedisPlace, behind_sentinel, clustered
from tests.faults.site import Plan, Site

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


_USUAL = Plan()


@dataclass(frozen=True)
class Promise:
    """What clients may be told meanwhile, beside what is good, and how late."""

    words: str
    also: Mapping[str, frozenset[str]]
    within_s: Mapping[str, float]
    spare_files: int = 12
    """Connections that pools may keep open beside those they had; they are not kept for ever."""
    is_one_slow: bool = False
    """Whether, of requests one after the other, one waits noticeably in each process at most."""


@dataclass(frozen=True)
class Row:
    """A fault."""

    name: str
    happen: Callable[[Site], AbstractContextManager[None]]
    promise: Promise
    plan: Plan = _USUAL
    """What it happens to."""


def _on_s3(fault: Fault) -> Callable[[Site], AbstractContextManager[None]]:
    return lambda site: site.s3.failing(fault)


def _on_redis(
    happen: Callable[[RedisPlace], AbstractContextManager[None]],
) -> Callable[[Site], AbstractContextManager[None]]:
    return lambda site: happen(site.redis)


def _redis_fails(fault: Fault) -> Callable[[Site], AbstractContextManager[None]]:
    return _on_redis(lambda redis: redis.failing(fault))


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
    "nothing fails; of requests one after the other, one is slow in each process at the most",
    {"readyz": frozenset({"degraded"})},
    {**dict.fromkeys(GOOD, 2), **dict.fromkeys(("upload", "delete"), READING_S)},
    is_one_slow=True,
)

_AS_EVER = Promise("nothing is noticed of it", {}, _NO_REDIS.within_s)

_CLIENTS_KILLED = Promise(
    "the others have their answers; of what was half sent nothing is stored, listed or kept",
    # The machine is busy with what came whole: a Redis that is late is left alone for a moment.
    {"readyz": frozenset({"degraded"})},
    dict.fromkeys(GOOD, READING_S + MARGIN_S),
    # To S3, and to Redis for thumbnails and for quotas.
    spare_files=3 * kills.CLIENTS,
)

_KILLED = Promise(
    "only what the killed process was at breaks off, and what comes before the next start",
    # A start takes the whole machine: a Redis that is late is left alone for a moment.
    {**dict.fromkeys(GOOD, frozenset({CUT})), "readyz": frozenset({CUT, "degraded"})},
    dict.fromkeys(GOOD, READING_S + MARGIN_S),
)


_TWO = Plan(workers=2)
_CLUSTER = Plan(redis=clustered)

ROWS = [
    *(Row(f"S3: {each.name}", _on_s3(each.fault), _down(each.status)) for each in s3.FAULTS),
    *(Row(f"S3: {name}", _on_s3(fault), _BROKEN_BODY) for name, fault in s3.BODY_FAULTS.items()),
    Row("Redis: connection refused", _redis_fails(Fault(refuses=True)), _NO_REDIS),
    Row("Redis: no answer", _redis_fails(Fault(stall_after_bytes=0)), _NO_REDIS),
    Row("Redis: killed, replaced by an empty one", _on_redis(RedisPlace.killed), _NO_REDIS),
    Row("Redis: paused and resumed", _on_redis(RedisPlace.paused), _NO_REDIS),
    Row("Redis: full", _on_redis(RedisPlace.full), _NO_REDIS),
    Row("Redis: flushed", _on_redis(RedisPlace.flushed), _NO_REDIS),
    Row("clients: kill -9 in mid-upload", kills.clients_killed, _CLIENTS_KILLED),
    Row(
        "Redis: primary killed, Sentinel fails over",
        _on_redis(RedisPlace.lost),
        _NO_REDIS,
        Plan(redis=behind_sentinel),
    ),
    Row(
        "Redis: a node that has all keys of its cluster",
        lambda _: nullcontext(),
        _AS_EVER,
        _CLUSTER,
    ),
    Row(
        "Redis: two of three parts go to other nodes of its cluster",
        _on_redis(RedisPlace.shared_out),
        _NO_REDIS,
        _CLUSTER,
    ),
    Row(
        "Redis: no answer, to two workers",
        _redis_fails(Fault(stall_after_bytes=0)),
        _NO_REDIS,
        _TWO,
    ),
    Row("one of two workers: kill -9", kills.worker_killed, _KILLED, _TWO),
    Row("the supervisor of two workers: kill -9", kills.supervisor_killed, _KILLED, _TWO),
]
