"""The model of what a load takes, and the README that quotes it."""

import re
import shlex
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest

from infra.capacity import Load, Prices, Work, month, processor_s, tasks

ROOT = Path(__file__).parents[2]
QUOTED = re.findall(
    r"(?m)^\$ python (infra/capacity\.py.*?)( \| tail -1)?\n((?:[^$`].*\n)+)",
    (ROOT / "infra/README.md").read_text(),
)


@pytest.mark.parametrize(("command", "is_last_line", "shown"), QUOTED)
def test_the_readme_shows_what_the_model_says(command: str, is_last_line: str, shown: str) -> None:
    said = subprocess.run(
        [sys.executable, *shlex.split(command)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert shown == (said.splitlines(keepends=True)[-1] if is_last_line else said)


def test_the_readme_shows_a_small_load_and_a_large_one() -> None:
    assert len(QUOTED) == 2


@pytest.mark.parametrize("name", [field.name for field in fields(Work)])
def test_what_each_kind_of_work_takes_counts(name: str) -> None:
    dearer = replace(Work(), **{name: 10 * getattr(Work(), name)})
    assert processor_s(Load(), dearer) > processor_s(Load(), Work())


def test_views_cost_by_their_bytes_and_their_number() -> None:
    once, twice = (month(Load(views=n), Work(), Prices())["CloudFront"] for n in (1e6, 2e6))
    assert twice == pytest.approx(2 * once)
    # 60 GB at 8.5 cents, and a million requests at a cent for ten thousand.
    assert once == pytest.approx(60 * 0.085 + 1.0)


def test_ten_times_fewer_misses_take_ten_times_less_of_the_processors() -> None:
    rare, often = (Load(uploads=0, edge_hits=hits) for hits in (0.95, 0.5))
    assert processor_s(often, Work()) == pytest.approx(10 * processor_s(rare, Work()))


def test_there_are_never_fewer_tasks_than_outlive_the_loss_of_one() -> None:
    assert tasks(Load(views=1), Work()) == 2


def test_a_crowd_takes_tasks_by_its_busiest_minutes() -> None:
    crowd = Load(views=1e10, edge_hits=0.5, uploads=0)
    assert tasks(replace(crowd, peak=10), Work()) == pytest.approx(
        2 * tasks(replace(crowd, peak=5), Work()), abs=1
    )
