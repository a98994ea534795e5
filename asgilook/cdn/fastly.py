"""Fastly: purge by surrogate key (https://www.fastly.com/documentation/reference/api/purging/)."""

from collections.abc import Sequence

from asgilook.cdn.api import HttpPurger

API_URL = "https://api.fastly.com"


class FastlyPurger(HttpPurger):
    """Purges a service by up to 256 keys a call. Not softly: what is deleted must not be stale."""

    def __init__(self, service_id: str, token: str, api_url: str | None = None) -> None:
        self._url = f"{api_url or API_URL}/service/{service_id}/purge"
        self._headers = {"fastly-key": token, "accept": "application/json"}

    async def purge(self, tags: Sequence[str], reference: str) -> None:
        await self.ask(
            "POST", self._url, headers=self._headers, body={"surrogate_keys": list(tags)}
        )
