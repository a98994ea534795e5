"""What the service needs of its store, found out by doing it to an object of the doctor's own."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from asgilook.byte_range import ByteRange
from asgilook.doctor.findings import Finding, fail, ok
from asgilook.errors import ObjectExists, ObjectNotFound, StoreUnavailable
from asgilook.store import Store

PREFIX = "doctor/"

_CONDITIONAL = "conditional writes"
_BODY = b"asgilook doctor looked whether this bucket works, and may be removed"
_PART = ByteRange(9, 14)
# S3's own word, and what a HEAD has instead (S3 API reference, Error responses).
_DENIED = re.compile(r"AccessDenied|Forbidden|\b403\b")
# The code of what an engine does not know; all that is special in our puts is their condition.
_NOT_IMPLEMENTED = "NotImplemented"


@dataclass(frozen=True, slots=True)
class Place:
    """What kind of store it is, what is done to it called in its own words, and how to be let."""

    name: str
    put: str
    get: str
    listing: str
    delete: str
    mend: Callable[[str], str]


def bucket(name: str, prefix: str) -> Place:
    """Name the rights in a bucket as S3's policies do."""
    listing, arn = "ListBucket", f"arn:aws:s3:::{name}"

    def mend(right: str) -> str:
        return f"allow s3:{right} on {arn if right == listing else f'{arn}/{prefix}*'}"

    return Place("bucket", "PutObject", "GetObject", listing, "DeleteObject", mend)


def folder(path: Path) -> Place:
    """Name what is done in a folder."""

    def mend(right: str) -> str:
        return f"let this user {right} files in {path}, on a file system that has hard links"

    return Place("folder", "create", "read", "list", "remove", mend)


@dataclass
class _Probe:
    store: Store
    place: Place
    key: str = field(default_factory=lambda: f"{PREFIX}{secrets.token_hex(8)}")
    findings: list[Finding] = field(default_factory=list)

    def ok(self, what: str, seen: str) -> None:
        self.findings.append(ok(f"{self.place.name} {what}", seen))

    def fail(self, what: str, seen: str, mend: str) -> None:
        self.findings.append(fail(f"{self.place.name} {what}", seen, mend))

    def refused(self, right: str, error: StoreUnavailable) -> None:
        self.fail(right, str(error), self.place.mend(right))

    def unconditional(self, seen: str, why: str = "") -> None:
        mend = f"{why}use an S3 engine that knows If-None-Match on PutObject"
        self.fail(_CONDITIONAL, seen, mend)


async def examine_store(store: Store, place: Place) -> list[Finding]:
    """Write, read, list and remove an object, and look that nothing is ever overwritten."""
    probe = _Probe(store, place)
    try:
        try:
            await store.open_up()
            is_written = await _put(probe)
        except StoreUnavailable as error:
            probe.fail("reachable", str(error), "look at its address, name and credentials")
            return probe.findings
        is_read = is_written and await _get(probe)
        if is_read:
            await _put_again(probe)
        await _list(probe)
        if is_read:
            await _get_missing(probe)
        await _delete(probe, is_written=is_written)
    finally:
        await store.close()
    return probe.findings


async def _put(probe: _Probe) -> bool:
    """Raises `StoreUnavailable` for anything but a missing right: then all else would fail, too."""
    try:
        await _create(probe)
    except StoreUnavailable as error:
        if _NOT_IMPLEMENTED in str(error):
            probe.unconditional(str(error))
            return False
        if probe.place.name == "bucket" and not _DENIED.search(str(error)):
            raise
        probe.refused(probe.place.put, error)
        return False
    probe.ok(probe.place.put, f"wrote {probe.key}")
    return True


async def _create(probe: _Probe) -> None:
    await probe.store.put(probe.key, _BODY, content_type="text/plain", metadata={})


async def _get(probe: _Probe) -> bool:
    try:
        whole = await _read(probe, None)
        part = await _read(probe, _PART)
    except (StoreUnavailable, ObjectNotFound) as error:
        probe.refused(probe.place.get, StoreUnavailable(str(error)))
        return False
    if whole != _BODY or part != _BODY[9:15]:
        probe.fail(probe.place.get, "other bytes than were written", "use another S3 engine")
        return False
    probe.ok(probe.place.get, "read it, and a range of it")
    return True


async def _read(probe: _Probe, part: ByteRange | None) -> bytes:
    async with await probe.store.open(probe.key, part) as stream:
        return b"".join([piece async for piece in stream])


async def _put_again(probe: _Probe) -> None:
    try:
        await _create(probe)
    except ObjectExists:
        probe.ok(_CONDITIONAL, "refuse to overwrite")
    except StoreUnavailable as error:
        probe.unconditional(str(error))
    else:
        why = "two uploads could overwrite each other; "
        probe.unconditional("overwrite: If-None-Match is ignored", why)


async def _list(probe: _Probe) -> None:
    try:
        await probe.store.scan(PREFIX, limit=1)
    except StoreUnavailable as error:
        probe.refused(probe.place.listing, error)
    else:
        probe.ok(probe.place.listing, f"listed {PREFIX}")


async def _get_missing(probe: _Probe) -> None:
    what = "missing key"
    try:
        await probe.store.stat(f"{probe.key}-missing")
    except ObjectNotFound:
        probe.ok(what, "is told from a refusal")
    except StoreUnavailable as error:
        probe.fail(what, str(error), "S3 answers 404 only who may ListBucket, else 403; allow that")


async def _delete(probe: _Probe, *, is_written: bool) -> None:
    try:
        await probe.store.delete(probe.key)
    except StoreUnavailable as error:
        probe.refused(probe.place.delete, error)
        if is_written:
            probe.fail("clean-up", f"{probe.key} is left behind", "remove it by hand")
    else:
        probe.ok(probe.place.delete, f"removed {probe.key}" if is_written else "is allowed")
