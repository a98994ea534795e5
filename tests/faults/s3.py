"""How S3 fails, and what a client of the service is told then."""

from dataclasses import dataclass

from tests.faults.proxy import Fault


@dataclass(frozen=True)
class Row:
    """A fault of S3, and the answer to a request that needs S3."""

    name: str
    fault: Fault
    status: int
    code: str


def said(status: str, body: bytes, *fields: str) -> Fault:
    """Let S3 answer everything with this."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields, "", ""]
    return Fault(http_answer="\r\n".join(lines).encode() + body)


def error(status: str, code: str, *fields: str) -> Fault:
    """Let S3 answer everything with an error, in its own words."""
    body = f"<Error><Code>{code}</Code><Message>no</Message></Error>"
    return said(status, body.encode(), "Content-Type: application/xml", *fields)


UNAVAILABLE = (503, "store-unavailable")
TIMEOUT = (504, "store-timeout")
REFUSED = (502, "store-refused")
BROKEN = (502, "store-broken")

ELSEWHERE = error("301 Moved Permanently", "PermanentRedirect", "x-amz-bucket-region: eu-west-9")

FAULTS = [
    Row("connection refused", Fault(refuses=True), *UNAVAILABLE),
    Row("reset before any answer", Fault(reset_after_bytes=0), *UNAVAILABLE),
    Row("closed before any answer", Fault(end_after_bytes=0), *UNAVAILABLE),
    Row("SlowDown", error("503 Slow Down", "SlowDown"), *UNAVAILABLE),
    Row("InternalError", error("500 Internal Server Error", "InternalError"), *UNAVAILABLE),
    Row("a proxy's own 502", said("502 Bad Gateway", b"<html>no</html>"), *UNAVAILABLE),
    Row("TooManyRequests", error("429 Too Many Requests", "TooManyRequests"), *UNAVAILABLE),
    Row("no answer", Fault(stall_after_bytes=0), *TIMEOUT),
    Row("half a head", Fault(stall_after_bytes=20), *TIMEOUT),
    Row("late answers", Fault(delay_s=30), *TIMEOUT),
    Row("AccessDenied", error("403 Forbidden", "AccessDenied"), *REFUSED),
    Row("ExpiredToken", error("400 Bad Request", "ExpiredToken"), *REFUSED),
    Row("RequestTimeTooSkewed", error("403 Forbidden", "RequestTimeTooSkewed"), *REFUSED),
    Row("NoSuchBucket", error("404 Not Found", "NoSuchBucket"), *REFUSED),
    Row("another region", ELSEWHERE, *REFUSED),
    Row("no HTTP", Fault(http_answer=b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), *BROKEN),
]

BODY_FAULTS = {
    "reset": Fault(reset_after_bytes=100_000),
    "closed": Fault(end_after_bytes=100_000),
    "damaged": Fault(damaged_byte=100_000),
    "stalled": Fault(stall_after_bytes=100_000),
    "trickling": Fault(bytes_a_second=30_000),
}
"""What happens in the middle of a body that is longer than that."""
