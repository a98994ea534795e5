"""What the end-to-end tests do again and again."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests import pictures, servers
from tests.servers import Service, ServiceOptions

PATIENCE_S = 20
SIZE = (1600, 1200)

Start = Callable[..., Service]
"""Starts a service with these settings and arguments."""


@contextmanager
def starting(folder: Path) -> Iterator[Start]:
    """Start services in a folder, which end with the block."""
    with ExitStack() as running:

        def start(settings: Mapping[str, str], *arguments: str) -> Service:
            options = ServiceOptions(folder, settings, arguments)
            return running.enter_context(servers.service(options))

        yield start


def upload(client: httpx.Client, service: Service) -> dict[str, Any]:
    """Add a photograph; give its JSON."""
    made = client.post(
        f"{service.url}/images",
        content=pictures.upload(SIZE),
        headers={"content-type": "image/jpeg"},
    )
    assert made.status_code == 201, made.text
    view: dict[str, Any] = made.json()
    return view


def eventually(is_so: Callable[[], bool]) -> bool:
    """Ask again until it is so, or for too long."""
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
