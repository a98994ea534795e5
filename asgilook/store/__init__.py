"""Where pictures are kept: one interface, one file per kind of storage."""

from asgilook.store.base import ObjectInfo, ObjectStream, Store

__all__ = ["ObjectInfo", "ObjectStream", "Store"]
