"""Who reads slowly, or not at all, or leaves: what that costs the service and its bucket."""

import re
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from asgilook.store.s3 import CONNECTIONS
from tests.e2e.steps import eventually
from tests.faults.proxy import Proxy
from tests.servers import Service
from tests.wire.raw import Wire, request

SHORT_BUFFER_BYTES = 32 * 1024
LEAVERS = 10
READERS = 40
MANY_READERS = 64
LIMIT_MIB = 64


def _peak_mib(service: Service) -> float:
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert peak
    return int(peak[1]) / 1024


def _forget_peak(service: Service) -> None:
    Path(f"/proc/{service.process.pid}/clear_refs").write_text("5")


def _is_at_rest(proxy: Proxy) -> bool:
    before = proxy.pulled_bytes
    time.sleep(0.5)
    return proxy.pulled_bytes == before


def test_who_leaves_in_mid_download_costs_neither_a_connection_nor_the_rest(
    distant_service: Service, proxy: Proxy, long_path: str
) -> None:
    leavers = CONNECTIONS + 2
    before = proxy.pulled_bytes
    for number in range(leavers):
        with Wire(distant_service.url, SHORT_BUFFER_BYTES) as wire:
            length = wire.start_reading(long_path)
            if number % 2:
                wire.leave()
                assert len(wire.rest()) < length
    assert eventually(lambda: _is_at_rest(proxy))
    assert proxy.pulled_bytes - before < leavers * length / 3
    with Wire(distant_service.url) as wire:
        assert len(wire.get(long_path).body) == length
    assert "Traceback" not in distant_service.log


def test_who_leaves_with_another_request_in_line_is_noticed_as_well(
    distant_service: Service, proxy: Proxy, long_path: str
) -> None:
    # Others leave this service as well, and their lines may be late.
    before, ours = proxy.pulled_bytes, "has-another-in-line"
    for _ in range(LEAVERS):
        with Wire(distant_service.url, SHORT_BUFFER_BYTES) as wire:
            length = wire.start_reading(long_path, f"X-Request-Id: {ours}")
            wire.send(request("GET", "/images"))
    assert eventually(lambda: distant_service.log.count(f" cut id={ours}") == LEAVERS)
    assert proxy.pulled_bytes - before < LEAVERS * length / 3
    with Wire(distant_service.url) as wire:
        assert wire.get("/images").status == 200
    assert "Traceback" not in distant_service.log


def test_readers_who_stall_cost_little_memory_and_keep_nobody_out(
    distant_service: Service, proxy: Proxy, long_path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Wire(distant_service.url) as wire:
        wire.get(long_path)
    _forget_peak(distant_service)
    before_mib = _peak_mib(distant_service)
    with ExitStack() as stalled:
        for number in range(MANY_READERS):
            wire = stalled.enter_context(Wire(distant_service.url, SHORT_BUFFER_BYTES))
            length = wire.start_reading(long_path)
            if number + 1 == READERS:
                assert eventually(lambda: _is_at_rest(proxy))
                grown_mib = _peak_mib(distant_service) - before_mib
        with Wire(distant_service.url) as wire:
            assert wire.get("/images").status == 200
    with capsys.disabled():
        print(f"\n{READERS} stalled readers of {length / 1e6:.1f} MB: {grown_mib:+.1f} MiB")  # noqa: T201 - a figure to be read
    assert grown_mib < LIMIT_MIB
