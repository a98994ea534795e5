"""A store in a bucket of anything that speaks S3."""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from aiobotocore.config import AioConfig
from botocore.exceptions import ClientError

from asgilook.aws_session import new_session
from asgilook.byte_range import ByteRange
from asgilook.errors import ObjectNotFound, RangeUnsatisfiable, StoreBroken, StoreUnavailable
from asgilook.store.base import ObjectInfo, ObjectStream, Store
from asgilook.store.s3_connections import Connections
from asgilook.store.s3_direct import USER_AGENT, Direct
from asgilook.store.s3_object import SLOWEST_BYTES_A_SECOND, Found, S3Stream, own_metadata
from asgilook.store.s3_tries import Tries
from asgilook.store.s3_trouble import OUTSIDE, TAKEN, as_store_errors, code_of, missing_no_key

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

T = TypeVar("T")

# An original on its way to a slow reader holds one for as long as that takes.
CONNECTIONS = 128
LINE = 4 * CONNECTIONS
"""How many may wait for a connection; when S3 hangs, who comes next is told so at once."""
TIMEOUT_S = 3.0
# SeaweedFS takes 6 s to tell 16 who put the same key at once which of them was first.
PUT_PATIENCE = 3
# Every engine's idle limit is above it: AWS closes after 20 s (aiobotocore issue 21).
KEEPALIVE_S = 12


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the objects are; credentials and region come through the usual AWS chain."""

    name: str
    prefix: str = ""
    endpoint_url: str | None = None
    """None for AWS itself."""


class S3Store(Store):
    """Objects in a bucket, over one client and its connections for the life of the process.

    S3 has `timeout_s` for its answer to begin, however often it is asked, and as long for a pause
    in a body. A put has `PUT_PATIENCE` times that, and longer by its length: to give up on one is
    to know no more whether it is done.
    """

    def __init__(self, bucket: Bucket, timeout_s: float = TIMEOUT_S) -> None:
        self._bucket = bucket
        self._timeout_s = timeout_s
        self._lifetime = contextlib.AsyncExitStack()
        # aiohttp bounds its connections but neither the wait for one nor who waits.
        self._connections = asyncio.Semaphore(CONNECTIONS)
        self._in_line = 0
        self._tries = Tries()
        self._http: Connections
        self._client: S3Client
        self._direct: Direct

    async def open_up(self) -> None:
        with as_store_errors():  # of a profile that there is not, say
            session, credentials = new_session()
            self._lifetime.push_async_callback(credentials.close)
            client = session.create_client(
                "s3", endpoint_url=self._bucket.endpoint_url, config=self._config()
            )
            self._client = await self._lifetime.enter_async_context(client)
        # Half of the time, so that there is some left when a connection turns out to be dead.
        self._direct = Direct(self._client, self._http, credentials, self._timeout_s / 2)

    async def close(self) -> None:
        await self._lifetime.aclose()

    async def put(
        self, key: str, body: bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> ObjectInfo:
        call = secrets.token_hex(8)
        told = {**metadata, **own_metadata(call, body)}

        async def put() -> None:
            try:
                await self._client.put_object(
                    **self._at(key),
                    Body=body,
                    ContentType=content_type,
                    Metadata=told,
                    IfNoneMatch="*",
                )
            except ClientError as error:
                # It may be our own, put by a try whose answer was lost: we try again, and so does
                # aiohttp, without a word.
                if code_of(error) not in TAKEN or not await self._was_put_by(call, key):
                    raise

        limit_s = PUT_PATIENCE * self._timeout_s + len(body) / SLOWEST_BYTES_A_SECOND
        with missing_no_key():
            await self._ask(put, limit_s)
        return ObjectInfo(len(body), content_type, dict(metadata))

    async def stat(self, key: str) -> ObjectInfo:
        found = await self._ask(lambda: self._head(key), self._timeout_s)
        return found.info

    async def open(self, key: str, byte_range: ByteRange | None = None) -> ObjectStream:
        until_s = _now_s() + self._timeout_s
        await self._take_connection(until_s)
        try:
            found = await self._tries.run(lambda: self._get(key, byte_range), until_s)
        except BaseException:
            self._connections.release()
            raise
        return S3Stream(found, self._timeout_s, self._connections.release)

    async def scan(self, prefix: str, *, after: str = "", limit: int) -> list[str]:
        start = {"StartAfter": self._bucket.prefix + after} if after else {}
        with missing_no_key():
            return await self._ask(lambda: self._list(prefix, start, limit), self._timeout_s)

    async def delete(self, key: str) -> None:
        # Some engines tell of what is not there, as AWS does not.
        with contextlib.suppress(ObjectNotFound):
            await self._ask(lambda: self._client.delete_object(**self._at(key)), self._timeout_s)

    async def _list(self, prefix: str, start: Any, limit: int) -> list[str]:
        keys: list[str] = []
        while len(keys) < limit:
            asked: Any = {"Prefix": self._bucket.prefix + prefix, "MaxKeys": limit - len(keys)}
            answer = await self._client.list_objects_v2(Bucket=self._bucket.name, **asked, **start)
            if "IsTruncated" not in answer:
                raise StoreBroken("a listing that is none")
            keys += [each["Key"] for each in answer.get("Contents", ())]
            # It may have given fewer than it has, even none.
            token = answer.get("NextContinuationToken")
            if not (token and answer["IsTruncated"]):
                break
            start = {"ContinuationToken": token}
        return [key.removeprefix(self._bucket.prefix) for key in keys]

    async def _was_put_by(self, call: str, key: str) -> bool:
        try:
            with as_store_errors():
                return (await self._head(key)).call == call
        except ObjectNotFound:
            return False  # Whose it was nobody can tell: it was deleted since.

    async def _head(self, key: str) -> Found:
        found = await self._direct.ask("HEAD", self._at(key))
        if found is None:
            # The answer to a HEAD has no words for what is wrong; that to a GET has.
            found = await self._get(key)
            found.body.close()
        return found

    async def _get(self, key: str, byte_range: ByteRange | None = None) -> Found:
        found = await self._direct.ask("GET", self._at(key), byte_range)
        return found or await self._get_by_client(key, byte_range)

    async def _get_by_client(self, key: str, byte_range: ByteRange | None) -> Found:
        asked: Any = {"Range": str(byte_range)} if byte_range else {}
        try:
            answer: Any = await self._client.get_object(**self._at(key), **asked)
        except ClientError as error:
            if code_of(error) in OUTSIDE:
                whole = await self._head(key)
                raise RangeUnsatisfiable(whole.info.length_bytes) from error
            raise
        return Found.read(answer["Body"].raw_stream, byte_range)

    def _at(self, key: str) -> Any:
        return {"Bucket": self._bucket.name, "Key": self._bucket.prefix + key}

    async def _ask(self, work: Callable[[], Awaitable[T]], limit_s: float) -> T:
        """Hold a connection for a request whose answer is small."""
        until_s = _now_s() + limit_s
        await self._take_connection(until_s)
        try:
            return await self._tries.run(work, until_s)
        finally:
            self._connections.release()

    async def _take_connection(self, until_s: float) -> None:
        """Wait for one; whoever has taken it releases it."""
        if self._in_line >= LINE:
            raise StoreUnavailable("too many wait for a connection already")
        self._in_line += 1
        try:
            async with asyncio.timeout_at(until_s):
                await self._connections.acquire()
        except TimeoutError as error:
            raise StoreUnavailable("all connections are in use") from error
        finally:
            self._in_line -= 1

    def _config(self) -> AioConfig:
        """Choose the client's settings; each differs from its default for a measured reason."""
        is_aws = self._bucket.endpoint_url is None
        # Other engines refuse or even store the framing of AWS's newer checksums.
        needed = {} if is_aws else {"request_checksum_calculation": "when_required"}
        return AioConfig(
            signature_version="s3v4",
            # S3's own would be looked at when all is delivered; ours is looked at before.
            response_checksum_validation="when_required",
            # Its own would not look at the time that is left.
            retries={"mode": "standard", "total_max_attempts": 1},
            connect_timeout=self._timeout_s / 3,
            read_timeout=PUT_PATIENCE * self._timeout_s,
            max_pool_connections=CONNECTIONS,
            # Otherwise it is put together anew for each request, at 12 % of its cost.
            user_agent=USER_AGENT,
            http_session_cls=self._make_http,
            connector_args={"keepalive_timeout": KEEPALIVE_S},
            # With `auto`, signed URLs lead to another region's endpoint, and from there astray.
            s3={"addressing_style": "virtual" if is_aws else "path"},
            **needed,
        )

    def _make_http(self, **options: Any) -> Connections:
        """Make the client's connections, and let `Direct` share them."""
        self._http = Connections(**options)
        return self._http


def _now_s() -> float:
    return asyncio.get_running_loop().time()
