"""Who may write. Reading is public."""

import hashlib
import hmac
import ipaddress
from collections.abc import Collection
from typing import Any

from falcon.asgi import Request, Response

from asgilook.errors import WriteForbidden, WriteUnauthorized
from asgilook.http.client_address import is_from_this_machine

_FORWARDING = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


class Access:
    """Lets in who shows one of the keys, or, with no keys set up, who is on this machine."""

    def __init__(self, api_keys: Collection[str]) -> None:
        self._names = dict(_named_hash(text) for text in api_keys)

    def check(self, req: Request) -> None:
        """Raises `WriteUnauthorized` or `WriteForbidden`."""
        if self._names:
            if self.name_of_key(req) is None:
                raise WriteUnauthorized("no key, or one that is not known here")
        elif not _is_local(req):
            raise WriteForbidden("not straight from this machine")

    def name_of_key(self, req: Request) -> str | None:
        """Name the key that a request shows, if it is one of those."""
        key = shown_key(req)
        shown = hash_key(key)
        # All of them, so that the time tells nothing about which one came close.
        matches = [name for known, name in self._names.items() if hmac.compare_digest(shown, known)]
        return matches[0] if key and matches else None


async def may_write(req: Request, resp: Response, resource: Any, params: dict[str, Any]) -> None:
    """Turn away who may not write, before anything is done for them (a hook)."""
    access: Access = resource.access
    access.check(req)


def shown_key(req: Request) -> str:
    """Read the key that a request shows (RFC 6750, section 2.1); none is an empty one."""
    scheme, _, key = (req.get_header("authorization") or "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def hash_key(key: str) -> bytes:
    """Give what is kept of a key: it is long and random, so a plain digest hides it well."""
    return hashlib.sha256(key.encode()).digest()


def key_name(api_key: str) -> str:
    """Name a key by its entry in the settings: what stands before the hash, or how that starts."""
    name, _, digest = api_key.rpartition(":")
    return name or f"{digest[:8]}..."


def _named_hash(api_key: str) -> tuple[bytes, str]:
    return bytes.fromhex(api_key.rpartition(":")[2]), key_name(api_key)


def _is_local(req: Request) -> bool:
    """Tell whether a request comes straight from this machine, through no proxy.

    Nor through a browser that another site's page has turned against it: the page's own address
    is in Origin, and the name that it made to mean this machine is in Host.
    """
    if any(req.get_header(name) is not None for name in _FORWARDING):
        return False
    origin = req.get_header("origin")
    if origin is not None and origin != f"{req.scheme}://{req.netloc}":
        return False
    return is_from_this_machine(req) and (req.host == "localhost" or _is_loopback(req.host))


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False
