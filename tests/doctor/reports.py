"""What the doctor says, read from its report for scripts."""

import json

from click.testing import CliRunner

from asgilook.cli import main

Report = dict[str, tuple[str, str]]
"""Level and words, by what was looked at."""


def report(*arguments: str, **settings: str) -> tuple[int, Report]:
    """Run `asgilook doctor` with these settings; give its exit code as well."""
    environment = {f"ASGI_LOOK_{name}": value for name, value in settings.items()}
    result = CliRunner().invoke(main, ["doctor", "--json", *arguments], env=environment)
    assert isinstance(result.exception, SystemExit | None), result.exception
    found = json.loads(result.stdout)
    return result.exit_code, {
        each["what"]: (each["level"], f"{each['seen']}: {each['mend']}") for each in found
    }


def wrong(found: Report, part: str) -> set[str]:
    """Name what is not well in a part of the service."""
    return {what for what, (level, _) in found.items() if what.startswith(part) and level != "ok"}
