"""What the installed Pillow can do: a build of one's own may lack any of it."""

import io

from PIL import Image, features

from asgilook.codec.encode import encode
from asgilook.image import Format

_SIDE = 64


def try_format(kind: Format) -> str | None:
    """Encode and decode a small picture; tell what went wrong, if anything."""
    try:
        picture = Image.linear_gradient("L").resize((_SIDE, _SIDE)).convert("RGB")
        with Image.open(io.BytesIO(encode(picture, kind, 80)), formats=[kind.name]) as read:
            read.load()
    except Exception as error:  # noqa: BLE001 - each codec has errors of its own
        return f"{type(error).__name__}: {error}"
    return None


def has_jpeg_turbo() -> bool:
    """Tell whether libjpeg is the fast one."""
    return features.check_feature("libjpeg_turbo") is True
