"""Those who judge HTTP from outside: httplint reads an exchange, redbot makes its own."""

from collections.abc import Iterable, Iterator
from configparser import ConfigParser
from dataclasses import dataclass

import httpx
import thor
from httplint import HttpRequestLinter, HttpResponseLinter, Note, levels
from redbot.resource import HttpResource
from redbot.resource.fetch import (
    RedFetcher,
    RedHttpClient,
)

SERIOUS = {levels.BAD, levels.WARN}
SELF_EVIDENT = "The server didn't understand the request."
"""What httplint says, as a warning, of whatever has the status 400."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What a judge has to say about something."""

    about: str
    level: levels
    text: str

    @property
    def is_serious(self) -> bool:
        """Tell whether something should be done about it."""
        return self.level in SERIOUS and self.text != SELF_EVIDENT

    def __str__(self) -> str:
        return f"{self.level.value:8}{self.about}: {self.text}"


@dataclass(frozen=True, slots=True)
class Visit:
    """What redbot did and found."""

    remarks: list[Remark]
    statuses: dict[str, int | None]
    """The answers to its own requests, by what they are to find out."""


def httplint(answer: httpx.Response) -> list[Remark]:
    """Have an exchange judged."""
    asked, given = HttpRequestLinter(), HttpResponseLinter()
    asked.response, given.request = given, asked
    request = answer.request
    asked.process_request_topline(request.method.encode(), str(request.url).encode(), b"1.1")
    asked.process_headers(request.headers.raw)
    asked.feed_content(request.read())
    asked.finish_content(complete=True)
    given.is_head_response = request.method == "HEAD"
    version = answer.http_version.removeprefix("HTTP/").encode()
    given.process_response_topline(
        version, str(answer.status_code).encode(), answer.reason_phrase.encode()
    )
    given.process_headers(answer.headers.raw)
    given.feed_content(answer.content)
    given.finish_content(complete=True)
    # What there is to say about the request is the tests' own doing.
    return list(_remarks("answer", given.notes))


def redbot(url: str) -> Visit:
    """Have an address visited."""
    config = ConfigParser()
    config["redbot"] = {"enable_local_access": "True"}
    # Its connections would outlive the loop that they belong to.
    RedFetcher.client = RedHttpClient()
    resource = HttpResource(config["redbot"])
    resource.set_request(url)
    resource.once("check_done", thor.stop)
    resource.check()
    thor.run()
    checks = resource.subreqs
    remarks = list(_remarks("redbot", resource.response.notes))
    for name, check in checks.items():
        remarks += _remarks(name, check.response.notes)
    return Visit(remarks, {name: check.response.status_code for name, check in checks.items()})


def _remarks(about: str, notes: Iterable[Note]) -> Iterator[Remark]:
    for note in notes:
        yield Remark(f"{about}, {note.subject}", note.level, note.summary)
        yield from _remarks(about, note.subnotes)
