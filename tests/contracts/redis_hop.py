"""A hop in front of a Redis, which reads along; it may want to be spoken to in TLS."""

import asyncio
import contextlib
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass
class Hop:
    """Where it is, and what passed on the way there, piece by piece."""

    port: int = 0
    pieces: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def hop_to(redis_port: int, certificate: Path | None = None) -> AsyncIterator[Hop]:
    """Run one; with a certificate, of its own making, it speaks TLS."""
    hop = Hop()
    passing: set[asyncio.Future[Any]] = set()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs, ours = await asyncio.open_connection("127.0.0.1", redis_port)
        both = asyncio.gather(_pipe(reader, ours, hop.pieces), _pipe(theirs, writer, []))
        passing.add(both)
        with contextlib.suppress(asyncio.CancelledError, OSError):
            await both

    context = _context(certificate) if certificate else None
    listening = await asyncio.start_server(pass_on, "127.0.0.1", 0, ssl=context)
    hop.port = listening.sockets[0].getsockname()[1]
    try:
        yield hop
    finally:
        listening.close()
        for both in passing:
            both.cancel()
        await asyncio.gather(*passing, return_exceptions=True)
        await asyncio.sleep(0.01)  # transports close in turns of their own


async def _pipe(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pieces: list[bytes]
) -> None:
    try:
        while piece := await reader.read(65536):
            pieces.append(piece)
            writer.write(piece)
    finally:
        writer.transport.abort()


def _context(certificate: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a hop")])
    here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([here]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = certificate.with_suffix(".key")
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, secret)
    return context
