"""The fields of requests and answers, where Falcon's own objects would be too much."""

import random
import re

Fields = list[tuple[bytes, bytes]]


def spelled(fields: Fields) -> bytes:
    """Spell fields as they stand on the wire (RFC 9112, section 5)."""
    return b"".join([b"%b: %b\r\n" % field for field in fields])


CONDITIONS = frozenset(
    {
        b"if-match",
        b"if-unmodified-since",
        b"if-none-match",
        b"if-modified-since",
        b"if-range",
        b"range",
    }
)
_NOTED = CONDITIONS | {
    b"host",
    b"content-length",
    b"transfer-encoding",
    b"expect",
    b"traceparent",
    b"x-request-id",
}
# RFC 9110, section 7.2
_HOST_FORM = re.compile(rb"(?:[\w.~%!$&'()*+,;=-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class Head:
    """What a request says of itself, read in one go."""

    __slots__ = ("_hosts", "_named", "expect", "has_body", "host", "request_id")

    def __init__(self, fields: Fields) -> None:
        self._named = named = dict[bytes, bytes]()
        self.host = b""
        self._hosts = 0
        for name, value in fields:
            if name == b"host":
                self.host = value
                self._hosts += 1
            elif name in CONDITIONS and name in named:
                named[name] += b"," + value  # RFC 9110, section 5.3
            elif name in _NOTED:
                named[name] = value
        self.expect = named.get(b"expect", b"")
        self.has_body = b"transfer-encoding" in named or named.get(b"content-length", b"0") != b"0"
        shown = named.get(b"x-request-id")
        # It tells requests apart and keeps no secret, so it need not come from the kernel.
        self.request_id = (
            shown if shown and _REQUEST_ID.fullmatch(shown) else b"%016x" % random.getrandbits(64)
        )

    def names_host(self, version: str) -> bool:
        """Tell whether there is one host, or none where that is allowed (RFC 9112, section 3.2)."""
        if self._hosts == 0:
            return version != "1.1"
        return self._hosts == 1 and _HOST_FORM.fullmatch(self.host) is not None

    @property
    def traceparent(self) -> bytes:
        """Give what the request says of its trace; empty where it says nothing."""
        return self._named.get(b"traceparent", b"")

    @property
    def if_none_match(self) -> bytes | None:
        """Give the one condition that most requests with a condition have."""
        return self._named.get(b"if-none-match")

    @property
    def is_plain(self) -> bool:
        """Tell whether there is no condition and no range but perhaps an If-None-Match."""
        return not self._named or CONDITIONS.isdisjoint(self._named.keys() - {b"if-none-match"})
