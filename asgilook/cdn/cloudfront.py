"""CloudFront: invalidation by tag.

Amazon CloudFront Developer Guide, "Invalidate files by cache tag": a path `#tag` stands for all
that carries the tag in the field that the distribution's CacheTagConfig names.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

from aiobotocore.config import AioConfig
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from asgilook.aws_session import new_session
from asgilook.cdn.base import LIMIT_S, Purger
from asgilook.errors import PurgeFailed

# The service has one endpoint, in this region.
_REGION = "us-east-1"
CROWDED_WAIT_S = 10.0
"""How long to wait while the distribution has as many invalidations in progress as it may."""
# As the store's S3 client: XML that is none, and credentials that cannot be read or are too old.
_TROUBLE = (BotoCoreError, ResponseParserError, OSError, RuntimeError, ValueError)
_CROWDED = {"TooManyInvalidationsInProgress", "Throttling", "ThrottlingException"}


class CloudFrontPurger(Purger):
    """Invalidates tags of one distribution; credentials come through the usual AWS chain."""

    def __init__(self, distribution_id: str, endpoint_url: str | None = None) -> None:
        self._distribution_id = distribution_id
        self._endpoint_url = endpoint_url
        self._lifetime = AsyncExitStack()
        self._client: Any

    async def open_up(self) -> None:
        # The queue tries again, with more patience than the client has.
        config = AioConfig(
            connect_timeout=2, read_timeout=LIMIT_S, retries={"total_max_attempts": 1}
        )
        session, credentials = new_session()
        self._lifetime.push_async_callback(credentials.close)
        client = session.create_client(
            "cloudfront", region_name=_REGION, endpoint_url=self._endpoint_url, config=config
        )
        self._client = await self._lifetime.enter_async_context(client)

    async def close(self) -> None:
        await self._lifetime.aclose()

    async def purge(self, tags: Sequence[str], reference: str) -> None:
        paths = [f"#{tag}" for tag in tags]
        batch = {
            "Paths": {"Quantity": len(paths), "Items": paths},
            "CallerReference": reference,
        }
        try:
            async with asyncio.timeout(LIMIT_S):
                await self._client.create_invalidation(
                    DistributionId=self._distribution_id, InvalidationBatch=batch
                )
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            wait_s = CROWDED_WAIT_S if code in _CROWDED else None
            raise PurgeFailed(code, wait_s) from error
        except _TROUBLE as error:
            raise PurgeFailed(f"{type(error).__name__}: {error}") from error
