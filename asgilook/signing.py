"""Signatures: what makes a path that we would not otherwise serve one of ours."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

KEY_BYTES = 32


def new_key() -> str:
    """Make a key, in hexadecimal digits."""
    return secrets.token_hex(KEY_BYTES)


class Signer:
    """Signs with the first of its keys, and knows the signatures of all of them.

    So keys rotate: put the new one first, and drop the old one when nothing signed with it is in
    use any more. With no keys, no signature is right.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = [bytes.fromhex(key) for key in keys]

    def sign(self, text: str) -> str:
        """Give the signature: HMAC-SHA256, in 43 characters that paths may hold."""
        return _signature(self._keys[0], text)

    def verify(self, signature: str, text: str) -> bool:
        """Tell whether a signature is right, in a time that tells nothing else."""
        shown = signature.encode()
        matches = [hmac.compare_digest(shown, _signature(key, text).encode()) for key in self._keys]
        return any(matches)


def _signature(key: bytes, text: str) -> str:
    digest = hmac.digest(key, text.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
