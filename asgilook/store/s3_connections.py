"""The connections of S3's client."""

from functools import partial
from types import SimpleNamespace
from typing import Any

from aiobotocore.httpsession import AIOHTTPSession


class Connections(AIOHTTPSession):  # type: ignore[misc]  # it has no types
    """Sees to what aiobotocore leaves to aiohttp, or to chance."""

    async def _get_session(self, proxy_url: str | None) -> Any:
        session = await super()._get_session(proxy_url)
        return SimpleNamespace(request=partial(_request, session))


async def _request(session: Any, *arguments: Any, **options: Any) -> Any:
    # Redirects are for botocore, which signs for where they lead, as aiohttp would not.
    answer = await session.request(*arguments, allow_redirects=False, **options)
    try:
        for _, value in answer.raw_headers:
            value.decode()
    except UnicodeDecodeError:
        # It would fail at that as well, with the answer open and in nobody's hands.
        answer.close()
        raise
    return answer
