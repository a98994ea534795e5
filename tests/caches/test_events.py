"""Events (text/event-stream) pass through the caches as they come, to each who listens."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest

from tests.caches import programs

FIRST, SECOND = b"data: first\n\n", b"data: second\n\n"


@contextmanager
def speaker(may_go_on: Event) -> Iterator[str]:
    """Run an origin with two events, the second of which waits; give its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("transfer-encoding", "chunked")  # as uvicorn does
            self.end_headers()
            self._send(FIRST)
            may_go_on.wait()
            self._send(SECOND)
            self._send(b"")

        def _send(self, piece: bytes) -> None:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            may_go_on.set()
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("run", [programs.nginx, programs.varnish])
def test_an_event_arrives_before_the_next_one_is_there(run: programs.Run, tmp_path: Path) -> None:
    second_may_come = Event()
    with (
        speaker(second_may_come) as origin_url,
        run(tmp_path, origin_url) as (cache_url, _),
        httpx.Client(base_url=cache_url, timeout=20) as client,
        client.stream("GET", "/events") as one,
        client.stream("GET", "/events") as another,
    ):
        listeners = [answer.iter_raw() for answer in (one, another)]
        assert [next(listener) for listener in listeners] == [FIRST, FIRST]
        second_may_come.set()
        assert [b"".join(listener) for listener in listeners] == [SECOND, SECOND]
