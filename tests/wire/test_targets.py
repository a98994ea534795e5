"""The ways to spell what is asked for: one works, and the others find nothing."""

from collections.abc import Callable

import pytest

from tests.servers import Service
from tests.wire.raw import Answer, Wire, request


def _get(url: str, path: str) -> Answer:
    with Wire(url) as wire:
        return wire.get(path)


@pytest.fixture(scope="module")
def image_id(patient_service: Service) -> str:
    with Wire(patient_service.url) as wire:
        added: str = wire.add()["id"]
        return added


SPELLINGS: dict[str, Callable[[str], str]] = {
    "in upper case": lambda name: f"/images/{name.upper()}",
    "without dashes": lambda name: f"/images/{name.replace('-', '')}",
    "in braces": lambda name: f"/images/{{{name}}}",
    "as a URN": lambda name: f"/images/urn:uuid:{name}",
    "with an escape": lambda name: f"/images/%{ord(name[0]):x}{name[1:]}",
    "with an escaped dash": lambda name: f"/images/{name.replace('-', '%2d', 1)}",
    "with an escaped dot": lambda name: f"/images/{name}%2ejpeg",
    "with an escaped slash": lambda name: f"/images%2f{name}",
    "with an escaped new line": lambda name: f"/images/{name}%0a",
    "with an escaped NUL": lambda name: f"/images/{name}%00",
    "with an escaped space": lambda name: f"/images/%20{name}",
    "with a slash at the end": lambda name: f"/images/{name}/",
    "with two slashes at the start": lambda name: f"//images/{name}",
    "with two slashes": lambda name: f"/images//{name}",
    "with a dot": lambda name: f"/images/./{name}",
    "with two dots": lambda name: f"/images/../images/{name}",
    "with a parameter": lambda name: f"/images/{name};a=b",
    "with a fragment": lambda name: f"/images/{name}.jpeg#a",
    "with an empty fragment": lambda name: f"/images/{name}.jpeg#",
    "with a backslash": lambda name: f"/images\\{name}",
    "with the collection in upper case": lambda name: f"/Images/{name}",
    "with an ending in upper case": lambda name: f"/images/{name}.JPEG",
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_an_image_has_no_second_path(
    url: str, image_id: str, spelling: Callable[[str], str]
) -> None:
    assert _get(url, f"/images/{image_id}").status == 200
    assert _get(url, f"/images/{image_id}.jpeg").status == 200
    assert _get(url, spelling(image_id)).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/images/",
        "//images",
        "//",
        "/images%0a",
        "/images/%00",
        "/images/%2f..%2f..%2fetc/passwd",
        "/images/../../etc/passwd",
        "/images/%c0%af",
        "/images/%ff",
        "/images/%",
        "/images/%zz",
        f"/images/{'a' * 8192}",
        f"/{'a/' * 4096}",
        "*",
    ],
)
def test_nothing_is_found_under_a_strange_path(url: str, path: str) -> None:
    answer = _get(url, path)
    assert (answer.status, answer.code) == (404, "not-found")


@pytest.mark.parametrize("query", ["?", "?a", "?a=%00&%ff=%zz", "?limit=", f"?{'a' * 8192}"])
def test_a_strange_query_changes_nothing(url: str, image_id: str, query: str) -> None:
    path = f"/images/{image_id}.jpeg"
    assert _get(url, path + query).body == _get(url, path).body


@pytest.mark.parametrize("origin", ["http://localhost", "HTTPS://elsewhere.example:8443"])
def test_a_target_may_name_the_server(url: str, origin: str) -> None:
    assert _get(url, f"{origin}/images").status == 200
    assert _get(url, f"{origin}/nothing").status == 404
    for bare in (origin, f"{origin}/", f"{origin}?a=b"):
        assert _get(url, bare).body == _get(url, "/").body


def test_the_server_as_a_whole_says_what_can_be_done(url: str) -> None:
    with Wire(url) as wire:
        wire.send(request("OPTIONS", "*"))
        answer = wire.answer()
        assert answer.status == 200
        assert answer.fields["allow"] == "DELETE, GET, HEAD, OPTIONS, POST"
        assert answer.body == b""


def test_a_head_says_how_long_the_refusal_of_a_get_is(url: str) -> None:
    refusal = _get(url, "//images")
    with Wire(url) as wire:
        wire.send(request("HEAD", "//images"))
        answer = wire.answer(to_head=True)
        assert answer.status == 404
        assert answer.fields["content-length"] == str(len(refusal.body))
        assert wire.get("/images").status == 200
