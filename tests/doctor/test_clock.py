"""The doctor at the clock: a store whose Date is another than ours."""

import contextlib
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from asgilook.doctor.clock import examine_clock
from tests import servers


def _handler(date: str | float | None) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response_only(403)
            if isinstance(date, str):
                self.send_header("Date", date)
            elif date is not None:
                self.send_header("Date", self.date_time_string(time.time() + date))
            self.end_headers()

        def log_request(self, *answered: object) -> None: ...

    return Handler


@contextlib.contextmanager
def store(date: str | float | None) -> Iterator[str]:
    """Run something that answers with a Date so far from ours, or with this text for one."""
    with HTTPServer(("127.0.0.1", 0), _handler(date)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("date", "level", "told"),
    [
        (0, "ok", "agrees"),
        (100, "warn", "behind the store's"),
        (-100, "warn", "ahead of the store's"),
        (1000, "FAIL", "S3 refuses what we sign"),
        (-1000, "FAIL", "S3 refuses what we sign"),
        (None, "warn", "no Date"),
        ("yesterday", "warn", "no Date"),
    ],
)
async def test_a_clock_that_goes_wrong_is_told(
    date: str | float | None, level: str, told: str
) -> None:
    with store(date) as url:
        [found] = await examine_clock(url)
    assert (found.level, told in str(found)) == (level, True)


async def test_of_a_store_that_does_not_answer_the_clock_is_not_judged() -> None:
    assert await examine_clock(f"http://127.0.0.1:{servers.free_port()}") == []


@pytest.mark.parametrize("name", ["a" * 64, "a..b"])
async def test_of_a_store_that_no_name_can_have_the_clock_is_not_judged(name: str) -> None:
    assert await examine_clock(f"https://{name}.s3.amazonaws.com") == []
