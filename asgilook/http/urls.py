"""The paths of things, written and read in one spelling only.

A cache in front keeps one copy for each spelling that works, so only one does.
"""

from uuid import UUID

from falcon.routing import BaseConverter

from asgilook.ids import parse_id
from asgilook.image import Format, Image, Size, parse_size
from asgilook.signing import Signer
from asgilook.variant import Options

IMAGES = "/images"
IMAGE = "/images/{image_id:id}"
ORIGINAL = "/images/{image_id:id}.jpeg"
THUMBNAIL = "/thumbnails/{image_id:id}/{size:size}.{kind:format}"

PURGE = "/purges/{image_id:id}"

SIGNED = "/signed/{signature}/{options:options}/{image_id:id}/{size:size}.{kind:format}"


class IdConverter(BaseConverter):
    """An image's id."""

    def convert(self, value: str) -> UUID | None:
        """Take the canonical spelling only."""
        return parse_id(value)


class SizeConverter(BaseConverter):
    """A thumbnail's size."""

    def convert(self, value: str) -> Size | None:
        """Take the canonical spelling only."""
        return parse_size(value)


class FormatConverter(BaseConverter):
    """A thumbnail's format."""

    def convert(self, value: str) -> Format | None:
        """Take the names in lower case only."""
        return _FORMATS.get(value)


class OptionsConverter(BaseConverter):
    """How a signed thumbnail is made."""

    def convert(self, value: str) -> Options | None:
        """Take the canonical spelling only."""
        return Options.parse(value)


CONVERTERS: dict[str, type[BaseConverter]] = {
    "id": IdConverter,
    "size": SizeConverter,
    "format": FormatConverter,
    "options": OptionsConverter,
}

_FORMATS = {kind.value: kind for kind in Format}


def original_path(image: Image) -> str:
    """Give the path of an image's JPEG."""
    return f"/images/{image.id}.jpeg"


def thumbnail_path(image_id: UUID, size: Size, kind: Format) -> str:
    """Give the path of one of an image's thumbnails."""
    return f"/thumbnails/{image_id}/{size}.{kind}"


def signed_text(options: Options, image_id: UUID, size: Size, kind: Format) -> str:
    """Give what a signature is made of: the rest of the path."""
    return f"{options}/{image_id}/{size}.{kind}"


def signed_path(signer: Signer, options: Options, image_id: UUID, size: Size, kind: Format) -> str:
    """Give the path of a thumbnail off the ladder."""
    text = signed_text(options, image_id, size, kind)
    return f"/signed/{signer.sign(text)}/{text}"


def purge_path(image_id: UUID) -> str:
    """Give the path that tells how far the purge of a deleted image is."""
    return f"/purges/{image_id}"


def page_path(limit: int, after: UUID) -> str:
    """Give the path of a page of the listing."""
    return f"/images?limit={limit}&cursor={after}"
