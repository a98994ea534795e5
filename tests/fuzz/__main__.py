"""Fuzzes `codec.ingest` for a while: `python -m tests.fuzz 60`. A finding makes it fail.

Whoever takes the file that it names and passes it to `python -m tests.fuzz.target` sees it again.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.codec import seeds

FINDINGS = Path("fuzz-findings")

OPTIONS = {
    "artifact_prefix": f"{FINDINGS}/",
    "max_len": 65_536,
    "print_final_stats": 1,
    # What a decoder would be ended for.
    "rss_limit_mb": 1024,
    "timeout": 5,
}


_WORTH_SAYING = re.compile(
    r"#\d+\s+(INITED|NEW|pulse|DONE)|"
    r" ?=|\s+(File|\S+\()|Traceback|\w+Error|SUMMARY|artifact|Test unit"
)


def main(seconds: int) -> int:
    """Fuzz for so many seconds, beginning with sound files of every kind; give an exit code."""
    FINDINGS.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder:
        for name, upload in {**seeds.taken(), **seeds.not_taken()}.items():
            (Path(folder) / name).write_bytes(upload)
        options = {**OPTIONS, "max_total_time": seconds}
        command = [sys.executable, "-m", "tests.fuzz.target", folder]
        command += [f"-{name}={value}" for name, value in options.items()]
        with subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, errors="replace"
        ) as target:
            assert target.stderr
            told = [_shown(line) for line in target.stderr]
    return _sum_up("".join(told), target.returncode)


def _shown(line: str) -> str:
    """Pass on what is new, and not what libraries say of broken files."""
    if _WORTH_SAYING.match(line):
        sys.stderr.write(line)
    return line


def _sum_up(told: str, code: int) -> int:
    runs = re.search(r"number_of_executed_units:\s*(\d+)", told)
    found = re.search(r"Test unit written to (\S+)", told)
    outcome = f"found: {found[1]}" if found else "nothing found" if code == 0 else "broken off"
    sys.stdout.write(
        f"fuzzed codec.ingest: {runs[1] if runs else '?'} files, {outcome}{os.linesep}"
    )
    if not any(FINDINGS.iterdir()):
        FINDINGS.rmdir()
    return 1 if code else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
