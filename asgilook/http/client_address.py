"""Whose request this is: the address of a client, as far as it can be believed.

What proxies say (`Forwarded`, RFC 7239; `X-Forwarded-For`) anybody can say. It is believed of those
alone that the settings name, and read from the right, where the nearest of them wrote.
"""

import re
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from falcon.asgi import Request

UNIX = "unix"
"""Whoever comes over a unix socket, which has no address."""
_V6_CLIENT_BITS = 64
"""What one customer of a network has at least, and may move about in at will (RFC 6177)."""

Address = IPv4Address | IPv6Address

# RFC 7239, section 4. Possessive, so that no field takes more than one pass.
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_VALUE = rf'(?:{_WORD}|"(?:[^"\\]|\\.)*+")'
_PAIR = rf"{_WORD}={_VALUE}"
_BLANK = r"[ \t]*+"
_MORE = rf"(?:{_BLANK};{_BLANK}(?:{_PAIR})?+)*+"
_ELEMENT = rf"(?:{_PAIR})?+{_MORE}"
_FORWARDED = re.compile(rf"{_BLANK}{_ELEMENT}{_BLANK}(?:,{_BLANK}{_ELEMENT}{_BLANK})*+")
_ELEMENTS = re.compile(_PAIR + _MORE)
_PAIRS = re.compile(rf"({_WORD})=({_VALUE})")

_PORT = r"(?::(?:[0-9]{1,5}|_[\w.-]+))?"
_NODE = re.compile(rf"\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]{_PORT}|([0-9.]+){_PORT}")


class ClientAddresses:
    """Tells the addresses of clients, where it is known what stands in front.

    `proxies` are networks, or `unix`; an empty sequence says that clients come directly. None
    says that nobody knows: then an address may be a CDN's, hence everybody's, and is none.
    """

    def __init__(self, proxies: Sequence[str] | None) -> None:
        self._is_known = proxies is not None
        self._trusts_unix = UNIX in (proxies or ())
        self._networks = [ip_network(text) for text in proxies or () if text != UNIX]

    def of(self, req: Request) -> str | None:
        """Name the client of a request: an address, the /64 of one (IPv6), or `unix`."""
        if not self._is_known:
            return None
        peer = _peer(req)
        claims = list(_claims(req)) if self._is_trusted(peer) else []
        named = {self._nearest_stranger(peer, hops) for hops in claims} or {peer}
        # A proxy writes one field, and lets what a client writes into the other pass.
        return _network(named.pop() if len(named) == 1 else peer)

    def _nearest_stranger(self, peer: Address | None, hops: list[str]) -> Address | None:
        """Go from proxy to proxy; one whose word cannot be read is the client itself."""
        nearest = peer
        for hop in reversed(hops):
            address = _parse_node(hop)
            if address is None:
                break
            nearest = address
            if not self._is_trusted(address):
                break
        return nearest

    def _is_trusted(self, address: Address | None) -> bool:
        if address is None:
            return self._trusts_unix
        return any(address in network for network in self._networks)


def is_from_this_machine(req: Request) -> bool:
    """Tell whether the connection itself comes from a loopback address."""
    peer = _peer(req)
    return peer is not None and peer.is_loopback


def _peer(req: Request) -> Address | None:
    """Give the other end of the connection; a unix socket has none.

    Falcon's `remote_addr` makes one up there, and fails over a malformed `Forwarded`.
    """
    # ASGI promises no more than something that can be gone through once.
    client = req.scope["client"] = tuple(req.scope.get("client") or ())
    return _parse_address(str(client[0])) if client else None


def _claims(req: Request) -> Iterator[list[str]]:
    """Give what each of the two fields says, hop by hop; Falcon has joined their lines."""
    forwarded = req.get_header("forwarded")
    if forwarded is not None:
        yield _forwarded_hops(forwarded)
    listed = req.get_header("x-forwarded-for")
    if listed is not None:
        yield [hop.strip(" \t") for hop in listed.split(",")]


def _forwarded_hops(field: str) -> list[str]:
    if not _FORWARDED.fullmatch(field):
        return []
    return [_forwarded_hop(match[0]) for match in _ELEMENTS.finditer(field)]


def _forwarded_hop(element: str) -> str:
    pairs = _PAIRS.findall(element)
    nodes = [_unquoted(value) for name, value in pairs if name.lower() == "for"]
    return nodes[0] if len(nodes) == 1 else "unknown"


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value


def _parse_node(text: str) -> Address | None:
    """Read a node: an address, perhaps with a port. `unknown` and `_hidden` have none."""
    match = _NODE.fullmatch(text)
    return _parse_address((match[1] or match[2]) if match else text)


def _parse_address(text: str) -> Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _network(address: Address | None) -> str:
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _V6_CLIENT_BITS), strict=False))
    return UNIX if address is None else str(address)
