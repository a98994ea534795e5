"""Credentials from the usual AWS chain, which may have none yet when the service starts."""

from typing import Any, Self

from aiobotocore.credentials import AioCredentials

from asgilook.errors import StoreRefused
from asgilook.flight import SingleFlight


class LateCredentials(AioCredentials):  # type: ignore[misc]  # it has no types
    """Stands for what `chain` finds, and has it look again with each use until it does.

    botocore looks once: a process that starts while the machine's metadata cannot be asked would
    have no credentials for the rest of its life.
    """

    def __init__(self, chain: Any) -> None:
        super().__init__("", "", method="late")
        self._chain = chain
        self._found: Any = None
        self._looking: SingleFlight[None, Any] = SingleFlight()

    async def load_credentials(self) -> Self:
        """Be a chain that has found something."""
        return self

    async def get_frozen_credentials(self) -> Any:
        """Give them as they are now. Raises `StoreRefused`, and what the chain raises."""
        found = self._found or await self._looking.run(None, self._look)
        return await found.get_frozen_credentials()

    async def close(self) -> None:
        """Look no more."""
        await self._looking.close()

    async def _look(self) -> Any:
        self._found = await self._chain.load_credentials()
        if self._found is None:
            raise StoreRefused("no credentials are to be found")
        return self._found
