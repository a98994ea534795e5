"""Opens the gallery when the server starts and closes it when the server ends."""

from collections.abc import Mapping
from typing import Any

from asgilook.gallery import Gallery


class Lifespan:
    """A middleware for the two ends of the application's life."""

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery

    async def process_startup(self, scope: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        """Open."""
        await self._gallery.open_up()

    async def process_shutdown(self, scope: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        """Close."""
        await self._gallery.close()
