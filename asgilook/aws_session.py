"""Sessions with AWS's usual chain of credentials, which may have none yet when a service starts."""

from typing import Any, Self

from aiobotocore.credentials import AioCredentials
from aiobotocore.session import AioSession, get_session
from botocore.exceptions import NoCredentialsError

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
        """Give them as they are now. Raises `NoCredentialsError`, and what the chain raises."""
        found = self._found or await self._looking.run(None, self._look)
        return await found.get_frozen_credentials()

    async def close(self) -> None:
        """Look no more."""
        await self._looking.close()

    async def _look(self) -> Any:
        self._found = await self._chain.load_credentials()
        if self._found is None:
            raise NoCredentialsError
        return self._found


def new_session() -> tuple[AioSession, LateCredentials]:
    """Make a session, and its credentials, which are to be closed."""
    session = get_session()
    credentials = LateCredentials(session.get_component("credential_provider"))
    session.register_component("credential_provider", credentials)
    return session, credentials
