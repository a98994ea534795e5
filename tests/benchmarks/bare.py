"""The yardstick: a Falcon resource that does nothing but answer the same bytes.

`python -m tests.benchmarks.bare FILE PORT`; `serving` does that.
"""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import falcon
import uvicorn
from falcon.asgi import App, Request, Response

from tests import servers
from tests.benchmarks.peers import Peer

SAME = "/same"
UNMODIFIED = "/unmodified"


class Same:
    """A body that was read at the start."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def on_get(self, req: Request, resp: Response) -> None:
        resp.content_type = "image/jpeg"
        resp.data = self._body


class Unmodified:
    """The shortest of all answers."""

    async def on_get(self, req: Request, resp: Response) -> None:
        resp.status = falcon.HTTP_304


@contextlib.contextmanager
def serving(path: Path) -> Iterator[Peer]:
    """Run it in a process of its own."""
    port = servers.free_port()
    process = subprocess.Popen([sys.executable, "-m", __name__, str(path), str(port)])
    url = f"http://127.0.0.1:{port}"
    try:
        servers.wait_until(lambda: servers.answers(url), "the bare resource", process)
        yield Peer("bare Falcon", url, process.pid, SAME)
    finally:
        servers.stop(process)


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.argument("port", type=int)
def main(path: Path, port: int) -> None:
    """Serve the bytes of a file, with the options that `asgilook serve` gives uvicorn."""
    app = App()
    app.add_route(SAME, Same(path.read_bytes()))
    app.add_route(UNMODIFIED, Unmodified())
    uvicorn.run(
        app, port=port, server_header=False, ws="none", access_log=False, log_level="warning"
    )


if __name__ == "__main__":
    main()
