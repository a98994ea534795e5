"""An upload whose answer was lost, by a connection that breaks, is repeated and is one image."""

import socket
import struct
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from tests.durability.crashes import PATIENCE_S, PICTURE, listing
from tests.e2e.steps import Start

RESET = struct.pack("ii", 1, 0)
"""To linger for no time: a close that the other side sees as a reset (socket(7), SO_LINGER)."""


def send_and_leave(url: str, key: str, share: float) -> None:
    """Send a share of an upload, and break the connection off."""
    where = urlsplit(url)
    head = (
        f"POST /images HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Type: image/jpeg\r\n"
        f"Idempotency-Key: {key}\r\nContent-Length: {len(PICTURE)}\r\n\r\n"
    )
    with socket.create_connection((where.hostname, where.port)) as connection:
        connection.sendall(head.encode() + PICTURE[: int(len(PICTURE) * share)])
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_whoever_lost_the_connection_gets_the_one_image_by_asking_again(
    start: Start, folder_settings: dict[str, str], share: float
) -> None:
    service = start(folder_settings)
    keys = [str(uuid4()) for _ in range(8)]
    for key in keys:
        send_and_leave(service.url, key, share)
    with httpx.Client(base_url=service.url, timeout=PATIENCE_S) as client:
        made = {
            client.post(
                "/images",
                content=PICTURE,
                headers={"content-type": "image/jpeg", "idempotency-key": key},
            ).json()["id"]
            for key in keys * 2
        }
        assert len(made) == len(keys)
        assert {view["id"] for view in listing(client)} == made
