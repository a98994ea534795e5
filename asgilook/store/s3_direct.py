"""GET and HEAD of objects without what a client for all of S3 does for each request.

The client works out an endpoint, fires hooks and parses answers by a model of the service: three
times what the transfer of a small object costs. Here a request is signed by botocore's own signer,
goes out over the client's own connections, and its head is read as it is. Whatever is not simply
the object is left to the client: it knows retries, redirects and S3's words for errors.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import aiohttp
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest

from asgilook import __version__
from asgilook.byte_range import ByteRange
from asgilook.errors import ObjectNotFound
from asgilook.store.s3_object import Found
from asgilook.store.s3_trouble import TROUBLE

_log = logging.getLogger(__name__)

USER_AGENT = f"asgilook/{__version__}"

_NO_SUCH_KEY = b"<Code>NoSuchKey</Code>"
_LONGEST_ERROR_BYTES = 4096


@dataclass(frozen=True, slots=True)
class _Address:
    """Where the objects of a bucket are, and what requests for them are signed for."""

    url: str
    region: str
    service: str


class Direct:
    """Asks for objects once, within `try_s`, over `http`, the connections of `client`."""

    def __init__(self, client: Any, http: Any, credentials: Any, try_s: float) -> None:
        self._client = client
        self._http = http
        self._credentials = credentials
        self._try_s = try_s
        self._address: _Address | None = None

    async def ask(
        self,
        method: Literal["GET", "HEAD"],
        at: dict[str, str],
        byte_range: ByteRange | None = None,
    ) -> Found | None:
        """Ask for an object; None where the answer is anything else.

        Raises `ObjectNotFound` where S3 says so, which only the answer to a GET can.
        """
        try:
            async with asyncio.timeout(self._try_s):
                answer = await self._send(method, at, byte_range)
                if answer.status_code in {200, 206}:
                    return Found.read(answer.raw, byte_range)
                if answer.status_code == 404 and _NO_SUCH_KEY in await _words(answer.raw):
                    raise ObjectNotFound(at["Key"])
                answer.raw.close()
                if answer.status_code not in {404, 416}:
                    # Perhaps the bucket is elsewhere now.
                    self._address = None
        except TROUBLE as error:
            _log.debug("s3: not to be asked directly: %s: %s", type(error).__name__, error)
        return None

    async def _send(self, method: str, at: dict[str, str], byte_range: ByteRange | None) -> Any:
        if self._address is None:
            self._address = await self._find(at["Bucket"])
        address = self._address
        fields = {"User-Agent": USER_AGENT}
        if byte_range:
            fields["Range"] = str(byte_range)
        request = AWSRequest(method, address.url + at["Key"], fields)
        credentials = await self._credentials.get_frozen_credentials()
        S3SigV4Auth(credentials, address.service, address.region).add_auth(request)
        # There is no body, nor anything else that would have to be prepared.
        ready = AWSPreparedRequest(method, request.url, request.headers, None, stream_output=True)
        return await self._http.send(ready)

    async def _find(self, bucket: str) -> _Address:
        """Let botocore work out endpoint, style, region and service: a signed URL tells them all.

        Its credential is `key/date/region/service/aws4_request` (AWS's SigV4 documentation).
        """
        params = {"Bucket": bucket, "Key": "-"}
        url = urlsplit(await self._client.generate_presigned_url("get_object", Params=params))
        [credential] = parse_qs(url.query)["X-Amz-Credential"]
        _, _, region, service, _ = credential.rsplit("/", 4)
        path = url.path.removesuffix("-")
        return _Address(f"{url.scheme}://{url.netloc}{path}", region, service)


async def _words(body: aiohttp.ClientResponse) -> bytes:
    try:
        return await body.content.read(_LONGEST_ERROR_BYTES)
    finally:
        body.close()
