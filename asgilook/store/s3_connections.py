"""The connections of S3's client."""

from functools import partial
from types import SimpleNamespace
from typing import Any

from aiobotocore.httpsession import AIOHTTPSession


class Connections(AIOHTTPSession):  # type: ignore[misc]  # it has no types
    """Leaves redirects to botocore, which signs for where they lead, as aiohttp would not."""

    async def _get_session(self, proxy_url: str | None) -> Any:
        session = await super()._get_session(proxy_url)
        return SimpleNamespace(request=partial(session.request, allow_redirects=False))
