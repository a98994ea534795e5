"""Varnish: purge by key, as `infra/varnish/default.vcl` takes it (the xkey module)."""

import asyncio
from collections.abc import Sequence

from asgilook.cdn.api import HttpPurger


class VarnishPurger(HttpPurger):
    """Tells each of several servers, which know nothing of each other."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = urls

    async def purge(self, tags: Sequence[str], reference: str) -> None:
        headers = {"surrogate-key": " ".join(tags)}
        orders = (self.ask("PURGE", url, headers=headers) for url in self._urls)
        results = await asyncio.gather(*orders, return_exceptions=True)
        for failure in results:
            if isinstance(failure, BaseException):
                raise failure
