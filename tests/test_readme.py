"""What the README promises in tables is what the code does."""

import re
from collections.abc import Iterator
from pathlib import Path

from pydantic_core import PydanticUndefined

from asgilook import config
from asgilook.config import Settings
from tests.openapi.test_document import problems_of_the_service

README = (Path(__file__).parent.parent / "README.md").read_text()


def rows(head: str) -> Iterator[list[str]]:
    """Go through the table under this head, cell by cell."""
    _, _, table = README.partition(f"{head}\n")
    for line in table.splitlines()[1:]:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]


def words(default: object) -> str:
    """Say how the README spells a default."""
    if default is PydanticUndefined:
        return "processors"  # the one default that is found out at the start
    return "none" if default in (None, (), "") else f"`{default}`"


def test_the_table_of_settings_has_every_setting_and_no_other() -> None:
    assert sorted(rows("| variable | default | meaning |")) == sorted(
        [f"`{config.variable(name)}`", words(field.default), field.description or ""]
        for name, field in Settings.model_fields.items()
    )


def test_the_table_of_errors_has_every_problem_under_its_status() -> None:
    told = {
        (int(status), code)
        for statuses, codes in rows("| status | code |")
        for status in re.findall(r"\d+", statuses)
        for code in re.findall(r"`(.+?)`", codes)
    }
    assert problems_of_the_service() <= told
