"""What can go wrong with S3, in the words of this domain: the one table."""

import contextlib
from collections.abc import Iterator
from typing import Any

import aiohttp
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from asgilook.errors import (
    AsgilookError,
    ObjectExists,
    ObjectNotFound,
    StoreBroken,
    StoreRefused,
    StoreTimeout,
    StoreUnavailable,
)

MISSING = {"NoSuchKey", "404", "NotFound"}
TAKEN = {"PreconditionFailed", "412"}
OUTSIDE = {"InvalidRange", "416"}

# Found by the nearest ancestor. RuntimeError and ValueError come from fetching credentials that
# have expired already, or cannot be read; ResponseParserError from XML that is none.
_KINDS: dict[type[Exception], type[StoreUnavailable]] = {
    BotoCoreError: StoreUnavailable,
    aiohttp.ClientError: StoreUnavailable,
    ConnectionClosedError: StoreUnavailable,
    TimeoutError: StoreTimeout,
    ConnectTimeoutError: StoreTimeout,
    ReadTimeoutError: StoreTimeout,
    aiohttp.ServerTimeoutError: StoreTimeout,
    NoCredentialsError: StoreRefused,
    PartialCredentialsError: StoreRefused,
    CredentialRetrievalError: StoreRefused,
    RuntimeError: StoreRefused,
    ValueError: StoreRefused,
    OSError: StoreUnavailable,
    HTTPClientError: StoreBroken,
    ResponseParserError: StoreBroken,
    aiohttp.ClientPayloadError: StoreBroken,
}
TROUBLE = (ClientError, *_KINDS)

# What passes by itself, beside all from 500 on but what an engine does not know (501): conflicts of
# writers, and too many requests.
_PASSING = {409, 429}
_PASSING_CODES = {"RequestTimeout", "SlowDown"}
_HINT = " (without the right to list, S3 answers so for what is missing, too)"


@contextlib.contextmanager
def as_store_errors() -> Iterator[None]:
    """Turn what the S3 client raises into the errors that every store has."""
    try:
        yield
    except ClientError as error:
        raise _of_answer(error) from error
    except TROUBLE as error:
        kind = next(_KINDS[each] for each in type(error).__mro__ if each in _KINDS)
        raise kind(f"{type(error).__name__}: {error}") from error


@contextlib.contextmanager
def missing_no_key() -> Iterator[None]:
    """Take a 404 for what it is where nobody asked for an object: no bucket, or no S3."""
    try:
        yield
    except ObjectNotFound as error:
        raise StoreRefused(str(error)) from error


def code_of(error: ClientError) -> str:
    """Give the code of an answer; of one without a body it is the bare status."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _of_answer(error: ClientError) -> AsgilookError:
    code = code_of(error)
    if code in MISSING:
        return ObjectNotFound(str(error))
    if code in TAKEN:
        return ObjectExists(str(error))
    answer: Any = error.response.get("ResponseMetadata", {})
    status = answer.get("HTTPStatusCode", 500)
    if (status >= 500 and status != 501) or status in _PASSING or code in _PASSING_CODES:
        return StoreUnavailable(f"{code}: {error}")
    return StoreRefused(f"{code}: {error}{_HINT if status == 403 else ''}")
