"""Errors as clients see them (RFC 9457), and what they do not see."""

import logging
from collections.abc import Iterator

import pytest
from falcon.testing import Result

from asgilook import errors
from asgilook.errors import AsgilookError
from asgilook.http.problems import PROBLEMS, Problem
from tests import pictures
from tests.fakes import MemoryStore
from tests.http.client import Client, serving

MISSING = "018bcfe5-6800-7abc-8def-0123456789ab"
BELOW_HTTP = {errors.ObjectNotFound, errors.ObjectExists, errors.PurgeFailed}
"""What a store or a CDN says and the gallery turns into something of its own."""
BEFORE_HTTP = {errors.ConfigError}

REQUESTS = [
    ("GET", "/nothing-here", 404, "not-found"),
    ("GET", "/", 404, "not-found"),
    ("GET", "/images/", 404, "not-found"),
    ("GET", "/images/<script>", 404, "not-found"),
    ("GET", f"/images/{MISSING}", 404, "image-not-found"),
    ("GET", f"/images/{MISSING}.jpeg", 404, "image-not-found"),
    ("GET", f"/thumbnails/{MISSING}/320x240.jpeg", 404, "image-not-found"),
    ("DELETE", f"/images/{MISSING}", 404, "image-not-found"),
    ("GET", "/images?limit=0", 400, "invalid-page"),
    ("POST", "/images", 400, "upload-empty"),
    ("PUT", "/images", 405, "method-not-allowed"),
    ("DELETE", "/images", 405, "method-not-allowed"),
    ("PATCH", f"/images/{MISSING}", 405, "method-not-allowed"),
    ("POST", f"/images/{MISSING}.jpeg", 405, "method-not-allowed"),
    ("POST", f"/thumbnails/{MISSING}/320x240.jpeg", 405, "method-not-allowed"),
    ("DELETE", "/healthz", 405, "method-not-allowed"),
]


class Faulty(MemoryStore):
    """A store with a programming error."""

    async def scan(self, prefix: str, *, after: str = "", limit: int) -> list[str]:
        raise ZeroDivisionError("secret/key")


def kinds(root: type[AsgilookError]) -> Iterator[type[AsgilookError]]:
    """Go through all errors that are no roots of others."""
    branches = root.__subclasses__()
    if not branches:
        yield root
    for branch in branches:
        yield from kinds(branch)


def check_form(result: Result, status: int, code: str) -> None:
    """Look whether an answer is a problem in due form."""
    assert result.status_code == status
    assert result.headers["content-type"] == "application/problem+json"
    problem = result.json
    assert problem.keys() == {"title", "status", "detail", "code"}
    assert (problem["status"], problem["code"]) == (status, code)
    assert result.status == f"{status} {problem['title']}"
    assert problem["detail"].endswith(".")
    assert result.headers["cache-control"] == ("max-age=5" if status == 404 else "no-store")
    assert result.headers["x-content-type-options"] == "nosniff"
    assert not {"vary", "etag", "last-modified"} & set(result.headers)


@pytest.mark.parametrize(("method", "path", "status", "code"), REQUESTS)
async def test_every_error_is_a_problem(
    client: Client, method: str, path: str, status: int, code: str
) -> None:
    check_form(await client.request(method, path), status, code)


async def test_errors_of_uploads_and_conditions_are_problems_too(client: Client) -> None:
    view = await client.add()
    check_form(await client.post(b"hello", "image/png"), 415, "type-not-supported")
    check_form(
        await client.post(pictures.BROKEN["half a PNG"](), "image/png"), 422, "picture-broken"
    )
    for path in (view["image"], view["thumbnails"][0]):
        check_form(await client.get(path, if_match='"x"'), 412, "precondition-failed")
        check_form(await client.get(path, range="bytes=9999999-"), 416, "range-not-satisfiable")
    check_form(await client.get(view["thumbnails"][0].replace("x", "1x")), 404, "size-not-found")


@pytest.mark.parametrize(("method", "path", "status", "code"), REQUESTS)
async def test_no_error_repeats_what_was_asked_for(
    client: Client, method: str, path: str, status: int, code: str
) -> None:
    result = await client.request(method, f"{path}{'&' if '?' in path else '?'}q=<b>evil</b>")
    for asked in ("<script>", "evil", MISSING, "nothing-here"):
        assert asked not in result.text + str(result.headers)


@pytest.mark.parametrize("path", [path for method, path, *_ in REQUESTS if method == "GET"])
async def test_the_head_of_an_error_has_the_same_fields_and_no_body(
    client: Client, path: str
) -> None:
    get, head = await client.get(path), await client.head(path)
    of_this_request = {"server-timing", "x-request-id"}
    assert head.content == b""
    assert {n: v for n, v in head.headers.items() if n not in of_this_request} == {
        n: v for n, v in get.headers.items() if n not in of_this_request
    }


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/images", {"GET", "HEAD", "POST", "OPTIONS"}),
        ("/images/{id}", {"GET", "HEAD", "DELETE", "OPTIONS"}),
        ("/images/{id}.jpeg", {"GET", "HEAD", "OPTIONS"}),
        ("/thumbnails/{id}/320x240.jpeg", {"GET", "HEAD", "OPTIONS"}),
    ],
)
async def test_a_method_that_is_not_there_is_told_those_that_are(
    client: Client, path: str, methods: set[str]
) -> None:
    path = path.format(id=(await client.add())["id"])
    for headers in ({}, {"x-http-method-override": "GET"}):
        result = await client.request("PUT", path, headers=headers)
        assert result.status_code == 405
        assert set(result.headers["allow"].split(", ")) == methods
    told = (await client.request("OPTIONS", path)).headers["allow"]
    assert {"OPTIONS", *told.split(", ")} == methods


async def test_what_nobody_thought_of_is_a_problem_that_tells_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving(Faulty()) as client:
        result = await client.get("/images")
    check_form(result, 500, "internal-error")
    assert "secret" not in result.text + str(result.headers)
    assert "ZeroDivisionError: secret/key" in caplog.text


async def test_what_a_client_did_wrong_is_logged_without_alarm(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await client.get(f"/images/{MISSING}")
    assert "image-not-found" in caplog.text
    assert {record.levelno for record in caplog.records} == {logging.INFO}


@pytest.mark.parametrize("kind", [*kinds(AsgilookError)], ids=lambda kind: kind.__name__)
def test_every_error_has_its_problem_or_ends_below(kind: type[AsgilookError]) -> None:
    assert (kind in PROBLEMS) is not (kind in BELOW_HTTP | BEFORE_HTTP)


def test_every_problem_has_a_code_of_its_own() -> None:
    codes = [problem.code for problem in PROBLEMS.values()]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("problem", [*PROBLEMS.values()], ids=lambda problem: problem.code)
def test_who_may_come_again_is_told_when(problem: Problem) -> None:
    assert (problem.status in {502, 503, 504}) is (problem.retry_after_s is not None)
