"""The report has every fault, and the quick ones are as promised."""

import asyncio
import re

import pytest

from tests.faults import report
from tests.faults.outage import suffer
from tests.faults.rows import ROWS
from tests.faults.sections import DELETIONS, RACES, SECTIONS
from tests.faults.site import Plan, site

QUICK = [
    row
    for row in ROWS
    if row.name in {"S3: connection refused", "Redis: connection refused"}
    or row.name.startswith(("clients:", "Redis: primary", "Redis: two of three", "the supervisor"))
]


@pytest.mark.parametrize("plan", dict.fromkeys(row.plan for row in QUICK), ids=str)
def test_what_clients_are_told_is_as_promised(plan: Plan) -> None:
    with site(plan) as place:
        for row in QUICK:
            if row.plan == plan:
                outcome = asyncio.run(suffer(place, row))
                assert list(outcome.wrong()) == [], row.name


def test_the_report_has_every_fault_and_all_are_as_promised() -> None:
    lines = [line for line in report.PATH.read_text().splitlines() if line.startswith("| ")]
    names = [line.split(" | ")[0].removeprefix("| ") for line in lines]
    assert names == ["fault", *(row.name for row in ROWS)]
    assert all(line.endswith("| yes |") for line in lines[1:])


def test_the_report_tells_of_races_and_of_an_overload() -> None:
    text = report.PATH.read_text()
    assert re.findall(r"(?m)^## (.*)$", text) == list(SECTIONS)
    races = text.partition(f"## {DELETIONS}")[2]
    assert "As promised: yes." in races.splitlines()[2]
    assert f"{RACES} races" in races
