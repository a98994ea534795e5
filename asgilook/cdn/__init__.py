"""What stands in front, and how it is told to forget."""

from asgilook.cdn.base import NoPurger, Purger
from asgilook.cdn.queue import MemoryPurgeQueue, PurgeQueue, PurgeState

__all__ = ["MemoryPurgeQueue", "NoPurger", "PurgeQueue", "PurgeState", "Purger"]
