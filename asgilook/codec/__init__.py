"""Pixels. Pure, synchronous functions; the only room that knows Pillow."""

from asgilook.codec.formats import MEDIA_TYPES, UPLOAD_TYPES
from asgilook.codec.header import MAX_SIDE, Header, HeaderLimits, inspect
from asgilook.codec.ingest import Ingested, IngestOptions, ingest
from asgilook.codec.prices import rungs_cost_bytes, variant_cost_bytes
from asgilook.codec.render import render, render_variant
from asgilook.codec.selftest import has_jpeg_turbo, try_format

__all__ = [
    "MAX_SIDE",
    "MEDIA_TYPES",
    "UPLOAD_TYPES",
    "Header",
    "HeaderLimits",
    "IngestOptions",
    "Ingested",
    "has_jpeg_turbo",
    "ingest",
    "inspect",
    "render",
    "render_variant",
    "rungs_cost_bytes",
    "try_format",
    "variant_cost_bytes",
]
