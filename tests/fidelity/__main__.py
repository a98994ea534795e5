"""`make fidelity`: print the report, and write it beside this file."""

import asyncio
import sys

from tests.fidelity.judge import judged
from tests.fidelity.kinds import kinds
from tests.fidelity.report import PATH, table

if __name__ == "__main__":
    text = table(asyncio.run(judged(kinds())))
    PATH.write_text(text)
    sys.stdout.write(text)
