"""What the fuzzer is told of this service beside its document."""

import os
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, HookContext

from asgilook.signing import Signer
from tests import pictures

KINDS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP")
SIZES = ((1, 1), (40, 30), (462, 462), (200, 900))

_signer = Signer([os.environ["SUITE_SIGNING_KEY"]])

for kind in KINDS:
    # A schema cannot say what makes bytes a picture.
    made = [pictures.upload(size, kind) for size in SIZES]
    schemathesis.openapi.media_type(f"image/{kind.lower()}", st.sampled_from(made))


@schemathesis.hook
def before_load_schema(context: HookContext, raw_schema: dict[str, Any]) -> None:
    """Fit the document to a service with keys, and the fuzzer to fields whose syntax it knows."""
    parameters = raw_schema["components"]["parameters"]
    for name in ("If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "Range"):
        del parameters[name]["schema"]["format"]
    # It gives files of a list no names.
    form = raw_schema["paths"]["/images"]["post"]["requestBody"]["content"]["multipart/form-data"]
    fields = form["schema"]["properties"]
    fields["pictures"] = fields["pictures"]["items"]
    for path in raw_schema["paths"].values():
        for operation in (path.get("post"), path.get("delete")):
            if operation:
                operation["security"].remove({})


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Make sound requests hold together."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if case.operation.path.startswith("/signed/"):
        _sign(case.path_parameters)
    if "Idempotency-Key" in case.headers:
        # Of an upload's own: with another body it is an error, and once its image is deleted too.
        case.headers["Idempotency-Key"] = case.id


def _sign(path: dict[str, Any]) -> None:
    text = "{options}/{image_id}/{box}.{format}".format_map(path)
    path["signature"] = _signer.sign(text)
