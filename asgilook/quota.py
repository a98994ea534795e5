"""How much one client may use within a while, and how much of that is left."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

_FORM = re.compile(r"([0-9]{1,12})([kMG]?)/(?:([0-9]{1,4}) ?)?(second|minute|hour|day)s?")
_FACTORS = {"": 1, "k": 1000, "M": 1000**2, "G": 1000**3}
_UNITS_S = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}

MAX_AMOUNT = 10**15 - 1
"""What an integer of a structured field may be (RFC 9651, section 3.3.1)."""


class Measure(StrEnum):
    """What is counted of each client."""

    UPLOADS = "uploads"
    """Pictures, however they end."""
    BYTES = "bytes"
    """Of the bodies of uploads."""
    RENDERING = "rendering"
    """Milliseconds that decoding, resizing and encoding took; a quota says seconds."""


@dataclass(frozen=True, slots=True)
class Quota:
    """So much within so long."""

    amount: int
    window_s: int
    text: str
    """As it was spelled."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a form such as `600/minute`, `10G/hour` or `300/10 minutes`.

        Raises `ValueError`.
        """
        match = _FORM.fullmatch(text)
        if match is None:
            raise ValueError("an amount in a while, such as 600/minute or 10G/hour; or none")
        amount = int(match[1]) * _FACTORS[match[2]]
        window_s = int(match[3] or 1) * _UNITS_S[match[4]]
        if not (1 <= amount <= MAX_AMOUNT and window_s):
            raise ValueError(f"at least 1, and at most {MAX_AMOUNT}, in at least a second")
        return cls(amount, window_s, text)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a client stands with one of its quotas."""

    measure: Measure
    quota: Quota
    left: int
    reset_s: int
    """Until all of the quota is there again."""
