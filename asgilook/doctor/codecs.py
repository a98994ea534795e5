"""Whether the imaging library that is installed can do what the service offers."""

from asgilook import codec
from asgilook.doctor.findings import Finding, fail, ok, warn
from asgilook.image import Format

_MEND = "install Pillow from a wheel, which brings it along"


def examine_codecs() -> list[Finding]:
    """Write and read a picture in each format."""
    return [*map(_format, Format), _turbo(), _heif()]


def _format(kind: Format) -> Finding:
    what = f"codec {kind.value}"
    trouble = codec.try_format(kind)
    return fail(what, trouble, _MEND) if trouble else ok(what, "encodes and decodes")


def _turbo() -> Finding:
    what = "codec libjpeg-turbo"
    if not codec.has_jpeg_turbo():
        return warn(what, "missing, so JPEG takes several times as long", _MEND)
    return ok(what, "is there")


def _heif() -> Finding:
    """HEIC is an extra, so that it may be there or not."""
    is_taken = "image/heic" in codec.UPLOAD_TYPES
    return ok(
        "codec heif", "HEIC is taken" if is_taken else "HEIC is not taken without asgilook[heif]"
    )
