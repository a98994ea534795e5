"""The doctor at Redis: reachable, new enough, near, and what happens when it is full."""

import contextlib
from collections.abc import Iterator

import pytest
from redis import Redis

from asgilook.doctor.redis import judge_eviction, judge_latency, judge_version
from tests import servers
from tests.doctor.reports import report, wrong
from tests.redises import cluster


@contextlib.contextmanager
def full_at(url: str, maxmemory: str, policy: str) -> Iterator[None]:
    """Set what happens when memory is full, for a block."""
    with Redis.from_url(url) as redis:
        redis.config_set("maxmemory", maxmemory)
        redis.config_set("maxmemory-policy", policy)
        try:
            yield
        finally:
            redis.config_set("maxmemory", 0)
            redis.config_set("maxmemory-policy", "noeviction")


@pytest.mark.parametrize("policy", ["volatile-lru", "volatile-lfu", "volatile-ttl"])
def test_a_redis_that_evicts_what_may_go_is_well(redis_url: str, policy: str) -> None:
    with full_at(redis_url, "64mb", policy):
        _, found = report(REDIS_URL=redis_url)
    assert found["redis eviction"] == ("ok", f"maxmemory 67108864, {policy}: ")
    assert {"redis version", "redis latency"} < found.keys()


@pytest.mark.parametrize(
    ("maxmemory", "policy", "told"),
    [
        ("0", "volatile-lru", "all of its machine's memory"),
        ("64mb", "noeviction", "it takes nothing new"),
        ("64mb", "allkeys-lru", "evict what has no lifetime"),
        ("64mb", "allkeys-random", "evict what has no lifetime"),
    ],
)
def test_a_redis_that_fills_up_wrongly_is_told(
    redis_url: str, maxmemory: str, policy: str, told: str
) -> None:
    with full_at(redis_url, maxmemory, policy):
        code, found = report(REDIS_URL=redis_url)
        strict, _ = report("--strict", REDIS_URL=redis_url)
    assert (code, strict) == (0, 1)
    level, words = found["redis eviction"]
    assert (level, told in words, "maxmemory-policy volatile-lru" in words) == ("warn", True, True)


def test_a_redis_that_is_not_there_is_one_failure() -> None:
    url = f"redis://:canary-of-the-password@127.0.0.1:{servers.free_port()}/0"
    code, found = report(REDIS_URL=url)
    assert (code, wrong(found, "redis")) == (1, {"redis reachable"})
    assert "canary" not in str(found)


def test_one_of_several_nodes_of_a_cluster_is_one_failure() -> None:
    with cluster(2) as redis:
        _, alone = report(REDIS_URL=redis.urls[0])
        redis.share_out()
        code, found = report(REDIS_URL=redis.urls[0])
    assert wrong(alone, "redis") == {"redis eviction"}
    assert (code, wrong(found, "redis")) == (1, {"redis keys"})


def test_a_wrong_password_is_told(redis_url: str) -> None:
    code, found = report(REDIS_URL=redis_url.replace("://", "://nobody:canary-of-the-password@"))
    assert (code, wrong(found, "redis")) == (1, {"redis reachable"})
    assert "canary" not in str(found)


@pytest.mark.parametrize(
    ("version", "level"), [("5.0.14", "FAIL"), ("6.0.0", "ok"), ("7.2.4", "ok"), ("10.0.1", "ok")]
)
def test_a_version_that_is_too_old_is_told(redis_url: str, version: str, level: str) -> None:
    with Redis.from_url(redis_url) as redis:
        about = {**redis.info(), "redis_version": version}
    assert judge_version(about).level == level
    assert judge_eviction(about).what == "redis eviction"


@pytest.mark.parametrize(("latency_s", "level"), [(0.0003, "ok"), (0.02, "warn")])
def test_a_redis_that_is_far_away_is_told(latency_s: float, level: str) -> None:
    assert judge_latency(latency_s).level == level
