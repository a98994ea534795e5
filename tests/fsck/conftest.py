"""What the tests of the check-up share: a store, of every kind that there is."""

from collections.abc import AsyncIterator, Callable

import pytest

from asgilook.store import Store
from tests.contracts.test_store import in_a_folder, in_memory, on_moto, on_seaweedfs
from tests.rooms import opened


@pytest.fixture(params=[in_memory, in_a_folder, on_moto, on_seaweedfs])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    make: Callable[[pytest.FixtureRequest], Store] = request.param
    async with opened(make(request)) as made:
        yield made
