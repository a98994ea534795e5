"""Tags, by which the caches in front are told what to forget. Pure values.

They keep to what every CDN takes: printable ASCII without commas and spaces, far below 256
characters (CloudFront's bound; Fastly's and Cloudflare's are higher).
"""

from uuid import UUID

LISTING = "listing"
"""The tag of what changes with any upload or deletion."""


def of_image(image_id: UUID) -> str:
    """Name the tag that an image, its JSON and all its thumbnails share."""
    return f"img-{image_id}"


def fields(*tags: str) -> dict[str, str]:
    """Spell tags in the forms that CDNs read: with commas and with spaces."""
    return {"cache-tag": ",".join(tags), "surrogate-key": " ".join(tags)}
