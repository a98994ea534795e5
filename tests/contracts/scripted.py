"""A server that answers in S3's words by a script, and breaks off where that says so."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Answer:
    """What to say to one request; the connection is closed after it."""

    status: str = "200 OK"
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    is_heard: bool = True
    """Whether it is said at all: the request was understood, and its answer is lost."""
    stalls: bool = False
    """Whether the connection stays open after the last word."""

    def __bytes__(self) -> bytes:
        length = {} if "Transfer-Encoding" in self.headers else {"Content-Length": len(self.body)}
        fields = {**length, **self.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        text = f"HTTP/1.1 {self.status}\r\n{head}\r\n"
        return text.encode(errors="surrogateescape") + self.body


LOST = Answer(is_heard=False)


def error(status: str, code: str) -> Answer:
    """Say an error as S3 does."""
    return Answer(status, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode())


def describe_first_put(requests: list[str]) -> Answer:
    """Answer a HEAD as if the script's first request had been understood."""
    told = re.findall(r"(?im)^(x-amz-meta-[^:]*): (.*?)\r$", requests[0])
    length = re.findall(r"(?im)^content-length: (\d+)\r$", requests[0])
    return Answer(headers={**dict(told), "Content-Length": length[0]})


Line = Answer | Callable[[list[str]], Answer]
"""What a script says next, if need be in view of the requests so far."""


class ScriptedServer:
    """Gives one answer for each request."""

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines
        self.requests: list[str] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if "100-continue" in head:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = re.search(r"(?i)content-length: (\d+)", head)
        await reader.readexactly(int(length[1]) if length else 0)
        self.requests.append(head)
        line = self.lines.pop(0)
        answer = line if isinstance(line, Answer) else line(self.requests)
        if answer.is_heard:
            writer.write(bytes(answer))
        if answer.stalls:
            await reader.read()
        writer.close()


@contextlib.asynccontextmanager
async def scripted(*lines: Line) -> AsyncIterator[ScriptedServer]:
    """Run a server that keeps to the script, which must be used up in the end."""
    script = ScriptedServer(list(lines))
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        script.url = f"http://{host}:{port}"
        yield script
    assert script.lines == []
