"""No upload gives an answer that blames us."""

import logging

import pytest

from tests.codec import seeds
from tests.http.client import Client

COUNT = 250
TYPES = ["image/jpeg", "image/png", "image/webp", "application/octet-stream", "image/tiff"]
ANSWERS = {
    201: None,
    400: "upload-empty",
    415: "type-not-supported",
    422: "picture-broken",
}


async def test_every_upload_is_taken_or_refused_by_name(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    uploads = [*seeds.taken().items(), *seeds.not_taken().items(), *seeds.hostile(COUNT)]
    for number, (name, upload) in enumerate(uploads):
        answer = await client.post(upload, TYPES[number % len(TYPES)])
        code = answer.json.get("code")
        assert code in {ANSWERS.get(answer.status_code), "picture-too-large"}, (name, answer.text)
    assert [record.getMessage() for record in caplog.records] == []
