"""A client that sends exactly the bytes it is told to, and reads answers strictly."""

import http.client
import json
import select
import socket
import struct
import time
from dataclasses import dataclass
from email.message import Message
from random import Random
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from PIL import Image

from tests import pictures

PICTURE = pictures.upload((320, 240))
"""Something that may be uploaded."""

PATIENCE_S = 30
"""How long an answer may take before the test fails; the server's own limits are far shorter."""


_TCP_INFO = (socket.IPPROTO_TCP, 11, 256)
_DATA_SEGMENTS_AT = 152
"""linux/tcp.h"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    fields: Message
    body: bytes

    @property
    def code(self) -> str:
        """The code of a problem document."""
        return str(json.loads(self.body)["code"])

    @property
    def image_id(self) -> str:
        """The id of an image that was added."""
        return str(json.loads(self.body)["id"])

    @property
    def is_last(self) -> bool:
        """Whether the connection ends with it."""
        return self.fields["connection"] == "close"


class Wire:
    """A connection to a service."""

    def __init__(self, url: str, receive_buffer_bytes: int | None = None) -> None:
        where = urlsplit(url)
        self._socket = socket.socket()
        if receive_buffer_bytes:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        self._socket.settimeout(PATIENCE_S)
        self._socket.connect((where.hostname, where.port))
        self._reader = self._socket.makefile("rb")
        self._methods: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._reader.close()
        self._socket.close()

    @property
    def segments(self) -> int:
        """Count the segments with data that came, where the system does: `tcp_info` of Linux."""
        (count,) = struct.unpack_from("=I", self._socket.getsockopt(*_TCP_INFO), _DATA_SEGMENTS_AT)
        return int(count)

    def send(self, *parts: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(b"".join(parts))

    def send_until_refused(self, piece: bytes, pause_s: float = 0) -> None:
        """Send the same again and again, until an answer is there; fail if none comes."""
        deadline = time.monotonic() + PATIENCE_S
        while not select.select([self._socket], [], [], pause_s)[0]:
            assert time.monotonic() < deadline
            self.send(piece)

    def leave(self) -> None:
        """Say that nothing more will be sent."""
        self._socket.shutdown(socket.SHUT_WR)

    def start_reading(self, path: str, *fields: str) -> int:
        """Ask for a picture, and read no more than its first bytes; give its length."""
        self.send(request("GET", path, *fields))
        status, answered = self.answer_head()
        assert status == 200
        assert self.take(1000).startswith(b"\xff\xd8")
        return int(answered["content-length"])

    def get(self, path: str) -> Answer:
        """Make a plain request, and give its answer."""
        self.send(request("GET", path))
        return self.answer()

    def add(self, body: bytes = PICTURE) -> dict[str, Any]:
        """Upload a picture; give its JSON."""
        self.send(upload(f"Content-Length: {len(body)}"), body)
        view: dict[str, Any] = json.loads(self.answer().body)
        return view

    def answer(self, *, to_head: bool = False) -> Answer:
        """Read the next answer."""
        status, fields = self.answer_head()
        has_body = not (to_head or status < 200 or status in {204, 304})
        body = self.take(int(fields["content-length"])) if has_body else b""
        return Answer(status, fields, body)

    def answer_head(self) -> tuple[int, Message]:
        """Read the next answer up to its body."""
        version, status, _ = self._reader.readline().split(b" ", 2)
        assert version == b"HTTP/1.1"
        fields = http.client.parse_headers(self._reader)
        assert len(fields.get_all("content-length", [])) <= 1
        assert "transfer-encoding" not in fields
        return int(status), fields

    def take(self, length: int) -> bytes:
        """Read so many bytes of a body, or what comes before the end."""
        return self._reader.read(length)

    def rest(self) -> bytes:
        """Read until the other side closes, however it does that."""
        received = bytearray()
        try:
            while piece := self._reader.read1(65536):
                received += piece
        except ConnectionResetError:
            pass
        return bytes(received)


def add_noise(url: str, size: tuple[int, int]) -> str:
    """Upload a picture of noise, two bytes for each pixel; give its path."""
    noise = Image.frombytes("RGB", size, Random(0).randbytes(3 * size[0] * size[1]))
    body = pictures.encode(noise, quality=100)
    with Wire(url) as wire:
        path: str = wire.add(body)["image"]
        return path


def request(method: str, path: str, *fields: str, version: str = "1.1") -> bytes:
    """Spell a request without a body; each field is a line."""
    lines = [f"{method} {path} HTTP/{version}", "Host: localhost", *fields]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def upload(*fields: str, version: str = "1.1") -> bytes:
    """Spell the head of an upload."""
    return request("POST", "/images", "Content-Type: image/jpeg", *fields, version=version)
