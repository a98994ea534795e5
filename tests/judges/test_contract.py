"""What RFC 9110, RFC 9111 and their like ask of an origin behind caches, on the wire.

In each test's place there could be a person with curl. What can be done about a request, a
condition or a range is here; what answers say of themselves is in `test_answers.py`.
"""

from email.utils import format_datetime, parsedate_to_datetime
from datetime import timedelta
from typing import Any

import httpx
import pytest

from asgilook.ids import uuid7
from tests.wire.raw import Wire, request
