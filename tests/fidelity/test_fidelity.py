"""Every kind of picture comes out right, and the report says so."""

import asyncio

import pytest

from tests.fidelity.judge import Outcome, judged
from tests.fidelity.kinds import ROOMS, kinds
from tests.fidelity.report import PATH, rows, table

ROUNDING = 0.3
"""Two machines need not round all colours alike."""

KEPT = rows(PATH.read_text())

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, about broken EXIF


@pytest.fixture(scope="module", params=ROOMS, ids=lambda room: room.__name__.rpartition(".")[2])
def outcomes(request: pytest.FixtureRequest) -> list[Outcome]:
    return asyncio.run(judged(request.param.kinds()))


def test_every_kind_of_picture_comes_out_right(outcomes: list[Outcome]) -> None:
    wrong = [outcome.kind.name for outcome in outcomes if not outcome.is_right]
    assert (wrong, len(outcomes) > 0) == ([], True)


def test_the_report_is_what_comes_out_now(outcomes: list[Outcome]) -> None:
    for name, cells in rows(table(outcomes)).items():
        pairs = zip(KEPT[name], cells, strict=True)
        assert all(_are_alike(one, other) for one, other in pairs), (name, KEPT[name], cells)


def test_the_report_has_every_kind_and_no_other() -> None:
    names = [kind.name for kind in kinds()]
    assert len(set(names)) == len(names) >= 100
    assert KEPT.keys() == {"kind", *names}


def _are_alike(cell: str, other: str) -> bool:
    try:
        return abs(float(cell) - float(other)) <= ROUNDING
    except ValueError:
        return cell == other
