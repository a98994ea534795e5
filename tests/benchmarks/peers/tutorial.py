"""Falcon's tutorial "asgilook" as it was in 2019, in the few lines that are measured.

Pillow in the loop's own threads, and whole answers in Redis by their paths:
`python -m tests.benchmarks.peers.tutorial FOLDER PORT [REDIS_URL]`.
"""

import asyncio
import io
from pathlib import Path

import click
import falcon
import msgpack
import redis.asyncio
import uvicorn
from falcon.asgi import App, Request, Response
from PIL import Image

QUALITY = 80
TTL_S = 3600


class Cache:
    """A middleware that keeps what was answered to a GET."""

    def __init__(self, url: str) -> None:
        self._redis = redis.asyncio.Redis.from_url(url)

    async def process_request(self, req: Request, resp: Response) -> None:
        kept = await self._redis.get(f"asgilook:{req.path}")
        if kept is not None:
            resp.content_type, resp.data = msgpack.unpackb(kept)
            resp.complete = True
            req.context.is_hit = True

    async def process_response(
        self,
        req: Request,
        resp: Response,
        resource: object,
        req_succeeded: bool,  # noqa: FBT001
    ) -> None:
        is_hit = getattr(req.context, "is_hit", False)
        resp.set_header("x-asgilook-cache", "Hit" if is_hit else "Miss")
        if req_succeeded and not is_hit:
            kept = msgpack.packb([resp.content_type, await resp.render_body()])
            await self._redis.set(f"asgilook:{req.path}", kept, ex=TTL_S)


class Thumbnail:
    """Makes a thumbnail in a thread for whoever asks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def on_get(self, req: Request, resp: Response, name: str, size: str) -> None:
        if "/" in name or not (self._folder / name).is_file():
            raise falcon.HTTPNotFound
        width, height = map(int, size.removesuffix(".jpeg").split("x"))
        loop = asyncio.get_running_loop()
        resp.content_type = falcon.MEDIA_JPEG
        path = self._folder / name
        resp.data = await loop.run_in_executor(None, _thumbnail, path, (width, height))


def _thumbnail(path: Path, size: tuple[int, int]) -> bytes:
    with Image.open(io.BytesIO(path.read_bytes())) as picture, io.BytesIO() as file:
        picture.resize(size).save(file, "JPEG", quality=QUALITY)
        return file.getvalue()


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.argument("port", type=int)
@click.argument("redis_url", required=False)
def main(folder: Path, port: int, redis_url: str | None) -> None:
    """Serve the thumbnails of a folder's pictures."""
    app = App(middleware=[Cache(redis_url)] if redis_url else [])
    app.add_route("/thumbnails/{name}/{size}", Thumbnail(folder))
    uvicorn.run(app, port=port, access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
