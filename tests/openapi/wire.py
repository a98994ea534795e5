"""What a service really answers, byte by byte, noted down."""

import json
import socket
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from tests.openapi.promises import Operation, operation_of

PATIENCE_S = 60


@dataclass(frozen=True)
class Seen:
    """An answer."""

    operation: Operation
    status: int
    fields: Mapping[str, str]
    """By name, in lower case."""
    body: bytes

    @property
    def media_type(self) -> str | None:
        """Name the type of the content, if there is one."""
        return self.fields.get("content-type")

    @property
    def code(self) -> str | None:
        """Tell the problem, if this is one and says so."""
        is_problem = self.media_type == "application/problem+json" and self.body
        return str(self.json["code"]) if is_problem else None

    @property
    def json(self) -> Any:
        """Read the content."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Request:
    """A request; without a head of its own it gets one that is well-formed."""

    method: str
    path: str
    fields: Mapping[str, str]
    body: bytes = b""
    head: bytes | None = None

    def __bytes__(self) -> bytes:
        """Spell it as it goes over the wire."""
        if self.head is not None:
            return self.head + self.body
        fields = {"host": "localhost", "connection": "close", **self.fields}
        if self.method == "POST":
            fields.setdefault("content-length", str(len(self.body)))
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{n}: {v}" for n, v in fields.items())]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


class Wire:
    """A way to a service."""

    def __init__(self, url: str) -> None:
        self._address = (urlsplit(url).hostname, urlsplit(url).port)
        self.seen: list[Seen] = []

    def send(self, request: Request) -> Seen:
        """Send a request, and wait for its answer."""
        with socket.create_connection(self._address, PATIENCE_S) as connection:
            connection.sendall(bytes(request))
            answer = HTTPResponse(connection, method=request.method)
            answer.begin()
            fields = {name.lower(): value for name, value in answer.getheaders()}
            operation = operation_of(request.method, request.path)
            seen = Seen(operation, answer.status, fields, answer.read())
        self.seen.append(seen)
        return seen

    def ask(
        self, method: str, path: str, fields: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Seen:
        """Send a request that is well-formed."""
        return self.send(Request(method, path, fields or {}, body))

    def send_at_once(self, requests: Iterable[Request]) -> list[Seen]:
        """Send many requests at the same time."""
        with ThreadPoolExecutor(64) as threads:
            return list(threads.map(self.send, requests))
