"""Pixels. Pure, synchronous functions; the only room that knows Pillow."""

from asgilook.codec.ingest import Ingested, IngestOptions, ingest
from asgilook.codec.render import render, render_variant

__all__ = ["IngestOptions", "Ingested", "ingest", "render", "render_variant"]
