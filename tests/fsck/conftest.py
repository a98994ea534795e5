"""The check-up is held to what it promises on a store of every kind that there is."""

from tests.contracts.stores import store  # noqa: F401 - a fixture
