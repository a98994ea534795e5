"""How much one client may do: asked before, counted after, and told in the answer.

The fields are those of draft-ietf-httpapi-ratelimit-headers-11. An answer that a cache may keep
does not carry them: it would tell one client of another.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import http_sf
from falcon.asgi import Request, Response

from asgilook import timing
from asgilook.errors import RateLimited
from asgilook.http.access import Access
from asgilook.http.client_address import ClientAddresses
from asgilook.quota import Measure, Standing
from asgilook.usage import MILLISECONDS, Usage

SETTLE = "asgilook.settle"
"""Where in the scope of a request is what counts its cost, for one that Falcon does not end."""

_RENDERING = ("decode", "resize", "encode", "refused")
"""The notes of a request's time that are a processor's."""

_UNITS = {
    Measure.BYTES: {"qu": "content-bytes"},
    # The draft has no unit of time; without any it would mean requests.
    Measure.RENDERING: {"qu": "seconds"},
}


@dataclass(slots=True)
class _Account:
    """What a request has to do with the quotas of its client."""

    client: str
    standings: list[Standing]
    is_told: bool = False
    used: dict[Measure, int] = field(default_factory=dict)


class RateLimit:
    """Checks requests before they cost anything, and counts what they cost (a middleware)."""

    def __init__(self, usage: Usage, access: Access, addresses: ClientAddresses) -> None:
        self._usage = usage
        self._access = access
        self._addresses = addresses
        self._late: set[asyncio.Task[bool]] = set()

    async def process_startup(self, scope: Any, event: Any) -> None:
        """Open what counts."""
        await self._usage.open_up()

    async def process_shutdown(self, scope: Any, event: Any) -> None:
        """Close it."""
        await asyncio.gather(*self._late)
        await self._usage.close()

    async def check_upload(self, req: Request) -> None:
        """Count an upload and its announced bytes, if there is quota for them.

        Raises `RateLimited`.
        """
        client = self._client(req)
        if client is None:
            return
        announced = {Measure.UPLOADS: 1, Measure.BYTES: req.content_length or 0}
        # A body of unknown length, and the rendering, need something to be left at least.
        wanted = dict.fromkeys(Measure, 1) | {k: v for k, v in announced.items() if v}
        account = await self._open(req, client, wanted)
        account.is_told = True
        for measure, amount in announced.items():
            if not await self._use(account, measure, amount):
                _refuse(account, {measure})

    async def check_rendering(
        self, req: Request, cached: Callable[[], Awaitable[object | None]]
    ) -> None:
        """See to it that who wants what is not in the cache may have it made.

        Raises `RateLimited`.
        """
        client = self._client(req)
        if client is not None and await cached() is None:
            await self._open(req, client, {Measure.RENDERING: 1})

    async def process_response(
        self,
        req: Request,
        resp: Response,
        resource: object,
        req_succeeded: bool,  # noqa: FBT001 - as Falcon gives it
    ) -> None:
        """Count what the request has cost beyond what was announced, and tell where that leads."""
        account: _Account | None = req.context.get("account")
        if account is None:
            return
        await self._settle(req, account)
        if account.is_told and account.standings:
            resp.set_headers(_fields(account))

    async def _settle(self, req: Request, account: _Account) -> None:
        timing.tell_more(partial(self._count_more, account))
        milliseconds = math.ceil(timing.spent_s(*_RENDERING) * MILLISECONDS)
        await self._use_in_all(account, Measure.RENDERING, milliseconds)
        # What `uploads.py` has received.
        await self._use_in_all(account, Measure.BYTES, req.context.get("body_bytes") or 0)
        await self._use_in_all(account, Measure.UPLOADS, req.context.get("files") or 0)

    def _count_more(self, account: _Account, name: str, seconds: float) -> None:
        """Count what is still made when a request is over: for who has left, or behind."""
        if name in _RENDERING:
            milliseconds = math.ceil(seconds * MILLISECONDS)
            task = asyncio.create_task(self._use(account, Measure.RENDERING, milliseconds))
            self._late.add(task)
            task.add_done_callback(self._late.discard)

    def _client(self, req: Request) -> str | None:
        """Name who is counted: a key wherever it is shown from, or else an address."""
        name = self._access.name_of_key(req)
        if name is not None:
            return f"key:{name}"
        address = self._addresses.of(req)
        return None if address is None else f"address:{address}"

    async def _open(self, req: Request, client: str, wanted: Mapping[Measure, int]) -> _Account:
        account = _Account(client, await self._usage.standings(client, wanted))
        req.context.account = account
        req.scope[SETTLE] = partial(self._settle, req, account)
        short = {one.measure for one in account.standings if one.left < wanted[one.measure]}
        if short:
            _refuse(account, short)
        return account

    async def _use_in_all(self, account: _Account, measure: Measure, amount: int) -> None:
        """Count what goes beyond what was announced."""
        await self._use(account, measure, max(amount - account.used.get(measure, 0), 0))

    async def _use(self, account: _Account, measure: Measure, amount: int) -> bool:
        account.used[measure] = account.used.get(measure, 0) + amount
        return await self._usage.use(account.client, measure, amount)


def _refuse(account: _Account, short: set[Measure]) -> None:
    account.is_told = True
    waits_s = [one.reset_s for one in account.standings if one.measure in short]
    # None at all where Redis came back in the middle of the request.
    wait_s = max(waits_s, default=1)
    raise RateLimited(f"{account.client}: {', '.join(sorted(short))}", wait_s)


def _fields(account: _Account) -> dict[str, str]:
    left = [
        replace(one, left=max(one.left - account.used.get(one.measure, 0), 0))
        for one in account.standings
    ]
    return {
        "ratelimit-policy": http_sf.ser([_policy(one) for one in left]),
        "ratelimit": http_sf.ser([_service_limit(one) for one in left]),
    }


def _policy(standing: Standing) -> tuple[str, dict[str, Any]]:
    quota = standing.quota
    unit = _UNITS.get(standing.measure, {})
    return standing.measure.value, {"q": quota.amount, **unit, "w": quota.window_s}


def _service_limit(standing: Standing) -> tuple[str, dict[str, Any]]:
    grain = MILLISECONDS if standing.measure is Measure.RENDERING else 1
    # Rounded up, so that none left means none.
    return standing.measure.value, {"r": math.ceil(standing.left / grain), "t": standing.reset_s}
