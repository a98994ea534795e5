"""The kinds of values that settings have, where a plain number or text would not do."""

import re
from enum import StrEnum
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from asgilook.quota import Quota

T = TypeVar("T")

_SIGNING_KEY = re.compile(r"(?:[0-9a-f]{2}){16,64}")
_API_KEY = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9._-]{0,31}:)?[0-9a-f]{64}")


Lifetime = Annotated[int, Field(le=100 * 365 * 24 * 3600)]
"""In seconds: with more, dates end before it is over, and Redis counts no further."""


class Cdn(StrEnum):
    """What stands in front."""

    NONE = "none"
    CLOUDFRONT = "cloudfront"
    FASTLY = "fastly"
    CLOUDFLARE = "cloudflare"
    VARNISH = "varnish"


def url(*schemes: str) -> AfterValidator:
    """Give the check for a URL with one of these schemes."""

    def check(text: str) -> str:
        parts = urlsplit(text)
        if parts.scheme not in schemes:
            raise ValueError(f"a URL that starts with {' or '.join(f'{s}://' for s in schemes)}")
        if parts.scheme.startswith("http") and not parts.hostname:
            raise ValueError("a URL with a host")
        _check_ports(parts.netloc)
        return text

    return AfterValidator(check)


def _check_ports(netloc: str) -> None:
    try:
        for host in netloc.rpartition("@")[2].split(","):
            _ = urlsplit(f"//{host}").port
    except ValueError:
        # What stands there may be half a password.
        raise ValueError("a URL whose port is a number up to 65535") from None


def _check_redis(text: str) -> str:
    # Its client weighs as much as all of ours, for which only those pay who have a Redis.
    from asgilook import redis_client  # noqa: PLC0415

    redis_client.check(text)
    return text


def check_api_key(key: str) -> str:
    """Raises `ValueError` where this is not a hash, with a name before it or without."""
    if not _API_KEY.fullmatch(key):
        raise ValueError("hashes as `asgilook key new` prints them, separated by commas")
    return key


def _check_traces(wanted: bool) -> bool:  # noqa: FBT001 - as pydantic calls it
    try:
        is_there = not wanted or find_spec("opentelemetry.sdk") is not None
    except ModuleNotFoundError:
        is_there = False
    if not is_there:
        raise ValueError("they need the extra: `pip install 'asgilook[otel]'`")
    return wanted


def _check_address(text: str) -> str:
    return str(ip_address(text))


def _check_proxy(proxy: str) -> str:
    try:
        return proxy if proxy == "unix" else str(ip_network(proxy))
    except ValueError as error:
        raise ValueError(f"addresses, networks, unix, or direct alone: {error}") from error


def _check_signing_key(key: str) -> str:
    if not _SIGNING_KEY.fullmatch(key):
        raise ValueError("keys as `asgilook key new --signing` prints them, separated by commas")
    return key


def _read_quota(value: object) -> object:
    return None if value == "none" else Quota.parse(value) if isinstance(value, str) else value


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _split_proxies(value: object) -> object:
    return () if value == "direct" else _split(value)


Listed = Annotated[tuple[T, ...], NoDecode, BeforeValidator(_split)]
"""Several, separated by commas."""

RedisUrl = Annotated[
    str, url("redis", "rediss", "unix", "redis+sentinel"), AfterValidator(_check_redis)
]
ApiKey = Annotated[str, AfterValidator(check_api_key)]
SigningKey = Annotated[str, AfterValidator(_check_signing_key)]
Proxies = Annotated[
    tuple[Annotated[str, AfterValidator(_check_proxy)], ...] | None,
    NoDecode,
    BeforeValidator(_split_proxies),
]
TracesWanted = Annotated[bool, AfterValidator(_check_traces)]
RateLimit = Annotated[Quota | None, NoDecode, BeforeValidator(_read_quota)]
Address = Annotated[str, AfterValidator(_check_address)]
