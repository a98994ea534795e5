"""Our clock against the store's: S3 refuses what is signed at a wrong time."""

import asyncio
import time
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from asgilook.doctor.findings import Finding, fail, ok, warn

REFUSED_S = 15 * 60
"""From here on S3 says RequestTimeTooSkewed (S3 API reference, Error responses)."""
NOTICED_S = 5
"""Images are listed by the clock of the process that took them."""
PATIENCE_S = 5

_WHAT = "bucket clock"
_MEND = "keep the clock with NTP"


async def examine_clock(url: str) -> list[Finding]:
    """Compare ours with the Date of an answer; a refusal has one as well."""
    try:
        date = await asyncio.to_thread(_ask_for_date, url)
    except (OSError, HTTPException, UnicodeError):
        return []  # that nobody answers is told where the bucket is used
    try:
        skew_s = time.time() - parsedate_to_datetime(date).timestamp()
    except ValueError:
        return [warn(_WHAT, "its answers have no Date", "compare the clocks by hand")]
    seen = f"ours is {abs(skew_s):.0f} s {'ahead of' if skew_s > 0 else 'behind'} the store's"
    if abs(skew_s) >= REFUSED_S:
        return [fail(_WHAT, seen, f"S3 refuses what we sign; {_MEND}")]
    if abs(skew_s) >= NOTICED_S:
        return [warn(_WHAT, seen, _MEND)]
    return [ok(_WHAT, "agrees with ours")]


def _ask_for_date(url: str) -> str:
    address = urlsplit(url)
    kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
    connection = kind(address.netloc, timeout=PATIENCE_S)
    try:
        connection.request("HEAD", "/")
        return connection.getresponse().getheader("Date", "")
    finally:
        connection.close()
