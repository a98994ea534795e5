"""What the tests of the wire share: an application in memory."""

from collections.abc import AsyncIterator

import pytest

from tests.fakes import MemoryStore
from tests.http.client import Client, serving


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def client(store: MemoryStore) -> AsyncIterator[Client]:
    async with serving(store) as one:
        yield one
