"""Meters, and what a ledger makes of them."""

import subprocess
import sys
from pathlib import Path

from asgilook.metrics import Kind, Ledger, Metric, open_meter
from asgilook.metrics.catalogue import (
    CACHE_ERRORS,
    HTTP_REQUESTS,
    QUEUE_SECONDS,
    WORKER_RSS,
    WORKERS,
)
from asgilook.metrics.meter import NUMBERS

COUNT_AND_DIE = """
import os, signal, sys
from pathlib import Path
from asgilook.metrics import open_meter
from asgilook.metrics.catalogue import CACHE_ERRORS, WORKER_RSS
meter = open_meter(Path(sys.argv[1]))
meter.count(CACHE_ERRORS, "get", by=5)
meter.set(WORKER_RSS, 7)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_meters_are_added_up_while_they_count(tmp_path: Path) -> None:
    ledger, one, other = Ledger(tmp_path), open_meter(tmp_path), open_meter(tmp_path)
    one.count(CACHE_ERRORS, "get")
    other.count(CACHE_ERRORS, "get", by=2)
    other.count(CACHE_ERRORS, "put")
    assert ledger.read()[CACHE_ERRORS] == {("get",): [3], ("put",): [1]}
    one.count(CACHE_ERRORS, "get")
    assert ledger.read()[CACHE_ERRORS] == {("get",): [4], ("put",): [1]}
    assert ledger.read()[WORKERS] == {(): [2]}


def test_a_value_on_a_bound_is_within_it_and_the_largest_has_a_bucket_too(tmp_path: Path) -> None:
    meter = open_meter(tmp_path)
    for value in (0, 0.001, 0.0011, 10, 11):
        meter.observe(QUEUE_SECONDS, value)
    [[*counts, total]] = Ledger(tmp_path).read()[QUEUE_SECONDS].values()
    assert counts == [2, 1, *[0] * 10, 1, 1]
    assert total == sum((0, 0.001, 0.0011, 10, 11))


def test_the_counters_of_the_dead_stay_their_gauges_go_and_their_files_too(
    tmp_path: Path,
) -> None:
    ledger, living = Ledger(tmp_path), open_meter(tmp_path)
    living.count(CACHE_ERRORS, "get")
    living.set(WORKER_RSS, 3)
    for deaths in (1, 2):
        subprocess.run([sys.executable, "-c", COUNT_AND_DIE, str(tmp_path)], check=False)
        for _ in range(2):
            reading = ledger.read()
            assert reading[CACHE_ERRORS] == {("get",): [1 + 5 * deaths]}
            assert reading[WORKER_RSS] == {(): [3]}
            assert reading[WORKERS] == {(): [1]}
    assert len(list(tmp_path.iterdir())) == 1


def test_counting_goes_on_where_there_is_no_room_for_more_series(tmp_path: Path) -> None:
    meter = open_meter(tmp_path)
    for number in range(NUMBERS):
        meter.count(HTTP_REQUESTS, "GET", f"/{number}", "200")
    meter.count(HTTP_REQUESTS, "GET", "/0", "200")
    series = Ledger(tmp_path).read()[HTTP_REQUESTS]
    assert len(series) > NUMBERS / 4
    assert series.pop(("GET", "/0", "200")) == [2]
    assert all(value == [1] for value in series.values())


def test_a_histogram_has_a_number_for_each_bucket_the_last_and_the_sum() -> None:
    assert Metric("a", "", Kind.HISTOGRAM, buckets=(1, 2)).numbers == 4
