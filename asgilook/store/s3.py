"""A store in a bucket of anything that speaks S3."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError

from asgilook import __version__
from asgilook.byte_range import ByteRange, Span
from asgilook.errors import ObjectExists, ObjectNotFound, RangeUnsatisfiable, StoreUnavailable
from asgilook.store.base import PIECE_BYTES, ObjectInfo, ObjectStream, Store
from asgilook.timing import timed

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client

# An original on its way to a slow reader holds one for as long as that takes.
CONNECTIONS = 128
CONNECT_TIMEOUT_S = 2
READ_TIMEOUT_S = 10
WAIT_FOR_CONNECTION_S = 2
# Every engine's idle limit is above it: AWS closes after 20 s (aiobotocore issue 21).
KEEPALIVE_S = 12

# ClientPayloadError, a body cut short, is aiohttp's own; TimeoutError comes from both.
_TROUBLE = (BotoCoreError, ClientError, aiohttp.ClientError, TimeoutError)
# HEAD has no body to carry a code, so botocore gives the bare status there.
_MISSING = {"NoSuchKey", "404", "NotFound"}
_TAKEN = {"PreconditionFailed", "412"}
_OUTSIDE = {"InvalidRange", "416"}
# Metadata of our own: which call an object was put by.
_CALL = "put-call"


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the objects are; credentials and region come through the usual AWS chain."""

    name: str
    prefix: str = ""
    endpoint_url: str | None = None
    """None for AWS itself."""


class S3Store(Store):
    """Objects in a bucket, over one client and its connections for the life of the process."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._lifetime = contextlib.AsyncExitStack()
        # aiohttp bounds its connections but not the wait for one.
        self._connections = asyncio.Semaphore(CONNECTIONS)
        self._client: S3Client

    async def open_up(self) -> None:
        client = get_session().create_client(
            "s3", endpoint_url=self._bucket.endpoint_url, config=_config(self._bucket.endpoint_url)
        )
        self._client = await self._lifetime.enter_async_context(client)

    async def close(self) -> None:
        await self._lifetime.aclose()

    async def put(
        self, key: str, body: bytes, *, content_type: str, metadata: Mapping[str, str]
    ) -> ObjectInfo:
        call = secrets.token_hex(8)
        async with self._request():
            try:
                await self._client.put_object(
                    **self._at(key),
                    Body=body,
                    ContentType=content_type,
                    Metadata={**metadata, _CALL: call},
                    IfNoneMatch="*",
                )
            except ClientError as error:
                if not (_code(error) in _TAKEN and await self._was_put_by(call, key)):
                    raise
        return ObjectInfo(len(body), content_type, dict(metadata))

    async def stat(self, key: str) -> ObjectInfo:
        async with self._request():
            try:
                return _info(await self._client.head_object(**self._at(key)))
            except ClientError as error:
                if _code(error) not in _MISSING:
                    raise
        # The answer to a HEAD cannot tell a missing key from a missing bucket; to a GET it can.
        async with await self.open(key) as stream:
            return stream.info

    async def open(self, key: str, byte_range: ByteRange | None = None) -> ObjectStream:
        asked: Any = {"Range": str(byte_range)} if byte_range else {}
        async with contextlib.AsyncExitStack() as holding:
            await holding.enter_async_context(self._connection())
            try:
                with timed("s3"):
                    answer = await self._client.get_object(**self._at(key), **asked)
            except ClientError as error:
                if _code(error) in _OUTSIDE:
                    whole = await self._client.head_object(**self._at(key))
                    raise RangeUnsatisfiable(whole["ContentLength"]) from error
                raise
            holding.callback(answer["Body"].close)
            return _S3Stream(answer, holding.pop_all())

    async def scan(self, prefix: str, *, after: str = "", limit: int) -> list[str]:
        start: Any = {"StartAfter": self._bucket.prefix + after} if after else {}
        async with self._request():
            answer = await self._client.list_objects_v2(
                Bucket=self._bucket.name,
                Prefix=self._bucket.prefix + prefix,
                MaxKeys=limit,
                **start,
            )
        return [
            found["Key"].removeprefix(self._bucket.prefix) for found in answer.get("Contents", ())
        ]

    async def delete(self, key: str) -> None:
        async with self._request():
            await self._client.delete_object(**self._at(key))

    def _at(self, key: str) -> Any:
        return {"Bucket": self._bucket.name, "Key": self._bucket.prefix + key}

    async def _was_put_by(self, call: str, key: str) -> bool:
        """Tell whether the object in the way is our own, put by a try whose answer was lost.

        Both botocore and aiohttp try again, the latter without a word.
        """
        found = await self._client.head_object(**self._at(key))
        return found["Metadata"].get(_CALL) == call

    @contextlib.asynccontextmanager
    async def _request(self) -> AsyncIterator[None]:
        """Hold a connection for a request whose answer is small."""
        async with self._connection():
            with timed("s3"):
                yield

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[None]:
        with _as_store_errors():
            async with asyncio.timeout(WAIT_FOR_CONNECTION_S):
                await self._connections.acquire()
            try:
                yield
            finally:
                self._connections.release()


class _S3Stream(ObjectStream):
    def __init__(self, answer: Any, holding: contextlib.AsyncExitStack) -> None:
        length = answer["ContentLength"]
        self.span = _span(answer["ContentRange"]) if "ContentRange" in answer else None
        self.info = _info(answer, self.span.total_bytes if self.span else length)
        self._body = answer["Body"]
        self._holding = holding

    async def __anext__(self) -> bytes:
        try:
            with _as_store_errors():
                piece: bytes = await self._body.read(PIECE_BYTES)
        except BaseException:
            await self.close()
            raise
        if not piece:
            await self.close()
            raise StopAsyncIteration
        return piece

    async def close(self) -> None:
        await self._holding.aclose()


def _config(endpoint_url: str | None) -> AioConfig:
    """Choose the client's settings; each differs from its default for a measured reason."""
    foreign: dict[str, Any] = {}
    if endpoint_url:
        # Other engines refuse or even store the framing of AWS's newer checksums.
        foreign = {
            "request_checksum_calculation": "when_required",
            "response_checksum_validation": "when_required",
            "s3": {"addressing_style": "path"},
        }
    return AioConfig(
        signature_version="s3v4",
        retries={"mode": "standard", "total_max_attempts": 3},
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        max_pool_connections=CONNECTIONS,
        # Otherwise it is put together anew for each request, at 12 % of its cost.
        user_agent=f"asgilook/{__version__}",
        connector_args={"keepalive_timeout": KEEPALIVE_S},
        **foreign,
    )


def _info(answer: Any, length_bytes: int | None = None) -> ObjectInfo:
    if length_bytes is None:
        length_bytes = answer["ContentLength"]
    metadata = {name: value for name, value in answer["Metadata"].items() if name != _CALL}
    return ObjectInfo(length_bytes, answer.get("ContentType", ""), metadata)


def _span(content_range: str) -> Span:
    part, total = content_range.removeprefix("bytes ").split("/")
    first, last = part.split("-")
    return Span(int(first), int(last), int(total))


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextlib.contextmanager
def _as_store_errors() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = _code(error)
        if code in _MISSING:
            raise ObjectNotFound(str(error)) from error
        if code in _TAKEN:
            raise ObjectExists(str(error)) from error
        raise StoreUnavailable(f"{code}: {error}") from error
    except _TROUBLE as error:
        raise StoreUnavailable(f"{type(error).__name__}: {error}") from error
