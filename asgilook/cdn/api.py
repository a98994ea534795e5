"""What CDNs that are told over HTTP have in common."""

import re
from collections.abc import Mapping
from typing import Any

import aiohttp

from asgilook import __version__
from asgilook.cdn.base import LIMIT_S, Purger
from asgilook.errors import PurgeFailed

MAX_WAIT_S = 3600
MAX_ANSWER_BYTES = 64 * 1024


class HttpPurger(Purger):
    """Asks over one pool of connections; raises `PurgeFailed` for any answer but 200."""

    _session: aiohttp.ClientSession

    async def open_up(self) -> None:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=LIMIT_S),
            headers={"user-agent": f"asgilook/{__version__}"},
        )

    async def close(self) -> None:
        await self._session.close()

    async def ask(
        self, method: str, url: str, *, headers: Mapping[str, str], body: object = None
    ) -> bytes:
        """Give the answer's body. Raises `PurgeFailed`."""
        json: Any = {} if body is None else {"json": body}
        try:
            async with self._session.request(
                method, url, headers=headers, allow_redirects=False, **json
            ) as answer:
                if answer.status != 200:
                    raise PurgeFailed(f"status {answer.status}", _wait_s(answer.headers))
                return await _read(answer.content)
        except (TimeoutError, aiohttp.ClientError) as error:
            # Its own text would hold the address, and whatever secret somebody put there.
            raise PurgeFailed(type(error).__name__) from error


async def _read(content: aiohttp.StreamReader) -> bytes:
    """Read a body to its end, or to a bound; a single `read` gives what has come so far."""
    body = b""
    while len(body) < MAX_ANSWER_BYTES and (piece := await content.readany()):
        body += piece
    return body


def _wait_s(headers: Mapping[str, str]) -> float | None:
    """Read how long to wait (RFC 9110, section 10.2.3); a date is as good as nothing said."""
    text = headers.get("retry-after", "")
    return float(min(int(text), MAX_WAIT_S)) if re.fullmatch("[0-9]{1,99}", text) else None
