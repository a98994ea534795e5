"""The yardstick for originals: aiobotocore's stream, handed to ASGI piece by piece.

`python -m tests.benchmarks.pipe ENDPOINT BUCKET PORT` serves the objects of a bucket by key.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import click
import uvicorn
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from tests import servers
from tests.benchmarks.peers import Peer

PIECE_BYTES = 64 * 1024
CONFIG = AioConfig(signature_version="s3v4", s3={"addressing_style": "path"})


class Pipe:
    """An ASGI application that is nothing but a call of `get_object` for each request."""

    def __init__(self, endpoint_url: str, bucket: str) -> None:
        self._endpoint_url = endpoint_url
        self._bucket = bucket

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        answer = await self._client.get_object(Bucket=self._bucket, Key=scope["path"][1:])
        length = str(answer["ContentLength"]).encode()
        fields = [(b"content-type", b"image/jpeg"), (b"content-length", length)]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        async with contextlib.aclosing(_pieces(answer["Body"])) as pieces:
            async for piece in pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _live(self, receive: Any, send: Any) -> None:
        client = get_session().create_client("s3", endpoint_url=self._endpoint_url, config=CONFIG)
        async with client as self._client:
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})


async def _pieces(body: Any) -> AsyncGenerator[bytes]:
    async with body:
        while piece := await body.read(PIECE_BYTES):
            yield piece


@contextlib.contextmanager
def serving(endpoint_url: str, bucket: str) -> Iterator[Peer]:
    """Run it in a process of its own."""
    port = servers.free_port()
    command = [sys.executable, "-m", __name__, endpoint_url, bucket, str(port)]
    environment = {**os.environ, **servers.AWS_ENVIRONMENT}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        servers.wait_until(lambda: servers.answers(url), "the bare pipe", process)
        yield Peer("bare pipe", url, process.pid, "/{name}")
    finally:
        servers.stop(process)


@click.command()
@click.argument("endpoint_url")
@click.argument("bucket")
@click.argument("port", type=int)
def main(endpoint_url: str, bucket: str, port: int) -> None:
    """Serve a bucket, with the options that `asgilook serve` gives uvicorn."""
    app = Pipe(endpoint_url, bucket)
    uvicorn.run(
        app, port=port, server_header=False, ws="none", access_log=False, log_level="warning"
    )


if __name__ == "__main__":
    main()
