"""The line that each request leaves in the log: enough to find it again, and no secret."""

import re

import pytest

from tests.e2e.steps import eventually
from tests.servers import Service
from tests.wire.raw import Wire, request

ID = "X-Request-Id"


@pytest.mark.parametrize("chosen", ["a", "7f3a.B_c-9", "a" * 64])
def test_a_request_keeps_the_id_that_its_client_chose(
    url: str, patient_service: Service, chosen: str
) -> None:
    with Wire(url) as wire:
        wire.send(request("GET", "/images", f"{ID}: {chosen}"))
        assert wire.answer().fields[ID] == chosen
    assert eventually(lambda: f" id={chosen}\n" in patient_service.log)


@pytest.mark.parametrize(
    "chosen", ["", "a" * 65, "a b", "a\tb", "<a>", '"a"', "a=b", "\xe4", "%0a"]
)
def test_an_id_that_could_be_taken_for_something_else_is_replaced(
    url: str, patient_service: Service, chosen: str
) -> None:
    with Wire(url) as wire:
        wire.send(request("GET", "/images", f"{ID}: {chosen}"))
        given = wire.answer().fields[ID]
    assert re.fullmatch("[0-9a-f]{16}", given)
    assert eventually(lambda: f" id={given}\n" in patient_service.log)


def test_each_request_of_a_connection_has_an_id_of_its_own(url: str) -> None:
    with Wire(url) as wire:
        assert wire.get("/images").fields[ID] != wire.get("/images").fields[ID]


def test_a_path_writes_one_line_whatever_it_says(url: str, patient_service: Service) -> None:
    with Wire(url) as wire:
        wire.send(request("GET", "/a%0aINFO:%0d%1b%5b31m%c2%85%e2%80%a8%00z", f"{ID}: the-one"))
        assert wire.answer().status == 404
    assert eventually(lambda: " id=the-one\n" in patient_service.log)
    lines = patient_service.log.splitlines()
    (line,) = (line for line in lines if "id=the-one" in line)
    assert line.startswith("INFO:     GET /a\\nINFO:\\r\\x1b[31m\\x85\\u2028\\x00z 404")
