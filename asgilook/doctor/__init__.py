"""What keeps the service from working, or from working well, where it is to run."""

from asgilook.config import Settings
from asgilook.doctor.clock import examine_clock
from asgilook.doctor.codecs import examine_codecs
from asgilook.doctor.findings import Finding, Level
from asgilook.doctor.machine import Machine
from asgilook.doctor.room import examine_disk, examine_room
from asgilook.doctor.settings import examine_settings
from asgilook.doctor.store import bucket, examine_store, folder
from asgilook.store import Store

__all__ = ["Finding", "Level", "examine"]


async def examine(settings: Settings, store: Store, workers: int) -> list[Finding]:
    """Look at all that so many workers would use, by using it; what is made for that is removed."""
    return [
        *examine_settings(settings),
        *examine_room(settings, Machine.look(), workers),
        *examine_codecs(),
        *await _examine_store(settings, store),
        *(await _examine_redis(settings.redis_url) if settings.redis_url else ()),
    ]


async def _examine_redis(url: str) -> list[Finding]:
    # Only here, since the client is large, and the command line is the service's too.
    from asgilook.doctor.redis import examine_redis  # noqa: PLC0415

    return await examine_redis(url)


async def _examine_store(settings: Settings, store: Store) -> list[Finding]:
    name = settings.s3_bucket
    if name is None:
        found = await examine_store(store, folder(settings.storage_path))
        is_there = all(each.level is Level.OK for each in found)
        return [*found, examine_disk(settings)] if is_there else found
    clock = await examine_clock(settings.s3_endpoint_url or f"https://{name}.s3.amazonaws.com")
    return [*clock, *await examine_store(store, bucket(name, settings.s3_prefix))]
