"""The report has every fault, and the quick ones are as promised."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.faults import report
from tests.faults.outage import suffer
from tests.faults.rows import GOOD, ROWS, Row
from tests.faults.site import Site, site

QUICK = [row for row in ROWS if row.name in {"S3: connection refused", "Redis: connection refused"}]


@pytest.fixture(scope="module")
def place() -> Iterator[Site]:
    with site() as one:
        yield one


@pytest.mark.parametrize("row", QUICK, ids=lambda row: row.name)
def test_what_clients_are_told_is_as_promised(place: Site, row: Row) -> None:
    outcome = asyncio.run(suffer(place, row))
    for kind, told in outcome.told.items():
        assert told.answers.keys() <= GOOD[kind] | row.promise.also.get(kind, frozenset())
        assert not told.unhelpful


def test_the_report_has_every_fault_and_all_are_as_promised() -> None:
    lines = [line for line in report.PATH.read_text().splitlines() if line.startswith("| ")]
    names = [line.split(" | ")[0].removeprefix("| ") for line in lines]
    assert names == ["fault", *(row.name for row in ROWS)]
    assert all(line.endswith("| yes |") for line in lines[1:])
