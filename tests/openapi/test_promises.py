"""The document against the service: all that is promised is seen, and all that is seen promised."""

from collections.abc import Iterator
from hashlib import sha256

import pytest

from asgilook.ids import uuid7
from tests import servers
from tests.openapi import scenes
from tests.openapi.promises import Operation, promises
from tests.openapi.wire import Seen, Wire
from tests.servers import ServiceOptions, service

UNSEEN_STATUSES = {500, 502, 504}
"""Nothing that a client sends makes the service fail, or its store a strange one."""
UNSEEN_CODES = {"upload-incomplete"}
"""Whoever breaks an upload off is not there any more to be told."""
OF_EVERY_MESSAGE = {"connection", "date", "content-type"}
"""Fields that are no answer's own: OpenAPI has other places for them, or none."""

Answers = dict[tuple[Operation, int], list[Seen]]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    """Give all that a service with keys, one without a store and a strict one answer."""
    keyed = {
        "API_KEYS": sha256(scenes.API_KEY.encode()).hexdigest(),
        "SIGNING_KEYS": scenes.SIGNING_KEY,
        "MAX_UPLOAD_BYTES": "1000000",
        "MAX_PIXELS": "4000000",
        "HEAD_TIMEOUT": "3",
        "UPLOAD_TIMEOUT": "3",
        "RENDER_SLOTS": "1",
        "DECODE_MEMORY_BYTES": "67108864",
    }
    away = {
        "S3_BUCKET": "away",
        "S3_ENDPOINT_URL": f"http://127.0.0.1:{servers.free_port()}",
        "SIGNING_KEYS": scenes.SIGNING_KEY,
    }
    # Without keys it is the address that is counted, for uploads as well.
    strict = {
        "SIGNING_KEYS": scenes.SIGNING_KEY,
        "TRUSTED_PROXIES": "direct",
        "RATE_LIMIT_RENDERING": "1/day",
    }
    nowhere = servers.free_port()
    untold = {
        "CDN": "varnish",
        "CDN_URL": f"http://127.0.0.1:{nowhere}",
        "REDIS_URL": f"redis://127.0.0.1:{nowhere}/0",
    }
    folder = tmp_path_factory.mktemp("promises")
    with (
        servers.valkey() as redis_url,
        # Memory takes no time that an answer would tell of.
        service(ServiceOptions(folder, {**keyed, **_only(redis_url)})) as one,
        service(ServiceOptions(folder, away)) as two,
        service(ServiceOptions(folder, {**strict, **_only(redis_url)})) as three,
        service(ServiceOptions(folder, untold)) as four,
    ):
        yield _grouped(
            [
                *_of_a_service(Wire(one.url)),
                *_of_one_without_a_store(Wire(two.url)),
                *_of_a_strict_one(Wire(three.url)),
                *_of_one_without_a_cdn(Wire(four.url)),
            ]
        )


def _only(redis_url: str) -> dict[str, str]:
    return {"REDIS_URL": redis_url, "MEMORY_CACHE_BYTES": "0"}


def _of_a_service(wire: Wire) -> list[Seen]:
    view, other = scenes.upload(wire), scenes.upload(wire, idempotency_key="brief")
    scenes.write(wire)
    scenes.read(wire, view)
    scenes.misspell(wire, view)
    scenes.overload(wire)
    scenes.delete(wire, other)
    return wire.seen


def _of_one_without_a_store(wire: Wire) -> list[Seen]:
    image_id = str(uuid7())
    view = {"id": image_id, "thumbnails": [f"/thumbnails/{image_id}/320x240.jpeg"]}
    scenes.without_a_store(wire, view)
    scenes.from_afar(wire, view)
    return wire.seen


def _of_a_strict_one(wire: Wire) -> list[Seen]:
    scenes.overspend(wire)
    return wire.seen


def _of_one_without_a_cdn(wire: Wire) -> list[Seen]:
    scenes.delete_untold(wire, scenes.upload(wire))
    return wire.seen


def _grouped(seen: list[Seen]) -> Answers:
    grouped: Answers = {}
    for answer in seen:
        grouped.setdefault((answer.operation, answer.status), []).append(answer)
    return grouped


def test_every_status_that_is_seen_is_promised(answers: Answers) -> None:
    assert sorted(map(str, answers.keys() - promises().keys())) == []


def test_every_status_that_is_promised_is_seen(answers: Answers) -> None:
    missing = {
        f"{operation} {status}"
        for operation, status in promises().keys() - answers.keys()
        if status not in UNSEEN_STATUSES
    }
    assert sorted(missing) == []


def test_every_field_that_is_seen_is_promised_and_those_always_there_are(answers: Answers) -> None:
    for key, promise in promises().items():
        always = {name for name, required in promise.fields.items() if required}
        for answer in answers.get(key, ()):
            fields = answer.fields.keys() - OF_EVERY_MESSAGE
            assert fields <= promise.fields.keys(), answer
            assert always <= fields, answer


def test_every_field_that_is_promised_is_seen(answers: Answers) -> None:
    seen: dict[str, set[str]] = {}
    for key, promise in promises().items():
        fields = seen.setdefault(promise.name, set())
        fields.update(*(answer.fields for answer in answers.get(key, ())))
    missing = {
        f"{promise.name}: {name}"
        for (_, status), promise in promises().items()
        for name in promise.fields.keys() - seen[promise.name]
        if status not in UNSEEN_STATUSES
    }
    assert sorted(missing) == []


def test_the_content_is_of_the_types_that_are_promised(answers: Answers) -> None:
    for key, promise in promises().items():
        for answer in answers.get(key, ()):
            if answer.media_type is not None:
                assert answer.media_type in promise.media_types, answer


def test_the_problems_that_are_promised_are_those_that_are_seen(answers: Answers) -> None:
    for (operation, status), promise in promises().items():
        if operation.method == "HEAD" or status in UNSEEN_STATUSES:
            continue
        told = {answer.code for answer in answers[operation, status]} - {None}
        assert told == promise.codes - UNSEEN_CODES, (operation, status)
