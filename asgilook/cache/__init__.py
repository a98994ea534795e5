"""Where renderings wait to be asked for again: one interface, one file per kind of memory."""

from asgilook.cache.base import Cache, Entry, Found, Lease

__all__ = ["Cache", "Entry", "Found", "Lease"]
