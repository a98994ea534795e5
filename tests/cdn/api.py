"""CDNs' purge APIs, as strict as their documentation: what they do not know of, they refuse."""

import contextlib
import json
import re
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

TOKEN = "the token of the suite"
PRINTABLE = re.compile(r"[!-+\--~]{1,256}")
"""What all CDNs take for a tag: ASCII 33 to 126 without commas."""


@dataclass
class Api:
    """A CDN as the suite sees it."""

    url: str
    taken: list[list[str]] = field(default_factory=list)
    """The tags of each order that was taken."""
    refusals: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """What the next orders are answered with instead: status and fields."""

    @property
    def tags(self) -> set[str]:
        return {tag for tags in self.taken for tag in tags}


class _Handler(BaseHTTPRequestHandler, ABC):
    api: ClassVar[Api]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.api.refusals:
            status, fields = self.api.refusals.pop(0)
            self._answer(status, {}, fields)
            return
        status, answer = self._judge(body)
        self._answer(status, answer, {})

    @abstractmethod
    def _judge(self, body: bytes) -> tuple[int, object]:
        """Give a status, and what to answer."""

    def _take(self, tags: object, most: int) -> bool:
        are_sound = (
            isinstance(tags, list)
            and 1 <= len(tags) <= most
            and all(isinstance(tag, str) and PRINTABLE.fullmatch(tag) for tag in tags)
        )
        if are_sound:
            assert isinstance(tags, list)
            self.api.taken.append(tags)
        return are_sound

    def _answer(self, status: int, answer: object, fields: dict[str, str]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {**fields, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        # As from afar: it does not come all at once.
        self.wfile.write(body[:1])
        time.sleep(0.02)
        self.wfile.write(body[1:])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


class _Fastly(_Handler):
    """https://www.fastly.com/documentation/reference/api/purging/ (several keys)."""

    def _judge(self, body: bytes) -> tuple[int, object]:
        if self.path != "/service/suite/purge":
            return 404, {"msg": "Record not found"}
        if self.headers["fastly-key"] != TOKEN:
            return 401, {"msg": "Provided credentials are missing or invalid"}
        asked = json.loads(body)
        if set(asked) != {"surrogate_keys"} or not self._take(asked["surrogate_keys"], 256):
            return 400, {"msg": "Bad request"}
        return 200, dict.fromkeys(asked["surrogate_keys"], "108-1391560174-974124")


class _Cloudflare(_Handler):
    """https://developers.cloudflare.com/api/ (zones, purge_cache)."""

    def _judge(self, body: bytes) -> tuple[int, object]:
        if self.path != "/zones/suite/purge_cache":
            return 404, {"success": False, "errors": [{"code": 7003}]}
        if self.headers["authorization"] != f"Bearer {TOKEN}":
            return 403, {"success": False, "errors": [{"code": 10000}]}
        asked = json.loads(body)
        if set(asked) != {"tags"} or not self._take(asked["tags"], 100):
            return 400, {"success": False, "errors": [{"code": 1094}]}
        return 200, {"success": True, "errors": [], "messages": [], "result": {"id": "suite"}}


@contextlib.contextmanager
def _serving(handler: type[_Handler]) -> Iterator[Api]:
    api = Api("")
    bound = type("Bound", (handler,), {"api": api})
    with ThreadingHTTPServer(("127.0.0.1", 0), bound) as server:
        api.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()


def fastly() -> contextlib.AbstractContextManager[Api]:
    """Run Fastly's API, with a service `suite`."""
    return _serving(_Fastly)


def cloudflare() -> contextlib.AbstractContextManager[Api]:
    """Run Cloudflare's API, with a zone `suite`."""
    return _serving(_Cloudflare)
