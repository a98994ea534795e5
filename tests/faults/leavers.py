"""Clients in the middle of uploads, who wait to be killed: `python -m tests.faults.leavers`.

It imports little, for it is started again and again.
"""

import signal
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit


def begin(url: str, body: bytes, share: float) -> socket.socket:
    """Send the head of an upload, and a share of its body."""
    place = urlsplit(url)
    head = (
        f"POST /images HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: image/jpeg\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    connection = socket.create_connection((place.hostname, place.port))
    connection.sendall(head.encode() + body[: int(len(body) * share)])
    return connection


def main() -> None:
    """Begin so many uploads of a file, each of which comes further than the one before."""
    url, path, count = sys.argv[1:]
    body, last = Path(path).read_bytes(), int(count) - 1
    connections = [begin(url, body, number / last) for number in range(last + 1)]
    print(len(connections), flush=True)  # noqa: T201 - whoever kills us waits for it
    signal.pause()


if __name__ == "__main__":
    main()
